"""Citations: Responses' flat annotations in the neutral events, nested objects on this wire.

Forms: types of anthropic-python 2.14 and openai-python 3.57 (seen 2026-11-22).
"""

from airelays_app.dialects.base import Json
from airelays_app.neutral.seals import UNSEALED

_WEB = "web_search_result_location"


def annotation_in(citation: Json, *, length: int) -> Json:
    """Return a citation as an annotation of the ``length`` characters that it stands at."""
    if citation.get("type") == _WEB:
        return {
            "type": "url_citation",
            "url": str(citation.get("url") or ""),
            "title": str(citation.get("title") or ""),
            "start_index": 0,
            "end_index": length,
        }
    place = citation.get("document_index", citation.get("search_result_index"))
    title = citation.get("document_title") or citation.get("title") or ""
    return {
        "type": "file_citation",
        "file_id": f"document_{place}",
        "filename": str(title),
        "index": length,
    }


def citation_out(annotation: Json) -> Json | None:
    """Return the citation that this dialect has for an annotation: that of a web page, or None.

    ``encrypted_index`` must not be empty. Nobody sealed this one, and so it says.
    """
    if annotation.get("type") != "url_citation":
        return None
    return {
        "type": _WEB,
        "url": annotation.get("url") or "",
        "title": annotation.get("title") or "",
        "cited_text": "",
        "encrypted_index": UNSEALED,
    }
