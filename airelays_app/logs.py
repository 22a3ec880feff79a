"""The log on stderr: one line per entry, as logfmt or JSON.

Of an exception it shows the types and places but never the message, which may quote what a client
or an upstream has sent.
"""

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

Style = Literal["logfmt", "json"]

_OWN = ("airelays", "airelays_app")
"""The loggers named for readers, and those of modules."""

_log = logging.getLogger("airelays.process")

_is_plain = re.compile(r"[!#-<>-~]+").fullmatch
"""Printable ASCII without the space, the quote and the equals sign."""


class LineFormatter(logging.Formatter):
    """Writes an entry as one line; its fields come in ``extra={"fields": {...}}``."""

    def __init__(self, style: Style) -> None:
        super().__init__()
        self._write = _as_json if style == "json" else _as_logfmt

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, Any] = {
            "at": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            fields["exception"] = describe(record.exc_info[1])
        return self._write(fields)


def configure(*, level: str, style: Style) -> None:
    """Send the log of the relay's own modules to stderr, from ``level`` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(style))
    for name in _OWN:
        own = logging.getLogger(name)
        own.handlers[:] = [handler]
        own.setLevel(level.upper())
        own.propagate = False


def speak_for_process() -> None:
    """Send to the configured log what anything else in this process complains about as well.

    That is what libraries log from WARNING on, and exceptions that end a thread or a clean-up:
    by themselves they would be printed with their messages, which may quote anything.
    """
    logging.getLogger().handlers[:] = logging.getLogger(_OWN[0]).handlers
    threading.excepthook = _log_failed_thread
    sys.unraisablehook = _log_unraisable


def _log_failed_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None and failed.exc_type is not SystemExit:
        _log.error("a thread failed", exc_info=failed.exc_value)


def _log_unraisable(failed: "sys.UnraisableHookArgs") -> None:
    if failed.exc_value is not None:
        _log.error("a clean-up failed", exc_info=failed.exc_value)


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


def _as_json(fields: dict[str, Any]) -> str:
    return json.dumps(fields, separators=(",", ":"))


def _as_logfmt(fields: dict[str, Any]) -> str:
    return " ".join(f"{name}={_logfmt_value(value)}" for name, value in fields.items())


def _logfmt_value(value: Any) -> str:
    text = str(value)
    return text if _is_plain(text) else json.dumps(text)
