"""What of a request or an answer may be written down.

Without bodies, redaction is by allow-list: only the values of listed headers, query parameters
and fields are kept, and of those only short plain words and numbers; everything else becomes its
shape (``<string 43>``). With bodies the texts are kept, and what is or looks like a credential,
file data or an image is replaced by its size (and, for data, its SHA-256). That is the best that
can be done with free text: a secret without a telling name, shape or neighbour stays.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from airelays_app.framing import jsontext
from airelays_app.ids import is_request_id
from airelays_app.store.secret_patterns import is_credential_name, is_data_name, without_secrets

ALLOWED_HEADERS = frozenset(
    """
    accept accept-encoding allow anthropic-beta anthropic-version cache-control connection
    content-encoding content-length content-type date host openai-beta openai-processing-ms
    openai-version originator request-id retry-after transfer-encoding upgrade user-agent vary
    x-accel-buffering x-request-id x-should-retry
    """.split()
)
ALLOWED_HEADER_PREFIXES = ("access-control-", "x-airelays-", "x-ratelimit-", "x-stainless-")
ALLOWED_PARAMETERS = frozenset("after alt client_version limit order purpose raw stream".split())
ALLOWED_FIELDS = frozenset(
    """
    account_count action attempt attempts bytes cached_tokens candidates_token_count code
    completion_tokens created created_at detail dialect duration_seconds effort elapsed_seconds
    error_class expires_in finish_reason frequency_penalty index input_tokens lane
    max_completion_tokens max_output_tokens max_tokens model n object order output_index
    output_tokens param parallel_tool_calls phase presence_penalty prompt_token_count
    prompt_tokens provider reason reasoning_effort reasoning_tokens retry_after role route
    sequence_number service_tier status status_code stop_reason store stream temperature
    tool_choice top_k top_logprobs top_p total_token_count total_tokens truncation type verbosity
    """.split()
)
CLOSED_OBJECTS = frozenset(
    """
    args arguments functionCall functionResponse function_call function_response input
    input_schema json_schema metadata parameters properties schema
    """.split()
)

_NAMES_HEADER = "x-airelays-ignored-parameters"
"""Its value is the names of a client's fields, which are as good a place for text as any."""

_ID_HEADERS = frozenset({"x-request-id", "request-id"})
_LONGEST_VALUE = 200
_DEEPEST = 16
_MOST_ENTRIES = 200
_LONGEST_WORD = 40
_HUMPS = r"[A-Za-z]?[a-z]{1,16}(?:[A-Z][a-z]{1,16})*[A-Z]?"
_NAME = re.compile(rf"{_HUMPS}(?:[_.-](?:{_HUMPS}|b64|[0-9]{{1,4}}))*|b64_json", re.ASCII)
_PIECE = r"(?:(?:[A-Z]?[a-z]{1,16}|[A-Z]{1,16})[0-9]{0,4}[a-z]{0,4}|[0-9]{1,8}[A-Za-z]?)"
_PLAIN_VALUE = re.compile(rf"/?{_PIECE}(?:[._:/-]{_PIECE})*", re.ASCII)
_OWN_ID = re.compile(r"[a-z]{2,10}_[0-9a-f]{32,64}", re.ASCII)


def header_values(headers: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return name and value, or the value's shape, of each header in order."""
    return [[_name(name.lower()), _header_value(name.lower(), value)] for name, value in headers]


def target(url: str) -> dict[str, Any]:
    """Return origin, path and query of a URL or request target, without what it may hide."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        origin = f"{parts.scheme}://{host}" if parts.scheme and host else ""
    except ValueError:
        return {"path": _string_shape(url)}
    query = [
        [_name(name), _parameter_value(name, value)]
        for name, value in parse_qsl(parts.query, keep_blank_values=True)[:_MOST_ENTRIES]
    ]
    found: dict[str, Any] = {"path": origin + path(parts.path)}
    return found | {"query": query} if query else found


def path(text: str) -> str:
    """Return a path with the segments replaced that are no words, ids of ours or model names."""
    return "/".join([_segment(segment) for segment in text.split("/")])


def fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``values`` with the allowed ones kept and the shapes of the others."""
    return {_name(name): _shape(value, name, 0) for name, value in values.items()}


def word(value: str) -> str:
    """Return a value that is a short plain word, version or path of such; else its shape."""
    plain = len(value) <= _LONGEST_WORD and _PLAIN_VALUE.fullmatch(value)
    return value if plain else _string_shape(value)


def body_shape(body: bytes, content_type: str) -> dict[str, Any]:
    """Return size, SHA-256 and, of JSON, the shape with its allowed values."""
    summary = _summary(body)
    if not body:
        return {"kind": "empty", **summary}
    parsed, value = _json(body, content_type)
    if parsed:
        return {"kind": "json", **summary, "json": _shape(value, "", 0)}
    return {"kind": "binary" if _is_binary(body) else "text", **summary}


def body_text(body: bytes, content_type: str) -> dict[str, Any]:
    """Return size, SHA-256 and the content; of uploads and binary data size and SHA-256 only."""
    summary = _summary(body)
    if not body:
        return {"kind": "empty", **summary}
    parsed, value = _json(body, content_type)
    if parsed:
        return {"kind": "json", **summary, "json": _content(value, "")}
    if _is_binary(body) or not _is_readable(content_type):
        return {"kind": "binary", **summary}
    lines = [_line_content(line) for line in body.decode().split("\n")]
    return {"kind": "text", **summary, "text": without_secrets("\n".join(lines))}


def _summary(body: bytes) -> dict[str, Any]:
    return {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def _json(body: bytes, content_type: str) -> tuple[bool, Any]:
    if content_type and "json" not in content_type.lower():
        return False, None
    try:
        return True, jsontext.loads(body)
    except jsontext.JsonTextError:
        return False, None


def _is_binary(body: bytes) -> bool:
    try:
        return "\0" in body.decode()
    except UnicodeDecodeError:
        return True


def _is_readable(content_type: str) -> bool:
    """Tell whether text of this type may be written down: a multipart body carries files."""
    kind = content_type.lower()
    return not kind or "json" in kind or kind.startswith(("text/event-stream", "text/plain"))


def _header_value(name: str, value: str) -> str:
    if name == _NAMES_HEADER:
        return ",".join([_name(each) for each in value.split(",")])
    if name in _ID_HEADERS and not is_request_id(value):
        return _string_shape(value)
    allowed = name in ALLOWED_HEADERS or name.startswith(ALLOWED_HEADER_PREFIXES)
    return without_secrets(value)[:_LONGEST_VALUE] if allowed else _string_shape(value)


def _parameter_value(name: str, value: str) -> str:
    return word(value) if name in ALLOWED_PARAMETERS else _string_shape(value)


def _segment(segment: str) -> str:
    """Return a path segment that is a word, an id of ours or ``model:verb``; else its shape."""
    if not segment or _OWN_ID.fullmatch(segment):
        return segment
    stem, colon, verb = segment.partition(":")
    return f"{word(stem)}{colon}{_name(verb)}" if colon else word(stem)


def _name(name: str) -> str:
    """Return a name that looks like one; a key is as good a place for a secret as a value."""
    plausible = len(name) <= _LONGEST_WORD and _NAME.fullmatch(name)
    return name if plausible else f"<name {len(name)}>"


def _shape(value: Any, name: str, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return word(value) if name in ALLOWED_FIELDS else _string_shape(value)
    if isinstance(value, int | float):
        return value if name in ALLOWED_FIELDS else "<number>"
    if depth >= _DEEPEST:
        return "<deeper>"
    if isinstance(value, Mapping):
        closed = name in CLOSED_OBJECTS
        return f"<object {len(value)}>" if closed else _object_shape(value, depth + 1)
    if isinstance(value, list | tuple):
        return _array_shape(value, "" if name == "input" else name, depth + 1)
    return f"<{type(value).__name__}>"


def _array_shape(value: Sequence[Any], name: str, depth: int) -> list[Any]:
    kept = [_shape(entry, name, depth) for entry in value[:_MOST_ENTRIES]]
    return kept if len(value) <= _MOST_ENTRIES else [*kept, f"<{len(value)} entries>"]


def _object_shape(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for index, (key, entry) in enumerate(value.items()):
        if index == _MOST_ENTRIES:
            found["<more>"] = f"<{len(value)} entries>"
            break
        name = _name(str(key))
        found[f"{name} {index}" if name in found else name] = _shape(entry, str(key), depth)
    return found


def _string_shape(value: str) -> str:
    return f"<string {len(value)}>"


def _content(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return {
            without_secrets(str(key)): _content(entry, str(key)) for key, entry in value.items()
        }
    if isinstance(value, list):
        return [_content(entry, name) for entry in value]
    if not isinstance(value, str):
        return value
    if is_credential_name(name):
        return f"<credential {len(value)}>"
    if is_data_name(name):
        digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
        return f"<data {len(value)} sha256 {digest}>"
    return without_secrets(_embedded_content(value))


def _line_content(line: str) -> str:
    """Redact the JSON of a ``data:`` line of an event stream by its names."""
    field, colon, value = line.partition(":")
    return f"{field}:{_embedded_content(value)}" if colon and field == "data" else line


def _embedded_content(text: str) -> str:
    """Redact JSON inside a string by its names, as tool arguments are; keep any other text."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        value = jsontext.loads(text.encode("utf-8", "surrogatepass"))
    except jsontext.JsonTextError:
        return text
    return jsontext.dumps(_content(value, "")).decode()
