"""Requests as no client would send them, generated: each one is the bytes of one connection.

Most are nearly right, because those get furthest: a known route, known fields and one thing that
is wrong. Ids are written as ``{conversation}`` and ``{file}`` in paths, to be filled in.
"""

import copy
import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import zstandard
from hypothesis import strategies as st

from tests.hostile.fields import LEAST, PATHS, RICH, SAYING, TYPES
from tests.web.routes import ROUTES, TAKES_JSON

_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
_PROMPTS = _TEXT.map(lambda text: text.replace("[[", "("))
"""Double brackets would steer the sandbox."""
_NUMBERS = st.one_of(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, -1, 1, 2**31, 2**63, 2**64, 10**40, 1e308]),
)
_NUMERALS = st.sampled_from(["9" * 5000, "9" * 19, "-1", "1e999", "1.5", "\u0663"])
"""Numbers as words, some of which Python will not read."""
_ADDRESSES = st.sampled_from(["http://[", "https://x:port/a", "data:,", "data:;base64,%", "//"])
"""Addresses, most of which nothing can read."""
_LEAVES = st.one_of(st.none(), st.booleans(), _NUMBERS, _NUMERALS, _ADDRESSES, _PROMPTS)
_WORDS = st.sampled_from(
    "type role content text id call_id name arguments output function tool_calls image_url "
    "file_id input_text message user assistant tool system function_call reasoning summary "
    "encrypted_content json_schema format schema properties strict auto none required".split()
)
_JSON = st.recursive(
    _LEAVES | _WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS | _TEXT, inner, max_size=4),
    max_leaves=12,
)
_LATIN = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60)
_CODINGS = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.compress,
    "br": bytes,
}
_BOUNDARY = "fuzz"
_FORM = "multipart/form-data; boundary=" + _BOUNDARY
_TYPES = ("application/json", "text/plain", _FORM, "application/x-www-form-urlencoded", "")
_HEADER_NAMES = (
    "Accept Authorization Connection Content-Encoding Content-Length Content-Type Cookie Expect "
    "Host If-None-Match Origin Range TE Trailer Transfer-Encoding Upgrade User-Agent "
    "X-Api-Key X-Forwarded-For X-Request-Id anthropic-version session_id"
).split()


@dataclass(frozen=True, slots=True)
class Sent:
    """What is sent; ``is_whole`` says that an answer must come, whatever it is."""

    data: bytes
    method: str
    is_whole: bool


@st.composite
def _generation_bodies(draw: st.DrawFn) -> tuple[str, bytes]:
    """A path and a body of a generation route with some of its fields."""
    route = draw(st.sampled_from(sorted(TYPES)))
    prefix = draw(st.sampled_from(["/v1", "/no-tools/v1"]))
    model = draw(st.sampled_from(["gpt-5.5", "box/sandbox-small", "box/none"]) | _TEXT)
    body = {"model": model, **SAYING[route], "stream": draw(st.booleans())}
    for name in draw(st.lists(st.sampled_from(sorted(TYPES[route])), max_size=4)):
        body[name] = draw(_JSON)
    if draw(st.booleans()):
        body |= draw(st.dictionaries(_TEXT, _JSON, max_size=2))
    return f"{prefix}/{route}", json.dumps(body).encode()


@st.composite
def spoilt_bodies(
    draw: st.DrawFn, dialects: tuple[str, ...] = tuple(sorted(RICH))
) -> tuple[str, bytes]:
    """A dialect and a rich body of it in which a value or two, anywhere, are others."""
    dialect = draw(st.sampled_from(dialects))
    chosen = draw(st.lists(st.sampled_from(sorted(RICH[dialect])), unique=True))
    rich = {name: RICH[dialect][name] for name in chosen}
    body = copy.deepcopy({**LEAST[dialect], **rich})
    for _ in range(draw(st.integers(1, 2))):
        container, key = draw(st.sampled_from(list(_places(body))))
        container[key] = draw(_JSON)
    model = draw(st.sampled_from(["gpt-5.5", "box/sandbox-small"]))
    whole = {"model": model, "stream": draw(st.booleans()), **body}
    return dialect, json.dumps(whole).encode()


@st.composite
def _spoilt_requests(draw: st.DrawFn) -> tuple[str, bytes]:
    dialect, body = draw(spoilt_bodies())
    prefix = draw(st.sampled_from(["", "", "", "/no-tools"]))
    return f"{prefix}{PATHS[dialect]}", body


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container with each of its keys."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


@st.composite
def _conversation_bodies(draw: st.DrawFn) -> tuple[str, bytes]:
    path = draw(st.sampled_from(["", "/{conversation}", "/{conversation}/items", "/none"]))
    fields = st.fixed_dictionaries({}, optional={"metadata": _JSON, "items": _JSON})
    turns = st.lists(st.dictionaries(_WORDS, _JSON, max_size=4), max_size=3)
    body = draw(fields | turns.map(lambda items: {"items": items}))
    return f"/v1/conversations{path}", json.dumps(body).encode()


@st.composite
def _forms(draw: st.DrawFn) -> tuple[str, bytes]:
    """An upload; most are well-formed."""
    parts = []
    for name in draw(st.lists(st.sampled_from(["file", "purpose", "other"]), max_size=3)):
        filename = draw(_LATIN.map(lambda text: text.replace('"', ""))) if name == "file" else None
        label = "" if filename is None else f'; filename="{filename}"'
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{label}\r\n\r\n'
        parts.append(head.encode("latin-1") + draw(st.binary(max_size=300)) + b"\r\n")
    return "/v1/files", b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()


_QUERIES = st.tuples(
    st.sampled_from(
        "after after_id alt before_id limit order pageSize pageToken purpose raw starting_after "
        "stream".split()
    ),
    _NUMERALS | _WORDS,
).map(lambda pair: f"?{pair[0]}={quote(pair[1])}")
_TARGETS = st.one_of(
    st.sampled_from(ROUTES).map(lambda route: route[1]),
    st.tuples(
        st.sampled_from(["/v1/models", "/v1beta/models", "/v1/files", "/v1/batches"]), _QUERIES
    ).map("".join),
    st.sampled_from(
        ["/v1/conversations/{conversation}/items", "/v1/files/{file}", "/v1/files/{file}/content"]
    ),
    st.tuples(
        st.sampled_from(["/v1/", "/v1/models/", "/v1/files/", "/", "//", "/v1beta/", "/assets/"]),
        st.text(st.sampled_from("ab/%.2e0f;?=&#\\\x7f+~{}<>\"'* "), max_size=30),
    ).map("".join),
)
_METHODS = st.sampled_from("GET GET DELETE HEAD OPTIONS PUT PATCH TRACE BREW POST".split())
_ODD_HEADERS = st.lists(st.tuples(st.sampled_from(_HEADER_NAMES), _LATIN), min_size=1, max_size=2)


def _anywhere(body: bytes) -> st.SearchStrategy[tuple[str, bytes]]:
    return st.sampled_from(TAKES_JSON).map(lambda route: (route[1], body))


_BODIES = st.one_of(
    _spoilt_requests(),
    _spoilt_requests(),
    _spoilt_requests(),
    _generation_bodies(),
    _conversation_bodies(),
    (st.binary(max_size=200) | _JSON.map(lambda value: json.dumps(value).encode())).flatmap(
        _anywhere
    ),
)


def _mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """Return ``data`` with a piece of it replaced."""
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 20)))
    return data[:start] + draw(st.binary(max_size=8)) + data[end:]


_FLAWS = ("body",) * 8 + (
    *("method", "path", "type", "coding", "bytes", "header", "chunks", "length", "framing"),
)
"""What is wrong with a request beside its body; only one thing, or nothing would get far."""


@st.composite
def requests(draw: st.DrawFn, token: str) -> Sent:
    """One connection's worth of bytes."""
    flaw = draw(st.sampled_from(_FLAWS))
    form = draw(st.integers(0, 9)) == 0
    path, body = draw(_forms() if form else _BODIES)
    path = draw(_TARGETS) if flaw == "path" else path
    method = draw(_METHODS) if flaw in ("method", "path") else "POST"
    kind = draw(st.sampled_from(_TYPES)) if flaw == "type" else _FORM if form else _TYPES[0]
    body = _mutated(draw, body) if flaw == "bytes" else body
    headers = [("Host", "relay.test"), ("Authorization", f"Bearer {token}"), ("Content-Type", kind)]
    if flaw == "coding":
        coding = draw(st.sampled_from(sorted(_CODINGS)))
        body = _CODINGS[coding](body)
        body = _mutated(draw, body) if draw(st.booleans()) else body
        headers.append(("Content-Encoding", coding))
    odd = draw(_ODD_HEADERS) if flaw == "header" else []
    data = _framed(draw, flaw, [f"{method} {path} HTTP/1.1"], [*headers, *odd], body)
    is_whole = flaw not in ("length", "framing") and not _alters_framing(odd)
    return Sent(data, method, is_whole)


def _framed(
    draw: st.DrawFn, flaw: str, lines: list[str], headers: list[tuple[str, str]], body: bytes
) -> bytes:
    """Put a request together: with its length, or in chunks, or wrongly."""
    if flaw == "chunks":
        size = draw(st.integers(1, 64))
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        headers = [*headers, ("Transfer-Encoding", "chunked")]
    else:
        length = len(body) + (draw(st.integers(-5, 5)) if flaw == "length" else 0)
        headers = [*headers, ("Content-Length", str(length))]
    lines = [*lines, *(f"{name}: {value}" for name, value in headers)]
    data = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body
    return _mutated(draw, data) if flaw == "framing" else data


def _alters_framing(headers: list[tuple[str, str]]) -> bool:
    """Whether a header changes where the request ends, or when its body may be sent."""
    framing = {"Content-Length", "Transfer-Encoding", "Expect", "Connection", "Host"}
    return any(name in framing for name, _ in headers)
