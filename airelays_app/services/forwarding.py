"""What goes on as it came, between client and provider: headers, paths and queries."""

from collections.abc import Iterable
from urllib.parse import unquote

from airelays_app.errors import NotFound

_HOP_BY_HOP = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    "transfer-encoding upgrade".split()
)
"""Headers about one connection only (RFC 9110, section 7.6.1)."""

_REQUEST_ONLY = _HOP_BY_HOP | frozenset(
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
_ANSWER_ONLY = _HOP_BY_HOP | _ABOUT_THEIR_ORIGIN | _SAID_BY_OUR_SERVER
_ANSWER_PREFIXES = ("access-control-", "x-airelays-")
_FORBIDDEN_IN_SEGMENT = frozenset("/\\\x7f")
_MOST_ENCODINGS = 4


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
