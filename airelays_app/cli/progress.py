"""The progress of something long, on standard error: a bar on a terminal, else lines."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

import click

Progress = Callable[[int, int], None]
"""Takes the bytes done so far and the bytes there are in all."""

_MEGABYTE = 10**6
_LINE_EVERY_PERCENT = 10


@contextmanager
def progress_shown(label: str, total: int) -> Iterator[Progress]:
    """Lend what shows the progress of ``total`` bytes of work, which is called ``label``."""
    stream = sys.stderr
    if stream.isatty() and os.environ.get("TERM") != "dumb":
        with _bar(label, total, stream) as bar:
            yield bar
    else:
        yield _Lines(label, stream)


@contextmanager
def _bar(label: str, total: int, stream: TextIO) -> Iterator[Progress]:
    with click.progressbar(
        length=total, label=label, file=stream, item_show_func=lambda words: words
    ) as bar:
        yield lambda done, total: bar.update(done - bar.pos, _megabytes(done, total))


class _Lines:
    """Writes a line for every tenth of the work, for files and logs."""

    def __init__(self, label: str, stream: TextIO) -> None:
        self._label = label
        self._stream = stream
        self._next_percent = 0

    def __call__(self, done: int, total: int) -> None:
        percent = 100 * done // total
        if percent < self._next_percent:
            return
        self._next_percent = percent - percent % _LINE_EVERY_PERCENT + _LINE_EVERY_PERCENT
        words = f"{self._label}: {percent} %, {_megabytes(done, total)}"
        click.echo(words, file=self._stream)


def _megabytes(done: int, total: int) -> str:
    return f"{done // _MEGABYTE} of {total // _MEGABYTE} MB"
