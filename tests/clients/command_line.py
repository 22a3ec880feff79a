"""Running clients that are programs of their own, with what ``airelays connect`` prints for them.

``make clients`` installs them into the checkout, below ``.clients``.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

CLIENTS_FOLDER = Path(__file__).parents[2] / ".clients"
PATIENCE = 100.0
_EXPORT = re.compile(r'export (\w+)="?([^"\n]*)"?')


def installed(name: str, place: str = "node_modules/.bin") -> str:
    """Return where a program is, or skip.

    ``AIRELAYS_TEST_`` and its name says it; else it is in ``place`` below ``.clients``, or on the
    path.
    """
    variable = f"AIRELAYS_TEST_{name.upper()}"
    inside = shutil.which(name, path=str(CLIENTS_FOLDER / place))
    found = os.environ.get(variable) or inside or shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name}: run make clients, or set {variable}")
    return found


def exported(printed: str) -> dict[str, str]:
    """Return the variables that printed lines of the shell export."""
    return dict(_EXPORT.findall(printed))


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
