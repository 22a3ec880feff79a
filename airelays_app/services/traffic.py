"""What goes into the optional traffic log: one record per moment of a request."""

from collections.abc import Iterable, Mapping

from airelays_app.services.record import Record
from airelays_app.store.traffic import TrafficLog, TrafficRecord
from airelays_app.upstream.request import OutboundRequest


class Traffic:
    """Writes moments to the log, or nothing at all while it is off (``log`` is None)."""

    def __init__(self, log: TrafficLog | None) -> None:
        self._log = log

    @property
    def is_on(self) -> bool:
        """Whether anything is written."""
        return self._log is not None

    def inbound(
        self, record: Record, *, target: str, headers: Iterable[tuple[str, str]], body: bytes
    ) -> None:
        """A client's request has been read."""
        if self._log:
            moment = TrafficRecord(
                "inbound_request",
                record.request_id,
                method=record.method,
                target=target,
                headers=tuple(headers),
                body=body,
            )
            self._log.write(moment)

    def outbound(
        self, record: Record, *, headers: Iterable[tuple[str, str]], body: bytes | None
    ) -> None:
        """An answer has been given; ``body`` is None for a stream."""
        if self._log:
            moment = TrafficRecord(
                "outbound_response",
                record.request_id,
                status=record.status,
                headers=tuple(headers),
                body=body,
                fields=record.fields(),
            )
            self._log.write(moment)

    def upstream_request(self, record: Record, request: OutboundRequest) -> None:
        """A call goes out."""
        if self._log:
            moment = TrafficRecord(
                "upstream_request",
                record.request_id,
                method=request.method,
                target=request.url,
                headers=tuple(request.headers.items()),
                body=request.body if isinstance(request.body, bytes) else None,
            )
            self._log.write(moment)

    def upstream_response(self, record: Record, status: int, headers: Mapping[str, str]) -> None:
        """An upstream has answered; its body is in the answer that the client gets."""
        if self._log:
            phase = "upstream_response" if 200 <= status < 300 else "upstream_response_error"
            moment = TrafficRecord(
                phase, record.request_id, status=status, headers=tuple(headers.items())
            )
            self._log.write(moment)

    def adapted(self, record: Record) -> None:
        """Parameters were left out on the way."""
        if self._log and record.ignored:
            moment = TrafficRecord(
                "compatibility_adaptation",
                record.request_id,
                fields={"ignored": ",".join(record.ignored)},
            )
            self._log.write(moment)
