"""A request in the words of its upstream, and what gives the reply the client's words back."""

from dataclasses import dataclass

from airelays_app.dialects.base import Dialect
from airelays_app.neutral.custom_calls import CustomCalls, as_functions, custom_names
from airelays_app.neutral.namespaces import flat_names
from airelays_app.neutral.request import Request
from airelays_app.neutral.text_calls import TextTools
from airelays_app.neutral.tool_names import RealNames, with_legal_names
from airelays_app.providers.base import EventFilter

_Step = tuple[Request, EventFilter | None]
"""A request after one change, and what undoes that in the reply."""


@dataclass(frozen=True, slots=True)
class Reworded:
    """``filters`` undo in the reply, one after the other, what was done to the request."""

    request: Request
    filters: tuple[EventFilter, ...]


def reworded(request: Request, target: Dialect) -> Reworded:
    """Return the request without what ``target`` has no word for.

    What was changed last is undone first.
    """
    filters: list[EventFilter] = []
    for change in (_free_text, _namespaces, _functions, _names):
        request, undoing = change(request, target)
        if undoing:
            filters.insert(0, undoing)
    return Reworded(request, tuple(filters))


def _free_text(request: Request, target: Dialect) -> _Step:  # noqa: ARG001
    """Calls of free-text tools that the client knows as functions are free text for the model."""
    tools = TextTools.of(request)
    return tools.recognised(request), tools if tools.names else None


def _namespaces(request: Request, target: Dialect) -> _Step:  # noqa: ARG001
    """Every name stands alone."""
    names = flat_names(request)
    return names.flattened(request), names.restorer()


def _functions(request: Request, target: Dialect) -> _Step:
    """Free-text tools go as functions where those are all there is."""
    if target.has_custom_tools:
        return request, None
    custom = custom_names(request)
    return as_functions(request), CustomCalls(custom) if custom else None


def _names(request: Request, target: Dialect) -> _Step:
    """Names are such as the upstream takes."""
    legal, real = with_legal_names(request, target.tool_names)
    return legal, RealNames(real) if real else None
