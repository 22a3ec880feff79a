"""A Responses request with what it refers to in full, and with whoever keeps its reply."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from airelays_app.dialects.base import Dialect, Json
from airelays_app.dialects.responses.request_in import input_items
from airelays_app.errors import Unprocessable
from airelays_app.framing.jsontext import dumps
from airelays_app.services.connection_memory import ConnectionMemory
from airelays_app.services.keeping import Keeper
from airelays_app.services.references import History, References
from airelays_app.services.responses import KeptRequest, ResponseKeeper
from airelays_app.services.turns import conversation_id
from airelays_app.store.item_ids import own_id
from airelays_app.store.responses import ResponseStore

OURS = ("previous_response_id", "background")
"""Fields that no upstream is sent: the relay itself does what they ask for."""


@dataclass(frozen=True, slots=True)
class Continued:
    """``body`` is the client's, the same object if nothing had to change in it.

    ``history`` and ``session`` are what it continues; ``overrides`` are fields of the reply that
    no upstream knows of. ``background`` is set when the reply is to be made while nobody waits.
    """

    body: Json
    history: tuple[Json, ...] = ()
    session: str | None = None
    overrides: Mapping[str, object] = field(default_factory=dict)
    keepers: tuple[Keeper, ...] = ()
    background: KeptRequest | None = None


class Continuation:
    """Looks up what requests refer to; ``by_default``: keep replies unless told otherwise.

    Only Responses requests refer to anything else than a conversation, whose turn is not begun
    here.
    """

    def __init__(self, references: References, store: ResponseStore, *, by_default: bool) -> None:
        self._references = references
        self._store = store
        self._by_default = by_default

    def of(
        self,
        dialect: Dialect,
        owner: str,
        body: Json,
        *,
        keeps: bool = True,
        memory: ConnectionMemory | None = None,
    ) -> Continued:
        """Return a request to which a reply is to be made; raises RelayError.

        ``memory`` is that of the connection, which will remember the reply, as the store does not
        unless it ``keeps`` it.
        """
        if dialect.name != "responses":
            return Continued(body)
        conversation = conversation_id(body)
        full, history, is_recalled = self._looked_up(owner, body, conversation, memory)
        in_background = _wants_background(body, keeps=keeps)
        whole = _with_history(full, history) if is_recalled else full
        kept = self._kept(owner, whole) if keeps else None
        keepers = [] if in_background or kept is None else [self._keeper(kept, body)]
        session = history.first_id if history else None
        if memory is not None:
            said = _with_history(full, history)["input"]
            keepers.append(memory.keeper(said, first_id=session))
        return Continued(
            _without_ours(full),
            history=history.items if history else (),
            session=session,
            overrides=_overrides(body, conversation, keeps=keeps),
            keepers=tuple(keepers),
            background=kept if in_background else None,
        )

    def read(
        self,
        dialect: Dialect,
        owner: str,
        body: Json,
        *,
        memory: ConnectionMemory | None = None,
    ) -> Continued:
        """Return a request that is only looked at, conversation and all; raises RelayError."""
        conversation, history = conversation_id(body), None
        if dialect.name == "responses":
            body, history, _ = self._looked_up(owner, body, conversation, memory)
        if conversation:
            history = History(self._references.conversation(owner, conversation), conversation)
        return Continued(
            _without_ours(body),
            history=history.items if history else (),
            session=history.first_id if history else None,
        )

    def _looked_up(
        self,
        owner: str,
        body: Json,
        conversation: str | None,
        memory: ConnectionMemory | None,
    ) -> tuple[Json, History | None, bool]:
        """Return the body in full, what it continues, and whether only the memory has that."""
        previous_id = body.get("previous_response_id")
        if previous_id and conversation:
            raise Unprocessable(
                "previous_response_id and conversation cannot be used together; send one of them.",
                param="previous_response_id",
            )
        recalled = memory.recall(previous_id) if memory and previous_id else None
        history = recalled
        if previous_id and recalled is None:
            history = self._references.history(owner, previous_id)
        full = self._references.expanded(owner, body, conversation)
        return full, history, recalled is not None

    def _kept(self, owner: str, body: Json) -> KeptRequest | None:
        wanted = self._by_default if body.get("store") is None else body["store"]
        if not (wanted or body.get("background")):
            return None
        return KeptRequest(
            owner=owner,
            input_json=dumps(body.get("input")),
            previous_id=body.get("previous_response_id") or None,
            given_ids=_given_ids(body.get("input")),
        )

    def _keeper(self, kept: KeptRequest, body: Json) -> Keeper:
        return ResponseKeeper(self._store, kept, promised=body.get("store") is True)


def _wants_background(body: Json, *, keeps: bool) -> bool:
    if not body.get("background"):
        return False
    if not keeps:
        raise Unprocessable("background is not possible here.", param="background")
    if body.get("store") is False:
        raise Unprocessable(
            "A response in the background is kept until it is fetched: leave store out.",
            param="store",
        )
    return True


def _with_history(body: Json, history: History | None) -> Json:
    """Return the body with what it continues in its input, so that it continues nothing."""
    said = [item for _, item in input_items(body.get("input"))]
    items = [*(history.items if history else ()), *said]
    return {**body, "input": items, "previous_response_id": None}


def _without_ours(body: Json) -> Json:
    if not any(body.get(name) for name in OURS):
        return body
    return {name: value for name, value in body.items() if name not in OURS}


def _overrides(body: Json, conversation: str | None, *, keeps: bool) -> Json:
    found: Json = {name: body[name] for name in OURS if body.get(name)}
    if keeps and body.get("store"):
        found["store"] = True
    if conversation:
        found["conversation"] = {"id": conversation}
    return found


def _given_ids(given: object) -> tuple[str, ...]:
    items = given if isinstance(given, list) else [given]
    ids = (own_id(item) for item in items if isinstance(item, dict))
    return tuple(item_id for item_id in ids if item_id is not None)
