"""``:embedContent`` and ``:batchEmbedContents``: relayed as they are, or asked in OpenAI's way."""

from flask import Response

from airelays_app.dialects import DIALECTS
from airelays_app.dialects.base import Json
from airelays_app.dialects.gemini.embeddings import addressed, decode_embedding, encode_vectors
from airelays_app.framing.jsontext import dumps
from airelays_app.neutral.losses import ignored_parameters
from airelays_app.services.routing import Route
from airelays_app.web.bodies import json_body
from airelays_app.web.context import client_socket, record, services
from airelays_app.web.relayed import operation_response
from airelays_app.web.replies import disclosed, json_response
from airelays_app.web.scope import route_of

EMBED, EMBED_ALL = "embedContent", "batchEmbedContents"


def embed(model: str) -> Response:
    """Make one vector."""
    return _embedded(EMBED, model)


def embed_all(model: str) -> Response:
    """Make a vector for each of the requests."""
    return _embedded(EMBED_ALL, model)


def _embedded(verb: str, model: str) -> Response:
    with json_body() as body:
        route = route_of(model)
        record().dialect = "gemini"
        canonical = DIALECTS["gemini"].canonical(body.value)
        sent = addressed(canonical, is_batch=verb == EMBED_ALL, asked=model, sent=route.model)
        if verb not in route.provider.operations:
            return _translated(sent, route, is_batch=verb == EMBED_ALL)
        raw = body.raw if sent == body.value else dumps(sent)
        return operation_response(verb, route, body=raw)


def _translated(body: Json, route: Route, *, is_batch: bool) -> Response:
    embedding, losses = decode_embedding(body, is_batch=is_batch)
    embedded = services().embeddings.made(embedding, route, record(), watch=client_socket())
    ignored = record().ignored = ignored_parameters(losses)
    response = json_response(encode_vectors(embedded.vectors, is_batch=is_batch))
    response.headers.extend(embedded.headers)
    return disclosed(response, ignored)
