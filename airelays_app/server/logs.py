"""The server's log: the logger ``airelays.server``; whoever composes the service formats it.

Facts of an entry are in ``extra={"fields": {...}}``. Of an unexpected exception the log has types
and places but not the message, which may quote what a client or an upstream has sent.
"""

import logging
import sys
from typing import Any

from airelays_app.logs import configure, describe

LOG = logging.getLogger("airelays.server")


def note(level: int, message: str, /, **fields: Any) -> None:
    """Write one entry; ``message`` is a constant, what varies is in ``fields``."""
    LOG.log(level, message, extra={"fields": fields})


def note_failure(message: str, error: BaseException) -> None:
    """Write that something unexpected has failed, and where."""
    note(logging.ERROR, message, exception=describe(error))


def ensure_handler() -> None:
    """Send the log to stderr, unless the composition has said already where it goes."""
    if not LOG.hasHandlers():
        configure(level="info", style="logfmt")


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
