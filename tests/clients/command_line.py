"""Running the vendors' command-line clients, with what ``airelays connect`` prints for them."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

PATIENCE = 100.0
_EXPORT = re.compile(r'export (\w+)="?([^"\n]*)"?')


def installed(name: str) -> str:
    """Return where a client is: in ``AIRELAYS_TEST_`` and its name, or on the path; else skip."""
    variable = f"AIRELAYS_TEST_{name.upper()}"
    found = os.environ.get(variable) or shutil.which(name)
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
