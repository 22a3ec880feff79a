"""Vectors as OpenAI-compatible servers answer with them: in the order of the texts, or an error."""

import pytest

from airelays_app.dialects.openai_embeddings import decode_vectors, encode_embedding
from airelays_app.errors import UpstreamError
from airelays_app.neutral.embedding import Embedding


def entry(vector, **more):
    return {"object": "embedding", "embedding": vector, **more}


def test_only_what_was_asked_for_is_asked():
    assert encode_embedding(Embedding(("a", "b")), "m") == {"model": "m", "input": ["a", "b"]}
    assert encode_embedding(Embedding(("a",), 3), "m")["dimensions"] == 3


@pytest.mark.parametrize(
    "data",
    [
        [entry([1, 0.5], index=0), entry([2], index=1)],
        [entry([2], index=1), entry([1, 0.5], index=0)],
        [entry([1, 0.5]), entry([2])],
    ],
    ids=["in order", "out of order", "without an index"],
)
def test_vectors_stand_in_the_order_of_their_texts(data):
    assert decode_vectors({"data": data}, count=2).values == ([1, 0.5], [2])


def test_the_texts_tokens_are_counted_if_the_server_counts():
    body = {"data": [entry([1])], "usage": {"prompt_tokens": 7, "total_tokens": 7}}
    usage = decode_vectors(body, count=1).usage
    assert usage
    assert usage.input_total == 7
    assert decode_vectors({"data": [entry([1])]}, count=1).usage is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": {}},
        {"data": []},
        {"data": [5]},
        {"data": [{}]},
        {"data": [entry("AACAPw==")]},
        {"data": [entry([1, "2"])]},
        {"data": [entry([1]), entry([2])]},
    ],
)
def test_anything_but_one_vector_for_each_text_is_an_error(body):
    with pytest.raises(UpstreamError, match="one vector for each text"):
        decode_vectors(body, count=1)
