"""The server's log: the logger ``airelays.server``; whoever composes the service formats it.

Facts of an entry are in ``extra={"fields": {...}}``. Of an unexpected exception the log has types
and places but not the message, which may quote what a client or an upstream has sent.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from typing import Any

LOG = logging.getLogger("airelays.server")

_LEVEL = logging.INFO
_FRAMES = 4


def note(level: int, message: str, /, **fields: Any) -> None:
    """Write one entry; ``message`` is a constant, what varies is in ``fields``."""
    LOG.log(level, message, extra={"fields": fields})


def note_failure(message: str, error: BaseException) -> None:
    """Write that something unexpected has failed, and where."""
    note(logging.ERROR, message, exception=describe(error))


def describe(error: BaseException) -> str:
    """Return the type of ``error`` and where it was raised, innermost last, then its causes."""
    return " from ".join(_describe_one(each) for each in _with_causes(error))


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _describe_one(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = [f"{_tail(frame.filename)}:{frame.lineno}({frame.name})" for frame in frames]
    return ">".join((*places, type(error).__name__))


def _tail(filename: str) -> str:
    return "/".join(filename.rsplit("/", 2)[-2:])


class PlainFormatter(logging.Formatter):
    """One line per entry, for a server that was started without a composed service."""

    def format(self, record: logging.LogRecord) -> str:
        """Return ``level logger pid message field=value ...``."""
        fields: dict[str, Any] = getattr(record, "fields", {})
        facts = [f"{name}={value}" for name, value in fields.items()]
        words = [
            record.levelname.lower(),
            record.name,
            f"pid={record.process}",
            record.getMessage(),
            *facts,
        ]
        return " ".join(words).replace("\r", "\\r").replace("\n", "\\n")


def ensure_handler() -> None:
    """Send the log to stderr, unless the composition has said already where it goes."""
    if LOG.hasHandlers():
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(_LEVEL)


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

    def exception(self, message: str, *args: Any) -> None:
        """Write what failed and where, without the exception's message."""
        error = sys.exception()
        note(logging.ERROR, message % args, exception=describe(error) if error else "unknown")

    def setup(self, cfg: Any) -> None:
        """Follow a new configuration: there is nothing to follow."""
        self.cfg = cfg

    def access(self, *_args: Any) -> None:
        """Write no access log."""

    def reopen_files(self) -> None:
        """Reopen no file: stderr is the only target."""

    def close_on_exec(self) -> None:
        """Leave stderr to child processes."""
