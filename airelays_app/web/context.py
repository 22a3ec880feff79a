"""What the blueprints work with, put together once for each process, and who is asking."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from socket import socket
from typing import cast

from flask import current_app, g, request

from airelays_app.config import Settings
from airelays_app.dialects.base import Dialect
from airelays_app.services.background import Background
from airelays_app.services.catalog import Catalog
from airelays_app.services.chores import Chores
from airelays_app.services.compaction import Compaction
from airelays_app.services.creation import Creation
from airelays_app.services.embeddings import Embeddings
from airelays_app.services.record import Record
from airelays_app.services.relayed import Relaying
from airelays_app.services.response_session import ResponseSessions
from airelays_app.services.responses import Responses
from airelays_app.services.routing import Router
from airelays_app.services.status import RelayStatus
from airelays_app.services.subscription import Subscription
from airelays_app.services.token_counts import TokenCounts
from airelays_app.services.traffic import Traffic
from airelays_app.store.batch_writer import BatchWriter
from airelays_app.store.batches import BatchRequest, BatchStore, Planned
from airelays_app.store.conversations import ConversationStore
from airelays_app.store.database import Database
from airelays_app.store.files import FileStore
from airelays_app.store.lockouts import Lockouts
from airelays_app.store.tokens import Credential
from airelays_app.web.admission import Admission
from airelays_app.web.inflight import InflightBytes
from airelays_app.web.limits import AddressLimits

EXTENSION = "airelays"


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a view may use."""

    settings: Settings
    database: Database
    files: FileStore
    conversations: ConversationStore
    router: Router
    creation: Creation
    responses: Responses
    background: Background
    writer: BatchWriter
    relaying: Relaying
    token_counts: TokenCounts
    compaction: Compaction
    response_sessions: ResponseSessions
    embeddings: Embeddings
    batches: BatchStore
    plan_batch: Callable[[Sequence[BatchRequest], int], Sequence[Planned]]
    chores: Chores
    traffic: Traffic
    catalog: Catalog
    inflight: InflightBytes
    admission: Admission
    limits: AddressLimits
    lockouts: Lockouts
    subscription: Subscription
    status: RelayStatus


def services() -> Services:
    """Return the services of the running app."""
    return cast(Services, current_app.extensions[EXTENSION])


def record() -> Record:
    """Return the record of the running request."""
    return cast(Record, g.record)


def client_socket() -> socket | None:
    """Return the running request's connection, to see whether its client is still there.

    None under a server that does not lend it.
    """
    return cast(socket | None, request.environ.get("gunicorn.socket"))


def dialect_headers(dialect: Dialect) -> dict[str, str]:
    """Return the running request's headers that go on to an upstream of the same dialect."""
    asked = request.headers
    return {name: asked[name] for name in dialect.client_headers if name in asked}


def owner() -> str:
    """Return whose request it is: what it stores is for the same credential only."""
    credential: Credential | None = g.credential
    return credential.name if credential else ""
