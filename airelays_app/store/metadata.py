"""The limits of metadata, as the OpenAI API has them (seen 2026-11-22)."""

from collections.abc import Mapping
from typing import Any

from airelays_app.errors import Unprocessable

MAX_PAIRS = 16
MAX_KEY_CHARACTERS = 64
MAX_VALUE_CHARACTERS = 512


def checked_metadata(metadata: Mapping[Any, Any]) -> dict[str, str]:
    """Return a copy of ``metadata``; raises Unprocessable when it passes a limit.

    Lengths are counted in characters, not bytes.
    """
    if len(metadata) > MAX_PAIRS:
        raise _refused(f"metadata may have {MAX_PAIRS} pairs.")
    for key, value in metadata.items():
        if not isinstance(key, str) or len(key) > MAX_KEY_CHARACTERS:
            raise _refused(f"A key of metadata may have {MAX_KEY_CHARACTERS} characters.")
        if not isinstance(value, str) or len(value) > MAX_VALUE_CHARACTERS:
            raise _refused(
                f"A value of metadata must be a string of at most {MAX_VALUE_CHARACTERS}"
                " characters."
            )
    return dict(metadata)


def merged_metadata(before: Mapping[str, Any], additions: Mapping[Any, Any]) -> dict[str, Any]:
    """Return ``before`` with ``additions``; raises Unprocessable when they pass a limit.

    What an earlier release let through stays, and does not get in the way of changing it.
    """
    merged = {**before, **checked_metadata(additions)}
    if len(merged) > max(MAX_PAIRS, len(before)):
        raise _refused(f"metadata may have {MAX_PAIRS} pairs, those it has already included.")
    return merged


def _refused(message: str) -> Unprocessable:
    return Unprocessable(message, param="metadata")
