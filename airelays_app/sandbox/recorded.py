"""What the sandbox was asked: one record per request, in a log that tests may wait on."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload


@dataclass(slots=True, eq=False)
class RecordedRequest:
    """One request as it arrived.

    Header names are lower case; a repeated header is joined with ``", "``. ``body`` is as sent (not
    decompressed), ``json`` the decoded value or None. Times are ``time.monotonic()`` seconds.
    ``closed_early`` says that the peer left before the whole answer was sent; ``closed_at`` is when
    the exchange ended (None while it lasts); ``status`` is the status sent, if one was.
    ``connection`` numbers the TCP connection, so that reuse can be seen. ``target`` is the raw path
    with its query.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    json: Any = None
    received_at: float = field(default_factory=time.monotonic)
    closed_early: bool = False
    closed_at: float | None = None
    status: int | None = None
    connection: int = 0
    target: str = ""


class RequestLog(Sequence[RecordedRequest]):
    """The recorded requests in order of arrival; safe to read while the sandbox serves."""

    def __init__(self) -> None:
        self._requests: list[RecordedRequest] = []
        self._changed = threading.Condition()

    def add(self, request: RecordedRequest) -> None:
        """Append a request that has arrived."""
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()

    def close(self, request: RecordedRequest, *, early: bool) -> None:
        """Note that the exchange of ``request`` has ended."""
        with self._changed:
            request.closed_early = early
            request.closed_at = time.monotonic()
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget everything recorded so far."""
        with self._changed:
            self._requests.clear()

    def to(self, path_end: str) -> list[RecordedRequest]:
        """Return the requests whose path ends with ``path_end``."""
        return [request for request in self if request.path.endswith(path_end)]

    def wait(self, condition: Callable[["RequestLog"], bool], *, timeout: float = 30.0) -> bool:
        """Wait until ``condition(self)`` holds; False if it did not within ``timeout`` seconds.

        The condition is looked at again whenever a request arrives or an exchange ends.
        """
        with self._changed:
            return self._changed.wait_for(lambda: condition(self), timeout)

    def wait_for(self, count: int = 1, *, path_end: str = "", timeout: float = 30.0) -> bool:
        """Wait until ``count`` requests to paths with that ending have arrived."""
        return self.wait(lambda log: len(log.to(path_end)) >= count, timeout=timeout)

    def wait_closed(self, request: RecordedRequest, *, timeout: float = 30.0) -> bool:
        """Wait until the exchange of ``request`` has ended."""
        return self.wait(lambda _: request.closed_at is not None, timeout=timeout)

    @overload
    def __getitem__(self, index: int) -> RecordedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> list[RecordedRequest]: ...
    def __getitem__(self, index: int | slice) -> RecordedRequest | list[RecordedRequest]:
        return self._snapshot()[index]

    def __len__(self) -> int:
        with self._changed:
            return len(self._requests)

    def __iter__(self) -> Iterator[RecordedRequest]:
        return iter(self._snapshot())

    def _snapshot(self) -> list[RecordedRequest]:
        with self._changed:
            return list(self._requests)
