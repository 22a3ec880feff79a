"""The local model answers to its own name only.

llama.cpp itself takes any name, so without this rule a client that asks for a large model while
nobody is logged in would get the words of a tiny one under that name.
"""

import os

import pytest

from airelays_app.errors import NotFound
from airelays_app.providers.local.provider import LocalProvider
from airelays_app.providers.local.supervisor import LocalServer, ServerOptions


@pytest.fixture
def provider(tmp_path):
    return LocalProvider(
        "local", LocalServer(tmp_path, ServerOptions(), os.getpid()), read_timeout=1
    )


@pytest.mark.parametrize("name", ["smollm2-135m-instruct", "SmolLM2-135M-Instruct"])
def test_its_own_name_is_taken(provider, name):
    body = {"model": name, "messages": []}
    assert provider.adapt(body, "chat").body is body


@pytest.mark.parametrize("dialect", ["chat", "responses", "completions"])
def test_another_name_is_refused_with_the_right_one(provider, dialect):
    with pytest.raises(NotFound, match="smollm2-135m-instruct") as refusal:
        provider.adapt({"model": "gpt-5.5", "messages": []}, dialect)
    assert (refusal.value.param, refusal.value.code) == ("model", "model_not_found")
