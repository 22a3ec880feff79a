"""The API's ``embedContent`` and ``batchEmbedContents``, read and answered.

Fields: API reference, "Embeddings", and what google-genai 3.6 sends (seen 2026-11-25).
"""

from collections.abc import Iterator

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import (
    as_object,
    objects,
    optional_integer,
    optional_object,
    optional_text,
    text_field,
)
from airelays_app.dialects.gemini.resources import resource_name
from airelays_app.errors import Unprocessable
from airelays_app.neutral.embedding import Embedding, Vectors
from airelays_app.neutral.losses import Loss

_SETTINGS = "embedContentConfig"
_HINTS = ("taskType", "title")


def addressed(body: Json, *, is_batch: bool, asked: str, sent: str) -> Json:
    """Return the body about ``sent``, which is what the upstream calls the model ``asked``.

    Raises Unprocessable where it is about another model than the path.
    """
    if not is_batch:
        return _addressed("", body, asked, sent)
    requests = [_addressed(path, each, asked, sent) for path, each in _requests(body)]
    return {**body, "requests": requests}


def decode_embedding(body: Json, *, is_batch: bool) -> tuple[Embedding, tuple[Loss, ...]]:
    """Return the texts and what an upstream of another API is not told; raises Unprocessable."""
    requests = _requests(body) if is_batch else [("", body)]
    settings = [_settings(path, request) for path, request in requests]
    lengths = [optional_integer(each, "outputDimensionality", path) for path, each in settings]
    if len(set(lengths)) > 1:
        raise Unprocessable(
            "outputDimensionality must be the same in all requests.", param="requests"
        )
    texts = tuple(_text(_at(path, "content"), request) for path, request in requests)
    losses = tuple(loss for path, each in settings for loss in _losses(path, each))
    return Embedding(texts, lengths[0]), losses


def encode_vectors(vectors: Vectors, *, is_batch: bool) -> Json:
    """Return the answer."""
    told = [{"values": values} for values in vectors.values]
    answer: Json = {"embeddings": told} if is_batch else {"embedding": told[0]}
    if vectors.usage:
        answer["usageMetadata"] = {"promptTokenCount": vectors.usage.input_total}
    return answer


def _requests(body: Json) -> list[tuple[str, Json]]:
    requests = list(objects(body.get("requests"), "requests"))
    if not requests:
        raise Unprocessable("requests must not be empty.", param="requests")
    return requests


def _addressed(path: str, request: Json, asked: str, sent: str) -> Json:
    named = optional_text(request, "model", path)
    if named is not None and resource_name(named) != resource_name(asked):
        place = _at(path, "model")
        raise Unprocessable(f"{place} must be the model in the path.", param=place)
    return {**request, "model": resource_name(sent)}


def _settings(path: str, request: Json) -> tuple[str, Json]:
    """Return what is said beside the content: in the request, or in an object of its own."""
    settings = optional_object(request, _SETTINGS, path)
    return (path, request) if settings is None else (_at(path, _SETTINGS), settings)


def _text(path: str, request: Json) -> str:
    content = as_object(request.get("content"), path)
    parts = objects(content.get("parts"), f"{path}.parts")
    return "".join(text_field(part, "text", part_path) for part_path, part in parts)


def _losses(path: str, settings: Json) -> Iterator[Loss]:
    for name in _HINTS:
        if settings.get(name) is not None:
            yield Loss(_at(path, name), "other APIs are not told what a vector is for")


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
