"""Running clients that are programs of their own, with what ``airelays connect`` prints for them.

``make clients`` installs them into the checkout, below ``.clients``.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from airelays_app.cli.clients import CLIENTS, Connection
from tests.conftest import RunningRelay

CLIENTS_FOLDER = Path(__file__).parents[2] / ".clients"
PATIENCE = 100.0
_EXPORT = re.compile(r'export (\w+)="?([^"\n]*)"?')


def installed(name: str, place: str = "node_modules/.bin") -> str:
    """Return where a program is, or skip.

    ``AIRELAYS_TEST_`` and its name says it; else it is in ``place`` below ``.clients``, or on the
    path.
    """
    inside = shutil.which(name, path=str(CLIENTS_FOLDER / place))
    return _found(name, inside or shutil.which(name))


def python_with(library: str) -> str:
    """Return the interpreter that has a library in a place of its own, or skip.

    ``AIRELAYS_TEST_`` and the name of the library says it; else it is the one of ``make clients``.
    """
    return _found(library, shutil.which("python", path=str(CLIENTS_FOLDER / library / "bin")))


def node_modules_with(package: str) -> Path:
    """Return the folder with a package for Node, or skip.

    ``AIRELAYS_TEST_NODE_MODULES`` says it; else it is the one of ``make clients``.
    """
    installed("node")
    inside = CLIENTS_FOLDER / "node_modules"
    folder = Path(_found("node_modules", str(inside) if inside.exists() else None))
    if not (folder / package).exists():
        pytest.skip(f"there is no {package} in {folder}: run make clients")
    return folder


def program(file: Path, source: str, modules: Path | None = None) -> str:
    """Write a program where it finds its ``modules``, if it is one for Node; return its path."""
    file.write_text(source)
    if modules:
        (file.parent / "node_modules").symlink_to(modules)
    return str(file)


def _found(name: str, place: str | None) -> str:
    variable = f"AIRELAYS_TEST_{name.upper().replace('-', '_')}"
    found = os.environ.get(variable) or place
    if found is None:
        pytest.skip(f"there is no {name}: run make clients, or set {variable}")
    return found


def exported(lines: str) -> dict[str, str]:
    """Return the variables that lines of the shell export."""
    return dict(_EXPORT.findall(lines))


def printed(client: str, relay: RunningRelay, model: str) -> list[str]:
    """Return what ``airelays connect`` prints to be pasted for a client, step by step."""
    connection = Connection(relay.base_url, relay.url, relay.token, model)
    return [connection.fill(step.text) for step in CLIENTS[client].steps]


def example(client: str, relay: RunningRelay, model: str) -> list[str]:
    """Return the arguments of the command that is printed last for a client."""
    return shlex.split(printed(client, relay, model)[-1])[1:]


def assert_repeated(done: subprocess.CompletedProcess[str], question: str) -> None:
    """Check that a client has shown the answer of the stand-in, which repeats the question."""
    assert done.returncode == 0, done
    assert question in done.stdout, "the stand-in repeats what it was asked"


def run(
    command: Sequence[str], home: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a client in ``home``, in a folder ``work``, and wait for its end."""
    work = home / "work"
    work.mkdir(exist_ok=True)
    return subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], "HOME": str(home), **environ},
        cwd=work,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
