"""What calls about batches have in common, whatever the wire: their headers, lists and ids."""

import re
from types import MappingProxyType

from airelays_app.dialects.base import Json
from airelays_app.errors import UpstreamError

ACCEPT = MappingProxyType({"Accept": "application/json"})
JSON = MappingProxyType({**ACCEPT, "Content-Type": "application/json"})
CLOCKS_APART_SECONDS = 300
"""By how much the clock of a provider may differ from ours."""

UNTOLD_STATUS = 502
"""Of a request that has failed without a known status: it may go better when the relay runs it."""

_ID = re.compile(r"[\w-]+", re.ASCII)


def entries_in(page: Json, name: str) -> list[Json]:
    """Return the objects that a page of a list has under ``name``."""
    entries = page.get(name)
    return [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []


def id_of(answer: Json) -> str:
    """Return the id of a batch or a file, which can stand in a path; raises UpstreamError."""
    return safe_id(answer.get("id"))


def safe_id(id_: object) -> str:
    """Return an id that can stand in a path; raises UpstreamError."""
    if not isinstance(id_, str) or not _ID.fullmatch(id_):
        raise UpstreamError("The upstream told of a batch or a file without a usable id.")
    return id_
