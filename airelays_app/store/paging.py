"""Cursor paging as the OpenAI list routes have it: ``limit``, ``order``, ``after``."""

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from airelays_app.errors import Unprocessable

Order = Literal["asc", "desc"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some entries of a list; the ids are None when the page is empty."""

    data: tuple[T, ...]
    has_more: bool
    first_id: str | None
    last_id: str | None


@dataclass(frozen=True, slots=True)
class Direction:
    """The SQL words of an order."""

    keyword: str
    beyond: str


_DIRECTIONS: dict[str, Direction] = {
    "asc": Direction(keyword="ASC", beyond=">"),
    "desc": Direction(keyword="DESC", beyond="<"),
}


def direction(order: str) -> Direction:
    """Return the SQL words of ``order``; raises Unprocessable unless it is asc or desc."""
    try:
        return _DIRECTIONS[order]
    except KeyError:
        raise Unprocessable("order must be asc or desc.", param="order") from None


def checked_limit(limit: int, *, maximum: int) -> int:
    """Return ``limit``; raises Unprocessable unless it is from 1 to ``maximum``."""
    if not 1 <= limit <= maximum:
        raise Unprocessable(f"limit must be from 1 to {maximum}.", param="limit")
    return limit


def page_of(found: list[tuple[str, T]], *, limit: int) -> Page[T]:
    """Build a page from up to ``limit + 1`` pairs of id and entry; the last says there is more."""
    kept = found[:limit]
    return Page(
        data=tuple(entry for _, entry in kept),
        has_more=len(found) > limit,
        first_id=kept[0][0] if kept else None,
        last_id=kept[-1][0] if kept else None,
    )
