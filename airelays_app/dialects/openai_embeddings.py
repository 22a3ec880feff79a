"""OpenAI's embeddings, as servers are asked for them (API reference, 2026-11-25)."""

from typing import TypeGuard

from airelays_app.dialects.base import Json
from airelays_app.dialects.completion_family import read_usage
from airelays_app.dialects.fields import token_count
from airelays_app.errors import UpstreamError
from airelays_app.neutral.embedding import Embedding, Vectors

OPERATION = "embeddings"
"""What providers have it under."""


def encode_embedding(embedding: Embedding, model: str) -> Json:
    """Return the request's body."""
    body: Json = {"model": model, "input": list(embedding.texts)}
    if embedding.dimensions is not None:
        body["dimensions"] = embedding.dimensions
    return body


def decode_vectors(body: Json, *, count: int) -> Vectors:
    """Return the ``count`` vectors of an answer; raises UpstreamError if it has not as many."""
    data = body.get("data")
    entries = [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []
    entries.sort(key=lambda entry: token_count(entry, "index"))
    values = tuple(entry.get("embedding") for entry in entries)
    vectors = tuple(value for value in values if _is_vector(value))
    if len(vectors) != count:
        raise UpstreamError("The upstream did not answer with one vector for each text.")
    return Vectors(vectors, read_usage(body.get("usage")))


def _is_vector(value: object) -> TypeGuard[list[float]]:
    return isinstance(value, list) and all(isinstance(number, int | float) for number in value)
