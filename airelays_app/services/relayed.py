"""What is relayed as it is: the operations that need no translation, and any call at all.

Nothing is decoded: the client's bytes go to the provider with its credentials instead of the
client's, and what it answers comes back as it comes.
"""

from collections.abc import Iterable, Iterator, Mapping
from socket import socket
from urllib.parse import unquote

from airelays_app.errors import ClientGone, NotFound, RelayError, Unsupported
from airelays_app.providers.base import Provider, Relayed
from airelays_app.services.calls import Calls, passed_headers
from airelays_app.services.pool import Pool
from airelays_app.services.record import Record
from airelays_app.services.routing import ROUTE_HEADER, Route
from airelays_app.upstream.response import UpstreamResponse

TICK_SECONDS = 60.0

HOP_BY_HOP = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    "transfer-encoding upgrade".split()
)
"""Headers about one connection only (RFC 9110, section 7.6.1)."""

_REQUEST_ONLY = HOP_BY_HOP | frozenset(
    "authorization content-length cookie expect forwarded host origin referer x-api-key "
    "x-goog-api-key x-real-ip x-request-id".split()
)
_REQUEST_PREFIXES = ("x-forwarded-", "sec-fetch-", "access-control-")
_ABOUT_THEIR_ORIGIN = frozenset(
    "alt-svc clear-site-data nel report-to reporting-endpoints set-cookie set-cookie2 "
    "strict-transport-security".split()
)
"""What a browser would do to the whole of our address because an upstream says so of its own."""

_SAID_BY_OUR_SERVER = frozenset({"date", "server", "x-request-id"})
_ANSWER_ONLY = HOP_BY_HOP | _ABOUT_THEIR_ORIGIN | _SAID_BY_OUR_SERVER
_ANSWER_PREFIXES = ("access-control-", "x-airelays-")
_FORBIDDEN_IN_SEGMENT = frozenset("/\\\x7f")
_MOST_ENCODINGS = 4


class Relaying:
    """Calls that are relayed as they are."""

    def __init__(self, calls: Calls, pool: Pool) -> None:
        self._calls = calls
        self._pool = pool

    def operation(
        self, route: Route, call: Relayed, record: Record, *, watch: socket | None
    ) -> "RelayedAnswer":
        """Return a successful answer of one of the provider's accounts.

        Raises RelayError with what a refusal said.
        """

        def attempt(candidate: Route) -> RelayedAnswer:
            return self._accepted(candidate, call, record, watch=watch)

        return self._pool.ask(route, attempt, fallbacks=False)

    def _accepted(
        self, route: Route, call: Relayed, record: Record, *, watch: socket | None
    ) -> "RelayedAnswer":
        provider = route.provider
        _describe(record, provider)
        response = self._calls.accepted(
            provider, lambda: provider.relayed(call), record, watch=watch
        )
        headers = {**passed_headers(provider, response), ROUTE_HEADER: route.header}
        if media_type := response.headers.get("content-type"):
            headers["Content-Type"] = media_type
        return RelayedAnswer(response, record, headers=headers)

    def anything(
        self, provider: Provider, call: Relayed, record: Record, *, watch: socket | None
    ) -> "RelayedAnswer":
        """Return the answer, a refusal too; raises Unsupported where the owner has not allowed it.

        Raises NotFound for a target that leads out of the provider's base URL.
        """
        if not provider.passthrough:
            raise Unsupported(
                f"Calls are not relayed to {provider.name} as they are; its owner can allow it "
                f"with the setting providers.{provider.name}.passthrough."
            )
        check_target(call.target)
        _describe(record, provider)
        response = self._calls.answered(
            provider, lambda: provider.relayed(call), record, watch=watch
        )
        return RelayedAnswer(response, record, headers=end_to_end(response.headers.items()))

    def upgrade(
        self, route: Route, call: Relayed, record: Record, *, watch: socket | None
    ) -> UpstreamResponse:
        """Return the answer to a request for another protocol, of one of the accounts.

        Raises RelayError for a refusal.
        """

        def attempt(candidate: Route) -> UpstreamResponse:
            provider = candidate.provider
            _describe(record, provider)
            return self._calls.switched(
                provider, lambda: provider.relayed(call), record, watch=watch
            )

        return self._pool.ask(route, attempt, fallbacks=False)


class RelayedAnswer:
    """An answer on its way: ``headers`` are for the client; iterate once, then close."""

    def __init__(
        self, response: UpstreamResponse, record: Record, *, headers: Mapping[str, str]
    ) -> None:
        self.status = response.status
        self.media_type: str = response.headers.get("content-type", "")
        self.headers = headers
        self._response = response
        self._record = record

    def raw(self) -> Iterator[bytes]:
        """Yield the body in its own encoding, as it comes; raises RelayError when it is cut."""
        return self._pieces(decode=False)

    def plain(self) -> Iterator[bytes]:
        """Yield the body without its content encoding, as it comes."""
        return self._pieces(decode=True)

    def close(self) -> None:
        """Close the upstream's answer; idempotent."""
        self._response.close()

    def _pieces(self, *, decode: bool) -> Iterator[bytes]:
        self._record.outcome = "client_gone"
        try:
            for piece in self._response.pieces(tick=TICK_SECONDS, decode=decode):
                if piece:
                    self._record.sent(len(piece))
                    yield piece
        except RelayError as error:
            self._record.outcome = error.code or error.type
            # The only honest end of bytes that nobody may add to is a broken connection.
            raise ClientGone(error.message) from error
        self._record.outcome = "complete"


def operation_path(provider: Provider, operation: str) -> str:
    """Return where a provider does ``operation``; raises Unsupported if it does not."""
    path = provider.operations.get(operation)
    if path is None:
        raise Unsupported(f"{operation} is not something that {provider.name} offers.")
    return path


def forwarded_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the client's headers that go to the provider: no credential, no address, no hop."""
    listed = list(headers)
    left_out = _REQUEST_ONLY | _named_by_connection(listed)
    return {
        name: value
        for name, value in listed
        if name.lower() not in left_out and not name.lower().startswith(_REQUEST_PREFIXES)
    }


def end_to_end(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the answer's headers that go to the client: no cookie, no hop, no CORS of theirs.

    Nor those that only the relay itself may say.
    """
    listed = list(headers)
    left_out = _ANSWER_ONLY | _named_by_connection(listed) | _untrue_length(listed)
    return {
        name: value
        for name, value in listed
        if name.lower() not in left_out and not name.lower().startswith(_ANSWER_PREFIXES)
    }


def check_target(target: str) -> None:
    """Raise NotFound unless ``target``, a raw path with its query, stays below a base URL.

    That rules out dot segments, slashes and controls in disguise (also doubly encoded), and
    anything that could be read as another address.
    """
    path = target.partition("?")[0]
    segments = path.split("/")
    if segments[0] or len(segments) < 2 or "" in segments[1:-1]:
        raise _leads_astray()
    for segment in segments[1:]:
        plain = _fully_unquoted(segment)
        disguised = any(letter < " " or letter in _FORBIDDEN_IN_SEGMENT for letter in plain)
        if disguised or plain.partition(";")[0].strip() in (".", ".."):
            raise _leads_astray()


def _fully_unquoted(segment: str) -> str:
    for _ in range(_MOST_ENCODINGS):
        plain = unquote(segment, errors="replace")
        if plain == segment:
            return plain
        segment = plain
    raise _leads_astray()


def _leads_astray() -> NotFound:
    return NotFound("This path leads out of the provider's address.")


def _named_by_connection(headers: list[tuple[str, str]]) -> frozenset[str]:
    """Return the header names that Connection declares to be about this hop."""
    values = (value for name, value in headers if name.lower() == "connection")
    return frozenset(word.strip().lower() for value in values for word in value.split(","))


def _untrue_length(headers: list[tuple[str, str]]) -> frozenset[str]:
    """Return the name of the length if it does not count, or is said twice (RFC 9112, 6.3)."""
    said = {name.lower(): value for name, value in headers}
    is_true = "transfer-encoding" not in said and said.get("content-length", "").isdecimal()
    return frozenset() if is_true else frozenset({"content-length"})


def without_key(query: str) -> str:
    """Return a raw query string without ``key``, in which clients put their relay token."""
    kept = [pair for pair in query.split("&") if unquote(pair.partition("=")[0]) != "key"]
    return "&".join(kept)


def below_base(base_path: str, tail: str) -> str:
    """Return the target below a base URL whose path is ``base_path``.

    A ``v1/`` that the base already ends with may be said again.
    """
    version = base_path.rstrip("/").rpartition("/")[2]
    first, slash, rest = tail.partition("/")
    return f"/{rest}" if version and first == version and slash else f"/{tail}"


def _describe(record: Record, provider: Provider) -> None:
    record.provider = provider.name
    record.attempts += 1
