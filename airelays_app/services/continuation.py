"""A Responses request with what it refers to in full, and with whoever keeps its reply."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from airelays_app.dialects.base import Json
from airelays_app.errors import Unprocessable
from airelays_app.framing.jsontext import dumps
from airelays_app.services.keeping import Keeper
from airelays_app.services.references import References
from airelays_app.services.responses import ResponseKeeper
from airelays_app.services.turns import conversation_id
from airelays_app.store.item_ids import own_id
from airelays_app.store.responses import ResponseStore

_OURS = ("previous_response_id",)
"""Fields that no upstream is sent: the relay itself does what they ask for."""


@dataclass(frozen=True, slots=True)
class Continued:
    """``body`` is the client's, the same object if nothing had to change in it.

    ``history`` and ``session`` are what it continues; ``overrides`` are fields of the reply that
    no upstream knows of.
    """

    body: Json
    history: tuple[Json, ...] = ()
    session: str | None = None
    overrides: Mapping[str, object] = field(default_factory=dict)
    keepers: tuple[Keeper, ...] = ()


class Continuation:
    """Looks up what requests refer to; ``by_default``: keep replies unless told otherwise."""

    def __init__(self, references: References, store: ResponseStore, *, by_default: bool) -> None:
        self._references = references
        self._store = store
        self._by_default = by_default

    def of(self, owner: str | None, body: Json) -> Continued:
        """Return ``body`` in full; raises RelayError.

        Without an ``owner`` nothing is found and nothing is kept.
        """
        previous_id, conversation = body.get("previous_response_id"), conversation_id(body)
        if previous_id and conversation:
            raise Unprocessable(
                "previous_response_id and conversation cannot be used together; send one of them.",
                param="previous_response_id",
            )
        history = self._references.history(owner, previous_id) if previous_id else None
        full = self._references.expanded(owner, body, conversation)
        return Continued(
            _without_ours(full),
            history=history.items if history else (),
            session=history.first_id if history else None,
            overrides=_overrides(body, conversation),
            keepers=self._keepers(owner, full),
        )

    def _keepers(self, owner: str | None, body: Json) -> tuple[Keeper, ...]:
        wanted = body.get("store")
        if owner is None or not (self._by_default if wanted is None else wanted):
            return ()
        keeper = ResponseKeeper(
            self._store,
            owner=owner,
            input_json=dumps(body.get("input")),
            previous_id=body.get("previous_response_id") or None,
            given_ids=_given_ids(body.get("input")),
            promised=wanted is True,
        )
        return (keeper,)


def _without_ours(body: Json) -> Json:
    if not any(body.get(name) for name in _OURS):
        return body
    return {name: value for name, value in body.items() if name not in _OURS}


def _overrides(body: Json, conversation: str | None) -> Json:
    found: Json = {name: body[name] for name in _OURS if body.get(name)}
    if body.get("store"):
        found["store"] = True
    if conversation:
        found["conversation"] = {"id": conversation}
    return found


def _given_ids(given: object) -> tuple[str, ...]:
    items = given if isinstance(given, list) else [given]
    ids = (own_id(item) for item in items if isinstance(item, dict))
    return tuple(item_id for item_id in ids if item_id is not None)
