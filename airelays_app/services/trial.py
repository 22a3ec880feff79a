"""Trying out a provider: it is asked for its models, which costs nothing at any of them."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from airelays_app.errors import UpstreamRefused
from airelays_app.providers.base import Model, Provider

Ask = Callable[[Provider], list[Model] | None]
"""Asks a provider for its models; None where that takes no call."""

_LISTS_NONE = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
)


@dataclass(frozen=True, slots=True)
class Trial:
    """How many ``models`` a provider has, and whether it was ``asked`` at all."""

    models: int
    asked: bool


def try_out(provider: Provider, ask: Ask) -> Trial:
    """Return what a provider answers; raises RelayError if it does not.

    It is asked even if the owner has listed its models: it may be down all the same. It need not
    have a list of its own then.
    """
    listed = provider.configured_models()
    try:
        told = ask(provider)
    except UpstreamRefused as error:
        if not listed or error.status not in _LISTS_NONE:
            raise
        told = []
    return Trial(len(listed or told or ()), asked=told is not None)
