"""Tell systemd how the service is: sd_notify(3), without its library.

Without a ``NOTIFY_SOCKET`` every call does nothing.
"""

import logging
import os
import socket
import time
from collections.abc import MutableMapping
from typing import Self

from airelays_app.server.logs import note


class Notifier:
    """The service manager's end of the line.

    ``watchdog_seconds`` is how long systemd waits between two signs of life, or None.
    """

    def __init__(self, address: str | None, watchdog_seconds: float | None = None) -> None:
        self._address = f"\0{address[1:]}" if address and address.startswith("@") else address
        self.watchdog_seconds = watchdog_seconds
        self._status = ""

    @classmethod
    def from_environ(cls, environ: MutableMapping[str, str] = os.environ) -> Self:
        """Read the manager's variables and remove them, so that no child speaks in our name."""
        address = environ.pop("NOTIFY_SOCKET", None)
        microseconds = environ.pop("WATCHDOG_USEC", "")
        meant_for = environ.pop("WATCHDOG_PID", str(os.getpid()))
        watched = microseconds.isdecimal() and meant_for == str(os.getpid())
        return cls(address, int(microseconds) / 1_000_000 if watched else None)

    def ready(self) -> None:
        """The workers serve: after the start, and after each reload, also one that failed."""
        self._send("READY=1")

    def reloading(self) -> None:
        """A new configuration is being tried; :meth:`ready` must follow."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={microseconds}")

    def stopping(self) -> None:
        """The service has begun to end."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Show ``text`` in ``systemctl status``; said again only when it has changed."""
        if text != self._status:
            self._status = text
            self._send(f"STATUS={text}")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
        try:
            with socket.socket(socket.AF_UNIX, kind) as sock:
                sock.connect(self._address)
                sock.sendall("\n".join(lines).encode())
        except OSError as error:
            note(logging.WARNING, "cannot reach the service manager", reason=error.strerror)
