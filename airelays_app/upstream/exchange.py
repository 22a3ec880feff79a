"""One request and the head of its answer, on a pooled connection or a fresh one."""

import socket
from collections.abc import Callable, Iterable
from http import HTTPStatus
from itertools import chain

from urllib3.connectionpool import HTTPConnectionPool

from airelays_app.errors import UpstreamCut, UpstreamError
from airelays_app.upstream.adapter import RelayConnection
from airelays_app.upstream.address import Address
from airelays_app.upstream.body import body_of, keeps_alive
from airelays_app.upstream.connecting import open_connection
from airelays_app.upstream.head import Head, HeadParser
from airelays_app.upstream.pooling import give_back, take
from airelays_app.upstream.request import OutboundRequest
from airelays_app.upstream.response import UpstreamResponse
from airelays_app.upstream.waiting import TICK_SECONDS
from airelays_app.upstream.wire import Wire

_JOINED_BODY = 65_536
"""Up to this size a body is copied behind its head, so that both leave in one write."""


class Exchange:
    """``head`` is what ``request`` begins with on the wire; ``watch`` is the client's socket.

    ``on_tick`` is called for each second in which the answer's head has not come.
    """

    __slots__ = ("_address", "_conn", "_head", "_on_tick", "_parser", "_pool", "_request", "_watch")

    def __init__(
        self,
        request: OutboundRequest,
        *,
        address: Address,
        head: bytes,
        pool: HTTPConnectionPool,
        watch: socket.socket | None,
        on_tick: Callable[[], None],
    ) -> None:
        self._request = request
        self._address = address
        self._pool = pool
        self._watch = watch
        self._on_tick = on_tick
        self._head = head
        self._conn: RelayConnection = take(pool)
        self._parser = HeadParser()

    def run(self) -> UpstreamResponse:
        """Return the answer; its connection goes back to the pool when the body was read.

        A pooled connection that proves to be dead is replaced once, as long as no byte of an
        answer has come: the upstream may have closed it while the request was on its way.
        """
        reused = not self._conn.is_closed
        try:
            try:
                return self._attempt()
            except UpstreamCut:
                if not reused or self._parser.started:
                    raise
            self._conn.close()
            return self._attempt()
        except BaseException:
            self._release(reusable=False)
            raise

    def _attempt(self) -> UpstreamResponse:
        wire = self._wire()
        refused = self._send(wire)
        head, arrived = refused or self._receive_head(wire)
        if head.status == HTTPStatus.SWITCHING_PROTOCOLS and not self._asks_to_switch():
            raise UpstreamError(f"{self._address.host} switched the protocol unasked.")
        return UpstreamResponse(
            head,
            body=body_of(head, method=self._request.method),
            arrived=arrived,
            wire=wire,
            reusable=not refused and keeps_alive(head),
            host=self._address.host,
            release=self._release,
        )

    def _wire(self) -> Wire:
        request = self._request
        if self._conn.is_closed:
            open_connection(
                self._conn,
                pool=self._pool,
                address=self._address,
                timeout=request.connect_timeout,
                watch=self._watch,
            )
        return Wire(
            self._conn.sock,
            watch=self._watch,
            host=self._address.host,
            read_timeout=request.read_timeout,
        )

    def _send(self, wire: Wire) -> tuple[Head, bytes] | None:
        """Send the request; return the answer's head if it came before all was taken.

        A refusal may come while a large body is still on its way; the rest is then not sent.
        Interim answers (100, 102) change nothing.
        """
        for data in self._to_send():
            rest = memoryview(data)
            while rest:
                rest, early = wire.send(rest)
                parsed = self._parser.feed(early) if early else None
                if parsed is not None:
                    return parsed
        return None

    def _to_send(self) -> Iterable[bytes]:
        body = self._request.body
        if body is None:
            return (self._head,)
        if not isinstance(body, bytes):
            return chain((self._head,), body.chunks())
        return (self._head + body,) if len(body) <= _JOINED_BODY else (self._head, body)

    def _receive_head(self, wire: Wire) -> tuple[Head, bytes]:
        """Wait for the final head; return it with the bytes of the body that came along."""
        while True:
            data = wire.receive(TICK_SECONDS)
            if data is None:
                self._on_tick()
                continue
            if not data:
                raise UpstreamCut(f"{self._address.host} closed the connection without an answer.")
            parsed = self._parser.feed(data)
            if parsed is not None:
                return parsed

    def _asks_to_switch(self) -> bool:
        return any(name.lower() == "upgrade" for name in self._request.headers)

    def _release(self, *, reusable: bool) -> None:
        give_back(self._conn, self._pool, reusable=reusable)
