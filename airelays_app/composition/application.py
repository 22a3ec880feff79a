"""Settings in, application out."""

from flask import Flask

from airelays_app.composition.batching import build_batching
from airelays_app.composition.core import Core, build_core
from airelays_app.composition.entrance import build_entrance
from airelays_app.composition.replies import build_replies
from airelays_app.config import Settings
from airelays_app.providers.codex.credentials import LOGIN_FILE_NAME
from airelays_app.providers.registry import Surroundings
from airelays_app.services.chores import Chores
from airelays_app.services.embeddings import Embeddings
from airelays_app.services.housekeeping import Housekeeping
from airelays_app.services.relayed import Relaying
from airelays_app.services.status import RelayStatus
from airelays_app.store.conversations import ConversationStore
from airelays_app.store.database import Database
from airelays_app.store.files import FileStore
from airelays_app.store.leases import Lease
from airelays_app.store.tokens import open_tokens
from airelays_app.web.application import install, new_application
from airelays_app.web.context import EXTENSION, Services
from airelays_app.web.inflight import InflightBytes


def create_app(settings: Settings, surroundings: Surroundings | None = None) -> Flask:
    """Return the application for ``settings``; one per worker process."""
    app = new_application()
    install(app, _services(app, settings, surroundings or Surroundings()))
    return app


def begin_work(app: Flask) -> None:
    """Let this process do its share of the work without a client; call it after the fork."""
    relay_services: Services = app.extensions[EXTENSION]
    relay_services.chores.start()


def _services(app: Flask, settings: Settings, surroundings: Surroundings) -> Services:
    data_dir = settings.paths.data_dir
    core = build_core(settings, surroundings)
    database = core.database
    files = _files(settings, database)
    conversations = ConversationStore(database, max_history_bytes=settings.server.max_body_bytes)
    tokens = open_tokens(settings)
    entrance = build_entrance(app, settings, database=database, tokens=tokens)
    replies = build_replies(settings, core, files, conversations)
    kept = replies.kept
    batching = build_batching(settings, core, files, replies.creation)
    housekeeping = Housekeeping([files.sweep, kept.retention.sweep, batching.retention.sweep])
    return Services(
        settings=settings,
        database=database,
        files=files,
        conversations=conversations,
        router=core.router,
        creation=replies.creation,
        token_counts=replies.token_counts,
        compaction=replies.compaction,
        response_sessions=replies.sessions,
        embeddings=_embeddings(settings, core),
        responses=kept.responses,
        background=kept.background,
        writer=kept.writer,
        batches=batching.store,
        plan_batch=batching.plan,
        chores=Chores(
            [
                (batching.runner, Lease(database, "batches")),
                (batching.native, Lease(database, "native batches")),
                (housekeeping, Lease(database, "housekeeping")),
            ]
        ),
        relaying=Relaying(core.calls, core.pool),
        traffic=core.traffic,
        catalog=core.catalog,
        subscription=core.subscription,
        inflight=InflightBytes(settings.server.max_inflight_bytes),
        admission=entrance.admission,
        limits=entrance.limits,
        lockouts=entrance.lockouts,
        status=RelayStatus(
            settings,
            providers=core.router.providers,
            tokens=tokens,
            database=database,
            files=files,
            conversations=conversations,
            limiter_answers=entrance.storage.check,
            login_file=data_dir / LOGIN_FILE_NAME,
        ),
    )


def _embeddings(settings: Settings, core: Core) -> Embeddings:
    limit = settings.upstream.max_reply_bytes
    return Embeddings(core.calls, core.pool, max_reply_bytes=limit)


def _files(settings: Settings, database: Database) -> FileStore:
    return FileStore(
        database,
        settings.paths.data_dir / "uploads",
        max_file_bytes=settings.uploads.max_upload_bytes,
        max_total_bytes=settings.uploads.max_total_upload_bytes,
    )
