"""The code is as ruff and mypy want it, and lies as its tools would lay it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = {
    "ruff check": ["ruff", "check", "--no-cache"],
    "ruff format": ["ruff", "format", "--check", "--no-cache"],
    "mypy": ["mypy", "--no-incremental"],
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("words", TOOLS.values(), ids=TOOLS)
def test_the_tool_finds_nothing(words):
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
