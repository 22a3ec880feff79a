"""Kept responses: their store, who writes and prunes it, and what continues them."""

from dataclasses import dataclass

from airelays_app.composition.core import Core
from airelays_app.config import Settings
from airelays_app.services.background import Background
from airelays_app.services.continuation import Continuation
from airelays_app.services.references import References
from airelays_app.services.responses import Responses
from airelays_app.store.batch_writer import BatchWriter
from airelays_app.store.conversations import ConversationStore
from airelays_app.store.response_retention import ResponseRetention, RetentionRule
from airelays_app.store.response_runs import ResponseRuns
from airelays_app.store.responses import ResponseStore

_DAY_SECONDS = 86_400
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Kept:
    """What works with kept responses."""

    writer: BatchWriter
    retention: ResponseRetention
    responses: Responses
    continuation: Continuation
    background: Background


def build_kept(settings: Settings, core: Core, conversations: ConversationStore) -> Kept:
    """Return it; nothing is opened and no thread started before the first reply is kept."""
    rules, database = settings.responses, core.database
    max_age_seconds = rules.retention_days * _DAY_SECONDS
    retention = ResponseRetention(
        database, RetentionRule(max_age_seconds, rules.max_total_mb * _MEGABYTE)
    )
    writer = BatchWriter(database, tidy=retention.step)
    store = ResponseStore(database, writer, max_age_seconds=max_age_seconds)
    runs = ResponseRuns(database, writer)
    responses = Responses(store, runs)
    references = References(
        store, responses, conversations, max_bytes=settings.server.max_body_bytes
    )
    return Kept(
        writer=writer,
        retention=retention,
        responses=responses,
        continuation=Continuation(references, store, by_default=rules.store_by_default),
        background=Background(core.relay, runs, responses, most=rules.background_runs),
    )
