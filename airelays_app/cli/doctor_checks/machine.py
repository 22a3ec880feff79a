"""This machine: its clock, and the model on it."""

from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path

from airelays_app import version
from airelays_app.cli.doctor_checks.situation import Situation
from airelays_app.cli.doctor_checks.verdict import Verdict, failed, passed, skipped
from airelays_app.cli.local_model import INSTALL_LIBRARY, library_present
from airelays_app.cli.wording import duration
from airelays_app.services.steps import PROBLEM_STEPS

TOLERATED_SECONDS = 120.0
"""Logins break when the clock is off by minutes; a second or two is the network's."""
FUTURE_SECONDS = 3600.0
"""A file this far ahead of the clock was not written an instant ago."""

_STEPS = (
    "See what the clock says: timedatectl",
    "Let the network set the clock: sudo timedatectl set-ntp true",
)


def clock(situation: Situation) -> Verdict:
    """The clock agrees with the upstream's, and no file is from the future."""
    newest = max(_file_times(situation), default=0.0)
    ahead = newest - situation.clock()
    if ahead > FUTURE_SECONDS:
        return failed(
            f"The clock is slow: files of the relay are {duration(ahead)} ahead of it.", *_STEPS
        )
    alone = situation.offline or situation.no_subscription
    theirs = None if alone else _moment(situation.upstream_probe.date)
    if theirs is None:
        return passed("It agrees with the relay's files; no upstream was asked.")
    off = situation.upstream_probe.at - theirs
    if abs(off) > TOLERATED_SECONDS:
        word = "fast" if off > 0 else "slow"
        return failed(
            f"The clock is {duration(abs(off))} {word}, compared with the upstream's.", *_STEPS
        )
    return passed("It agrees with the upstream's.")


def local_model(situation: Situation) -> Verdict:
    """The model on this machine can be served, if it is wanted."""
    local = situation.settings.local
    if local.enabled == "false":
        return skipped("It is turned off.")
    state = next((each for each in situation.states.values() if each["kind"] == "local"), None)
    if state is None:
        return skipped("It is turned off.")
    if not state["ready"]:
        return _missing(situation)
    if not library_present():
        return failed(
            "The package that runs the local model is missing.",
            f"Install the library that runs the local model: {INSTALL_LIBRARY}",
        )
    return passed(f"{state['model']} is installed.")


def _missing(situation: Situation) -> Verdict:
    local = situation.settings.local
    if local.model_path is not None:
        return failed(
            f"The local model is missing: there is no file {local.model_path}.",
            PROBLEM_STEPS["no_model_file"],
        )
    step = PROBLEM_STEPS["not_installed"]
    if local.enabled == "true":
        return failed("The local model is not installed.", step)
    if situation.another_is_ready("local"):
        return skipped("It is not installed; another provider is ready.")
    return failed("The local model is not installed, and no other provider is ready.", step)


def _file_times(situation: Situation) -> Iterator[float]:
    folder = situation.settings.paths.data_dir
    names = (folder / "auth.json", folder / "relay-token", folder / "state.sqlite3")
    for path in (Path(version.__file__), *names):
        if path.exists():
            yield path.stat().st_mtime


def _moment(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
