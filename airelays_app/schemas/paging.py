"""The paging parameters of list routes, read from the query."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from airelays_app.errors import Unprocessable
from airelays_app.schemas.numbers import whole_number

Order = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is asked for."""

    limit: int
    order: Order
    after: str | None


def read_paging(query: Mapping[str, str], *, default: int, maximum: int) -> Paging:
    """Return ``limit``, ``order`` and ``after``; raises Unprocessable."""
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise Unprocessable("order must be asc or desc.", param="order")
    limit = whole_number(query.get("limit", str(default)), most=maximum)
    if not limit:
        raise Unprocessable(f"limit must be a number from 1 to {maximum}.", param="limit")
    return Paging(limit, cast(Order, order), query.get("after") or None)
