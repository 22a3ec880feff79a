"""Sources of a text: flat annotations of single places in the neutral events, tables on this wire.

``groundingMetadata`` lists the pages and which bytes of the text rest on which of them;
``citationMetadata`` tells of text that stands elsewhere too. Places are counted in bytes of UTF-8
(API reference, "GroundingMetadata" and "CitationMetadata", seen 2026-11-25).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from airelays_app.dialects.base import Json

_PAGES = ("web", "retrievedContext", "maps")


def annotations_in(candidate: Json, texts: Iterable[str]) -> Iterator[Json]:
    """Yield an annotation for each source that ``candidate`` gives for the text in ``texts``.

    It is put together only for a source: nearly every event of a stream has none.
    """
    sources = list(_sources(candidate))
    encoded = "".join(texts).encode("utf-8", "surrogatepass") if sources else b""
    for source, segment in sources:
        start, end = _place(segment, len(encoded))
        yield {
            "type": "url_citation",
            "url": str(source.get("uri") or ""),
            "title": str(source.get("title") or ""),
            "start_index": _characters(encoded[:start]),
            "end_index": _characters(encoded[:end]),
        }


def grounding_out(annotations: Iterable[tuple[int, str, Json]]) -> Json:
    """Return the candidate's fields for annotations of web pages; empty without any.

    Each comes with the number of the part that it is in and with its text.
    """
    chunks: list[Json] = []
    supports: list[Json] = []
    for part, text, annotation in annotations:
        if annotation.get("type") != "url_citation":
            continue
        web = {"uri": annotation.get("url") or "", "title": annotation.get("title") or ""}
        if {"web": web} not in chunks:
            chunks.append({"web": web})
        segment = _segment(part, text, annotation)
        indices = [chunks.index({"web": web})]
        supports.append({"segment": segment, "groundingChunkIndices": indices})
    if not chunks:
        return {}
    return {"groundingMetadata": {"groundingChunks": chunks, "groundingSupports": supports}}


def _sources(candidate: Json) -> Iterator[tuple[Json, Json]]:
    grounding = candidate.get("groundingMetadata") or {}
    chunks = grounding.get("groundingChunks") or []
    for support in grounding.get("groundingSupports") or ():
        for index in support.get("groundingChunkIndices") or ():
            if 0 <= index < len(chunks) and (page := _page(chunks[index])):
                yield page, support.get("segment") or {}
    citations = candidate.get("citationMetadata") or {}
    for citation in citations.get("citationSources") or citations.get("citations") or ():
        if citation.get("uri"):
            yield citation, citation


def _page(chunk: Json) -> Json | None:
    return next((chunk[kind] for kind in _PAGES if isinstance(chunk.get(kind), Mapping)), None)


def _place(segment: Json, length: int) -> tuple[int, int]:
    """Return the first and the last byte; zeros are left out, and no end means the whole text."""
    start, end = segment.get("startIndex") or 0, segment.get("endIndex") or length
    return max(0, min(start, length)), max(0, min(end, length))


def _characters(encoded: bytes) -> int:
    """Count the characters; a place within one is taken for its beginning."""
    return len(encoded.decode("utf-8", "ignore"))


def _segment(part: int, text: str, annotation: Json) -> Json:
    start, end = (_index(annotation.get(name)) for name in ("start_index", "end_index"))
    places = {
        "partIndex": part,
        "startIndex": _bytes(text[:start]),
        "endIndex": _bytes(text[:end]),
    }
    written: Json = {name: place for name, place in places.items() if place}
    return {**written, "text": text[start:end]}


def _index(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
