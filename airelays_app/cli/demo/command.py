"""The command itself: what it prepares, and the relay that it then is."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click

from airelays_app.cli.demo.upstreams import Values, local_model, sandbox
from airelays_app.cli.failures import EXIT_FAILED, TryAgain
from airelays_app.cli.lazy_group import imported
from airelays_app.cli.options import (
    Invocation,
    json_option,
    pass_invocation,
    setting_options,
    shared_options,
)
from airelays_app.cli.page import Page, print_page
from airelays_app.cli.ports import bind_error
from airelays_app.cli.running import process_serving
from airelays_app.cli.serving import Address
from airelays_app.config import Settings, settings_from
from airelays_app.config.document import toml_text
from airelays_app.config.locations import PREFIXES
from airelays_app.config.toml_document import parse_document
from airelays_app.store.private_file import make_private_directory, replace_file

_GUIDE = (sys.executable, "-P", "-m", "airelays_app.cli.demo.guide")
_HOST = "127.0.0.1"
_PORT = 8080
_STOP_SECONDS = 5
_WORDS = {
    False: "A small language model on this machine answers, so no account is needed.",
    True: "A stand-in answers: no model at all, its answers are made up.",
}


@click.command()
@setting_options("server.host", "server.port", "logging.level")
@json_option
@click.option("--sandbox", "on_sandbox", is_flag=True, help="Run on a stand-in, without any model.")
@shared_options
@pass_invocation
@click.pass_context
def demo(context: click.Context, invocation: Invocation, *, on_sandbox: bool) -> None:
    """Try the relay without an account, until Ctrl-C.

    A small model on this machine answers; its weights (93 MB) are fetched the first time. The demo
    lives in a folder "demo" below the data folder and touches nothing else; its port is 8080 if
    that is free.
    """
    signal.signal(signal.SIGTERM, _leave)
    data_dir = invocation.settings().paths.data_dir
    place = _Place(data_dir / ("demo-sandbox" if on_sandbox else "demo"))
    place.make()
    if not invocation.as_json:
        _introduce(place, on_sandbox=on_sandbox)
    with _upstream(place, data_dir / "models", on_sandbox=on_sandbox, quiet=invocation.as_json) as (
        upstream
    ):
        given = _given(invocation)
        values = {**_standard_values(str(given.get("server.host", _HOST))), **upstream, **given}
        status = _serve(place, values, as_json=invocation.as_json)
    if not invocation.as_json:
        click.echo(f"\nStopped. What the demo has left is in {place.folder}; it can be deleted.")
    context.exit(status)


@dataclass(frozen=True, slots=True)
class _Place:
    """The folder that a demo has to itself, whatever the settings of the installation are."""

    folder: Path

    @property
    def config_path(self) -> Path:
        """The settings of the demo, for other commands."""
        return self.folder / "config.toml"

    def make(self) -> None:
        """Make the folder; raises TryAgain while another demo runs there."""
        make_private_directory(self.folder)
        process = process_serving(self.folder)
        if process is not None:
            raise TryAgain(f"The demo is running already: process {process}. Stop that one first.")

    def text(self, values: Values) -> str:
        """Return the settings file."""
        return toml_text({**values, "paths.data_dir": str(self.folder)})

    def settings(self, values: Values) -> Settings:
        """Return the settings, in which the environment has no part."""
        document = parse_document(self.text(values), path=self.config_path)
        return settings_from(document, environ={})


def _upstream(
    place: _Place, installed: Path, *, on_sandbox: bool, quiet: bool
) -> AbstractContextManager[Values]:
    if on_sandbox:
        return sandbox(place.folder)
    return local_model(place.folder, installed=installed, quiet=quiet)


def _standard_values(host: str) -> Values:
    return {
        "server.host": host,
        "server.port": 0 if bind_error(host, _PORT) else _PORT,
        "server.stop_seconds": _STOP_SECONDS,
        "security.auto_generate_bearer_token": True,
        "auth.storage": "file",
        "logging.level": "warning",
    }


def _given(invocation: Invocation) -> Values:
    """Return what the command line says about the demo itself."""
    wanted = ("server.host", "server.port", "logging.level")
    return {key: invocation.flags[key] for key in wanted if key in invocation.flags}


def _leave(number: int, _: object) -> NoReturn:
    """End in an orderly way while the server, which has its own ways, does not run yet."""
    raise SystemExit(128 + number)


def _introduce(place: _Place, *, on_sandbox: bool) -> None:
    page = Page("demo")
    page.text(f"{_WORDS[on_sandbox]} Everything is kept in {place.folder}.")
    print_page(page)
    click.echo()


def _serve(place: _Place, values: Values, *, as_json: bool) -> int:
    """Be the relay until a signal says stop; return the exit status."""
    serve_relay = imported("airelays_app.cli", "master:serve_relay")
    settings = place.settings(values)
    guide = _Guide(place, values, as_json=as_json)
    try:
        status = serve_relay(lambda: settings, guide.start)
    finally:
        gave_up = guide.stop()
    return EXIT_FAILED if gave_up else status


class _Guide:
    """The process that asks the first question; it ends this relay if there is no answer."""

    def __init__(self, place: _Place, values: Values, *, as_json: bool) -> None:
        self._place = place
        self._values = values
        self._flags = ["--json"] if as_json else []
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, _: Settings, addresses: list[Address]) -> None:
        """Write the settings with the port that was taken, and begin."""
        port = next(port for _, port in addresses if port)
        text = self._place.text({**self._values, "server.port": port})
        replace_file(self._place.config_path, text.encode())
        self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            [*_GUIDE, "--config", str(self._place.config_path), *self._flags],
            stdin=subprocess.DEVNULL,
            env=_without_settings(os.environ),
        )

    def stop(self) -> bool:
        """End the process; return whether it had given up."""
        if self._process is None:
            return False
        self._process.terminate()
        return self._process.wait() == EXIT_FAILED


def _without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in environ.items() if not name.startswith(PREFIXES)}
