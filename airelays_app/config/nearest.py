"""The right name that a wrong one was probably meant to be."""

import difflib
from collections.abc import Iterable


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """Return `` Did you mean X?`` (with the space in front), or nothing.

    A dotted key whose last part is right but stands in another section is found first.
    """
    names = list(known)
    tail = wrong.rpartition(".")[2]
    moved = [name for name in names if name.rpartition(".")[2] == tail]
    close = moved or difflib.get_close_matches(wrong, names, n=1) or _close_tail(tail, names)
    return f" Did you mean {close[0]}?" if close else ""


def _close_tail(tail: str, names: list[str]) -> list[str]:
    by_tail = {name.rpartition(".")[2]: name for name in reversed(names)}
    return [by_tail[found] for found in difflib.get_close_matches(tail, by_tail, n=1, cutoff=0.75)]
