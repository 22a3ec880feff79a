"""One outbound HTTP request as a value, and the bytes it becomes on the wire."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from airelays_app.errors import UpstreamError
from airelays_app.upstream.address import Address
from airelays_app.upstream.head import field_name

_DECIDED_HERE = frozenset({"content-length", "transfer-encoding"})


class Payload(Protocol):
    """A body that is not held in memory, ``length`` bytes long."""

    length: int

    def chunks(self) -> Iterator[bytes]:
        """Yield the body from its beginning, again for each attempt."""
        ...


@dataclass(frozen=True, slots=True)
class OutboundRequest:
    """What is sent to an upstream; ``body`` is sent with its Content-Length, never chunked.

    ``read_timeout`` is the longest silence in seconds, before the headers and within the body.
    ``stream`` asks for ``Accept-Encoding: identity``, because compressed events would be held
    back by the compressor; otherwise gzip and deflate are accepted. ``socket_path`` names a UNIX
    socket that is used instead of the host and port of ``url``. ``ca_bundle`` is trusted besides
    what the client trusts.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | Payload | None = field(default=None, repr=False)
    connect_timeout: float = 10.0
    read_timeout: float = 600.0
    stream: bool = True
    socket_path: str | None = None
    ca_bundle: str | None = None


def request_head(
    request: OutboundRequest,
    *,
    address: Address,
    target: str,
    user_agent: str,
    extra: Mapping[str, str],
) -> bytes:
    """Return the request line and the headers, ``extra`` among them, ready to be sent.

    ``Content-Length`` and ``Transfer-Encoding`` of the caller are replaced by the length of the
    body; ``Host``, ``Accept-Encoding`` and ``User-Agent`` are added where the caller has none.
    Raises UpstreamError for a method, name or value that cannot stand in a header.
    """
    lines = [f"{request.method} {target} HTTP/1.1"]
    given = set()
    for name, value in request.headers.items():
        known_as = field_name(name)
        if known_as not in _DECIDED_HERE:
            given.add(known_as)
            lines.append(f"{name}: {value}")
    lines += [f"{name}: {value}" for name, value in extra.items()]
    if "host" not in given:
        lines.append(f"Host: {address.host_header}")
    if "accept-encoding" not in given:
        lines.append(f"Accept-Encoding: {'identity' if request.stream else 'gzip, deflate'}")
    if "user-agent" not in given:
        lines.append(f"User-Agent: {user_agent}")
    if request.body is not None or request.method in {"POST", "PUT", "PATCH"}:
        lines.append(f"Content-Length: {_length(request.body)}")
    return _encoded(lines)


def _length(body: bytes | Payload | None) -> int:
    if body is None:
        return 0
    return len(body) if isinstance(body, bytes) else body.length


def _encoded(lines: list[str]) -> bytes:
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1 or "\0" in text:
        raise UpstreamError("A header for the upstream has a line break or a zero byte in it.")
    try:
        return text.encode("latin-1") + b"\r\n\r\n"
    except UnicodeEncodeError:
        raise UpstreamError(
            "A header for the upstream has a character that HTTP cannot carry; "
            "look for typographic quotes or dashes in the configured keys."
        ) from None
