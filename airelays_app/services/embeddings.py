"""Vectors for clients whose way to ask for them the upstream does not know."""

from collections.abc import Mapping
from dataclasses import dataclass
from socket import socket

from airelays_app.dialects.openai_embeddings import OPERATION, decode_vectors, encode_embedding
from airelays_app.framing.jsontext import dumps
from airelays_app.neutral.embedding import Embedding, Vectors
from airelays_app.providers.base import Relayed
from airelays_app.services.answered import answered_object
from airelays_app.services.calls import Calls, passed_headers
from airelays_app.services.pool import Pool
from airelays_app.services.record import Record
from airelays_app.services.relayed import operation_path
from airelays_app.services.routing import ROUTE_HEADER, Route

_HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Embedded:
    """The vectors, and the response headers that the client gets with them."""

    vectors: Vectors
    headers: Mapping[str, str]


class Embeddings:
    """Asks in the one way that nearly every provider has."""

    def __init__(self, calls: Calls, pool: Pool, *, max_reply_bytes: int) -> None:
        self._calls = calls
        self._pool = pool
        self._max_reply_bytes = max_reply_bytes

    def made(
        self, embedding: Embedding, route: Route, record: Record, *, watch: socket | None
    ) -> Embedded:
        """Return what one of the accounts has made; raises RelayError, ClientGone."""
        path = operation_path(route.provider, OPERATION)
        body = dumps(encode_embedding(embedding, route.model))
        call = Relayed("POST", path, _HEADERS, body, route.model)
        record.provider, record.model = route.provider.name, route.model

        def attempt(candidate: Route) -> Embedded:
            provider = candidate.provider
            record.attempts += 1
            response = self._calls.accepted(
                provider, lambda: provider.relayed(call), record, watch=watch
            )
            headers = {**passed_headers(provider, response), ROUTE_HEADER: candidate.header}
            answer = answered_object(response.read(limit=self._max_reply_bytes))
            return Embedded(decode_vectors(answer, count=len(embedding.texts)), headers)

        embedded = self._pool.ask(route, attempt, fallbacks=False)
        record.usage = embedded.vectors.usage
        return embedded
