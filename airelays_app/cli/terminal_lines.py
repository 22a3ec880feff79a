"""Lines typed at a terminal while something else is being waited for."""

import os
import select
from typing import TextIO


class TerminalLines:
    """Reads without waiting; a stream that is no terminal, or has ended, has no lines.

    Reading happens in the caller's thread, on the descriptor: a thread blocked in ``readline``
    could be neither ended nor left behind safely.
    """

    def __init__(self, stream: TextIO) -> None:
        self._descriptor = stream.fileno() if _is_terminal(stream) else None
        self._rest = b""

    def arrived(self) -> list[str]:
        """Return the whole lines that have arrived since the last call, without their ends."""
        if self._descriptor is None:
            return []
        while self._descriptor is not None and self._ready():
            received = os.read(self._descriptor, 4096)
            if not received:
                self._descriptor = None
            self._rest += received
        *lines, self._rest = self._rest.split(b"\n")
        return [line.decode("utf-8", "replace").strip() for line in lines]

    def _ready(self) -> bool:
        poll = select.poll()
        poll.register(self._descriptor or 0, select.POLLIN)
        return bool(poll.poll(0))


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:
        return False
