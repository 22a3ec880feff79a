"""What answers in a demo: the small model on this machine, or the sandbox.

Each is lent for the time of the demo and yields the settings with which the relay uses it.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from airelays_app.cli.failures import Failure
from airelays_app.cli.local_model import INSTALL_LIBRARY, ensure_weights, library_present
from airelays_app.cli.program import program
from airelays_app.providers.codex.credentials import LOGIN_FILE_NAME, CredentialFile, Credentials
from airelays_app.providers.codex.login import store_login
from airelays_app.providers.local.weights import SMOLLM2, verify

Values = Mapping[str, object]
"""Values of settings by dotted key."""

_SANDBOX = (sys.executable, "-P", "-m", "airelays_app.sandbox", "--until-eof", "--login")
_OWNER = "owner@example.org"
_SANDBOX_MODEL = "gpt-5.5"


@contextmanager
def local_model(folder: Path, *, installed: Path, quiet: bool) -> Iterator[Values]:
    """Lend the embedded model; its weights are fetched unless the folder ``installed`` has them.

    Raises Failure when the library is missing or the weights cannot be fetched.
    """
    if not library_present():
        raise Failure(
            "The demo needs the library that runs the model, which is not installed.\n"
            f"Install it: {INSTALL_LIBRARY}\n"
            f"Or see the relay without a model: {program()} demo --sandbox"
        )
    models = folder / "models"
    _use_installed(models, installed)
    ensure_weights(models, quiet=quiet)
    yield {
        "local.enabled": "true",
        "routing.default_provider": "local",
        "models.default": SMOLLM2.model,
    }


@contextmanager
def sandbox(folder: Path) -> Iterator[Values]:
    """Lend a sandbox in a process of its own, to which the relay is logged in."""
    with subprocess.Popen(  # noqa: S603 - our own program, no shell
        [*_SANDBOX, _OWNER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            described = json.loads(process.stdout.readline() or b"{}")
            if not described:
                raise Failure("The sandbox did not start.")
            _log_in(folder, described["login"])
            yield {
                "upstream.base_url": described["codex_url"],
                "upstream.issuer_base_url": described["issuer_url"],
                "routing.default_provider": "codex",
                "models.default": _SANDBOX_MODEL,
                "local.enabled": "false",
            }
        finally:
            process.terminate()


def _use_installed(models: Path, installed: Path) -> None:
    """Let ``models`` be a link to ``installed`` if that has the weights and ``models`` is new."""
    if models.is_symlink():
        models.unlink()
    if not models.exists() and verify(installed) is not None:
        models.symlink_to(installed)


def _log_in(folder: Path, login: Mapping[str, str]) -> None:
    credentials = Credentials().with_tokens(login, at=time.time()).bound()
    store_login(CredentialFile(folder / LOGIN_FILE_NAME), credentials, replace=True)
