"""The error object in an upstream's error answer or stream event, whatever its shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airelays_app.framing.jsontext import JsonTextError, loads

_ENVELOPE_KEYS = frozenset({"message", "type", "code", "param"})
_EVENT_KEYS = frozenset({"sequence_number", "event_id"})
"""Keys that belong to the event, where an event is its own error object."""


@dataclass(frozen=True, slots=True)
class UpstreamErrorBody:
    """What an error object says; everything is optional. ``fields`` is the object itself."""

    message: str | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def labels(self) -> frozenset[str]:
        """Return the words that name the error, in lower case; ``reason`` is one of a detail."""
        details = self.fields.get("details")
        entries = details if isinstance(details, list) else ()
        reasons = (entry.get("reason") for entry in entries if isinstance(entry, Mapping))
        named = (self.code, self.type, self.fields.get("status"), *reasons)
        return frozenset(word.lower() for word in map(_text, named) if word)

    @property
    def extra(self) -> dict[str, Any]:
        """Return the further keys of the error object."""
        return {key: value for key, value in self.fields.items() if key not in _ENVELOPE_KEYS}


def error_in_body(body: bytes) -> UpstreamErrorBody:
    """Return the error in the body of an error answer; an empty one if there is none.

    Known shapes: ``{"error": {...}}``, the same inside an array, ``{"error": "..."}`` with or
    without ``error_description``, ``{"detail": "..."}``, ``{"detail": [{"msg": ...}]}``,
    ``{"errors": [{...}]}`` and a bare ``{"message": ...}``.
    """
    try:
        value = loads(body)
    except JsonTextError:
        return UpstreamErrorBody()
    if isinstance(value, list):
        value = next((item for item in value if isinstance(item, dict)), None)
    return _error_of(value) if isinstance(value, dict) else UpstreamErrorBody()


def error_in_event(event: Mapping[str, Any]) -> UpstreamErrorBody:
    """Return the error in a stream event: ``error``, else ``response.error``, else the event."""
    response = event.get("response")
    for holder in (event, response):
        if isinstance(holder, Mapping) and isinstance(holder.get("error"), Mapping):
            return _from_object(holder["error"])
    if isinstance(event.get("error"), str):
        return _error_of(event)
    return _from_object({key: event[key] for key in event.keys() - _EVENT_KEYS})


def _error_of(answer: Mapping[str, Any]) -> UpstreamErrorBody:
    error = answer.get("error")
    if isinstance(error, Mapping):
        return _from_object(error)
    if isinstance(error, str):
        return _from_words(error, _text(answer.get("error_description")))
    errors = answer.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], Mapping):
        return _from_object(errors[0])
    if "detail" in answer:
        return UpstreamErrorBody(message=_detail(answer["detail"]))
    return _from_object(answer)


def _from_object(error: Mapping[str, Any]) -> UpstreamErrorBody:
    """Read an error object; a numeric ``code`` gives way to the word in ``status``."""
    code = error.get("code")
    if isinstance(code, int) and not isinstance(code, bool):
        code = _text(error.get("status")) or str(code)
    kind = _text(error.get("type"))
    return UpstreamErrorBody(
        message=_text(error.get("message")),
        type=None if kind == "error" else kind,
        code=_text(code),
        param=_text(error.get("param")),
        fields=error,
    )


def _from_words(error: str, description: str | None) -> UpstreamErrorBody:
    """Read an error that is a sentence, or a label with its description."""
    if description is None:
        return UpstreamErrorBody(message=_text(error))
    return UpstreamErrorBody(message=description, code=_text(error))


def _detail(detail: Any) -> str | None:
    """Return the text of a ``detail``, which may be a list of findings with ``loc`` and ``msg``."""
    if not isinstance(detail, list):
        return _text(detail.get("message") if isinstance(detail, Mapping) else detail)
    found = [item for item in detail if isinstance(item, Mapping)]
    return "; ".join(_finding(item) for item in found if _text(item.get("msg"))) or None


def _finding(item: Mapping[str, Any]) -> str:
    place = item.get("loc")
    where = ".".join(str(step) for step in place) if isinstance(place, list) else ""
    return f"{where}: {item['msg']}" if where else str(item["msg"])


def _text(value: Any) -> str | None:
    """Return ``value`` if it is a string that says something."""
    return value if isinstance(value, str) and value.strip() else None
