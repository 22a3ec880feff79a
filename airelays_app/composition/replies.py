"""Making replies, with what is kept of them, and counting what they would cost."""

from dataclasses import dataclass

from airelays_app.composition.core import Core
from airelays_app.composition.kept import Kept, build_kept
from airelays_app.config import Settings
from airelays_app.schemas.generation import GenerationSchemas
from airelays_app.services.compaction import Compaction
from airelays_app.services.creation import Creation
from airelays_app.services.file_inputs import FileInputs
from airelays_app.services.response_session import ResponseSessions
from airelays_app.services.token_counts import TokenCounts
from airelays_app.store.conversations import ConversationStore
from airelays_app.store.files import FileStore


@dataclass(frozen=True, slots=True)
class Replies:
    """What answers requests for a reply."""

    creation: Creation
    token_counts: TokenCounts
    compaction: Compaction
    sessions: ResponseSessions
    kept: Kept


def build_replies(
    settings: Settings, core: Core, files: FileStore, conversations: ConversationStore
) -> Replies:
    """Return it; nothing is opened before the first request."""
    kept = build_kept(settings, core, conversations)
    file_inputs = FileInputs(files, max_bytes=settings.server.max_body_bytes)
    validate = GenerationSchemas().validate
    creation = Creation(
        core.relay,
        validate=validate,
        catalog=core.catalog,
        files=file_inputs,
        conversations=conversations,
        continuation=kept.continuation,
        background=kept.background,
    )
    return Replies(
        creation=creation,
        compaction=Compaction(
            creation,
            core.calls,
            core.pool,
            validate=validate,
            files=file_inputs,
            continuation=kept.continuation,
        ),
        sessions=ResponseSessions(creation, kept.continuation, validate),
        token_counts=TokenCounts(
            core.calls,
            core.pool,
            validate=validate,
            files=file_inputs,
            continuation=kept.continuation,
        ),
        kept=kept,
    )
