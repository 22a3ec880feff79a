"""The server's log: one line per record on stderr, by the logger ``airelays.server``.

Whoever composes the service may give the logger ``airelays`` a handler and formatter of its own
before the server starts; :class:`LineFormatter` is used where nobody did.
"""

import logging
import sys
import time
import traceback
from collections.abc import Iterator
from typing import Any

LOG = logging.getLogger("airelays.server")

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127)} | {10: "\\n", 13: "\\r"}


class LineFormatter(logging.Formatter):
    """``time level logger pid message``, in one line whatever the message holds.

    Of an exception it shows the types and places but not the message, which may quote what a
    client or an upstream has sent.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line without its newline."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        parts = [
            f"{moment}.{record.msecs:03.0f}Z",
            record.levelname.lower(),
            record.name,
            f"pid={record.process}",
            record.getMessage(),
        ]
        if record.exc_info and record.exc_info[1] is not None:
            parts.append(f"exception={describe(record.exc_info[1])}")
        return " ".join(parts).translate(_CONTROL)


def describe(error: BaseException) -> str:
    """Return the type of ``error`` and where it was raised, innermost last, then its causes."""
    return " from ".join(_describe_one(each) for each in _with_causes(error))


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _describe_one(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = [f"{_tail(frame.filename)}:{frame.lineno}({frame.name})" for frame in frames]
    return ">".join((*places, type(error).__name__))


def _tail(filename: str) -> str:
    return "/".join(filename.rsplit("/", 2)[-2:])


def ensure_handler() -> None:
    """Send the log to stderr unless the composition has said where it goes."""
    if LOG.hasHandlers():
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    root = logging.getLogger("airelays")
    root.addHandler(handler)
    root.setLevel(logging.INFO)


class GunicornLog:
    """What gunicorn takes for its logger; without an access log (the application writes that)."""

    access_log_enabled = False

    def __init__(self, cfg: Any) -> None:
        ensure_handler()
        self.cfg = cfg
        self.error_log = LOG
        self.debug = LOG.debug
        self.info = LOG.info
        self.warning = LOG.warning
        self.error = LOG.error
        self.critical = LOG.critical
        self.exception = LOG.exception

    def setup(self, cfg: Any) -> None:
        """Follow a new configuration: there is nothing to follow."""
        self.cfg = cfg

    def access(self, *_args: Any) -> None:
        """Write no access log."""

    def reopen_files(self) -> None:
        """Reopen no file: stderr is the only target."""

    def close_on_exec(self) -> None:
        """Leave stderr to child processes."""
