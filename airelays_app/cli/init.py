"""``airelays init``: the configuration file, the data folder, a relay token."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from airelays_app.cli.failures import WrongConfiguration
from airelays_app.cli.options import (
    Invocation,
    json_option,
    pass_invocation,
    setting_options,
    shared_options,
)
from airelays_app.cli.page import Page, show
from airelays_app.cli.token_store import add_client_setup, client_setup
from airelays_app.cli.user_unit import STEPS as UNIT_STEPS
from airelays_app.cli.user_unit import command_line, install_unit, unit_text
from airelays_app.config import Settings, settings_from
from airelays_app.config.document import toml_text
from airelays_app.config.exposure import open_relay_problem
from airelays_app.config.locations import config_path_of
from airelays_app.config.settings import BY_KEY
from airelays_app.config.toml_document import parse_document
from airelays_app.errors import ConfigError
from airelays_app.services.steps import PROBLEM_STEPS
from airelays_app.store.private_file import make_private_directory, replace_file
from airelays_app.store.tokens import open_tokens
from airelays_app.version import VERSION


@dataclass(frozen=True, slots=True)
class _Done:
    """What ``init`` has done. ``backup`` is where an earlier configuration file went."""

    settings: Settings
    created: bool
    backup: Path | None
    token: str | None
    token_created: bool
    token_source: str | None


@click.command()
@setting_options(
    "server.host", "server.port", "security.require_bearer_auth", "security.allow_open_relay"
)
@json_option
@click.option("--force", is_flag=True, help="Write the file anew; the old one is kept beside it.")
@click.option("--systemd", is_flag=True, help="Install a systemd unit for your own account.")
@click.option("--show-token", is_flag=True, help="Print the relay token even if it is not new.")
@shared_options
@pass_invocation
def init(invocation: Invocation, *, force: bool, systemd: bool, show_token: bool) -> None:
    """Write the configuration file and make a relay token.

    Only what the options say is set in the file; everything else stands there commented out.
    What exists is kept. Options that change an existing file need --force.
    """
    done = _prepare(invocation, force=force)
    unit = _install_unit(invocation, force=force) if systemd else None
    token = done.token if done.token_created or show_token else None
    setup = client_setup(done.settings, token=token)
    steps = _next_steps(done, unit)
    page = _page(done)
    if unit:
        page.field("User unit", unit)
    add_client_setup(page, setup)
    page.steps(steps)
    data = _data(done) | {"relay_token": token, "client": setup, "next_steps": steps}
    data["systemd_unit"] = unit and str(unit)
    show(invocation, page=page, data=data)


def _prepare(invocation: Invocation, *, force: bool) -> _Done:
    path = _config_path(invocation)
    exists = path.exists()
    if exists and not force:
        _refuse_ignored_options(invocation, path)
        return _with_token(invocation.settings(), created=False, backup=None)
    text = toml_text({key: _lasting(key, value) for key, value in invocation.flags.items()})
    settings = settings_from(
        parse_document(text, path=path), invocation.flags, environ=invocation.environ
    )
    if problem := open_relay_problem(settings):
        raise ConfigError(problem)
    backup = _keep_beside(path) if exists else None
    replace_file(path, text.encode())
    return _with_token(settings, created=True, backup=backup)


def _lasting(key: str, value: object) -> object:
    """Return the value for the file: a path counts from here now, and from the file there."""
    if BY_KEY[key].kind.label != "path" or str(value).startswith("~"):
        return value
    return Path(str(value)).absolute()


def _config_path(invocation: Invocation) -> Path:
    path = config_path_of(invocation.environ, invocation.config_path)
    if path is None:
        raise ConfigError("HOME is not set: say with --config where the file is to be written")
    return path


def _refuse_ignored_options(invocation: Invocation, path: Path) -> None:
    if invocation.flags:
        flags = ", ".join(str(BY_KEY[key].row.flag) for key in invocation.flags)
        raise WrongConfiguration(
            f"{path} exists, so {flags} would change nothing. Edit the file, or write it anew "
            "with --force."
        )


def _keep_beside(path: Path) -> Path:
    backup = path.with_name(f"{path.name}.old")
    replace_file(backup, path.read_bytes())
    return backup


def _with_token(settings: Settings, *, created: bool, backup: Path | None) -> _Done:
    make_private_directory(settings.paths.data_dir)
    tokens = open_tokens(settings)
    fresh = tokens.ensure() if settings.security.require_bearer_auth else False
    return _Done(
        settings=settings,
        created=created,
        backup=backup,
        token=tokens.show(),
        token_created=fresh,
        token_source=tokens.source(),
    )


def _install_unit(invocation: Invocation, *, force: bool) -> Path:
    text = unit_text(command_line(config_path=invocation.config_path))
    return install_unit(text, environ=invocation.environ, force=force)


def _next_steps(done: _Done, unit: Path | None) -> list[str]:
    serve = "Start the relay: airelays serve"
    if not done.settings.security.require_bearer_auth:
        serve += " (open: no token is asked for)"
    return [
        PROBLEM_STEPS["missing"],
        *([serve] if unit is None else UNIT_STEPS),
        "Set up your clients: airelays connect",
    ]


def _page(done: _Done) -> Page:
    page = Page("set up")
    page.section("Relay")
    page.field("Configuration", f"{done.settings.config_path} ({_state(done.created)})")
    if done.backup:
        page.field("Earlier one", done.backup)
    page.field("Data folder", done.settings.paths.data_dir)
    page.field("Token required", done.settings.security.require_bearer_auth)
    if done.token_source:
        page.field("Token", "new" if done.token_created else f"kept ({done.token_source})")
    return page


def _state(created: bool) -> str:  # noqa: FBT001 - its one argument
    return "written" if created else "kept as it was"


def _data(done: _Done) -> dict[str, Any]:
    settings = done.settings
    return {
        "app_name": "AIRelays",
        "version": VERSION,
        "config_path": str(settings.config_path),
        "config_created": done.created,
        "config_backup": done.backup and str(done.backup),
        "data_dir": str(settings.paths.data_dir),
        "bearer_token_file": str(settings.security.bearer_token_file),
        "bearer_token_created": done.token_created,
        "bearer_token_source": done.token_source,
    }
