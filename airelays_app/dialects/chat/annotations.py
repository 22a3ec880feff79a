"""Annotations: nested in Chat Completions, flat in the neutral events (OpenAI API reference)."""

from airelays_app.dialects.base import Json

_CITATION = "url_citation"


def annotation_in(raw: Json) -> Json:
    """Return an annotation of this dialect in the flat form."""
    nested = raw.get(_CITATION)
    return {"type": _CITATION, **nested} if isinstance(nested, dict) else raw


def annotations_out(annotations: list[Json]) -> list[Json]:
    """Return the annotations that this dialect has: citations of web pages."""
    return [
        {"type": _CITATION, _CITATION: {k: v for k, v in raw.items() if k != "type"}}
        for raw in annotations
        if raw.get("type") == _CITATION
    ]
