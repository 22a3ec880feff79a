"""How this installation's own program is called."""

import shlex
import shutil
import sys
from pathlib import Path


def program_words() -> list[str]:
    """Return the words that run this installation, whatever the search path is."""
    script = Path(sys.executable).with_name("airelays")
    return [str(script)] if script.exists() else [sys.executable, "-m", "airelays_app.cli"]


def program() -> str:
    """Return what to type in a shell: ``airelays`` if that is this installation."""
    words = program_words()
    return "airelays" if shutil.which("airelays") == words[0] else shlex.join(words)
