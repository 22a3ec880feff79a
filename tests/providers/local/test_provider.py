"""The local model answers to its own name only, and is kept from going round in circles.

llama.cpp itself takes any name, so without this rule a client that asks for a large model while
nobody is logged in would get the words of a tiny one under that name.
"""

import os

import pytest

from airelays_app.errors import NotFound
from airelays_app.providers.local.provider import LocalProvider
from airelays_app.providers.local.sampling import MILD_PENALTY
from airelays_app.providers.local.supervisor import LocalServer, ServerOptions

NAME = "smollm2-135m-instruct"


def provider_of(tmp_path, **options):
    server = LocalServer(tmp_path, ServerOptions(**options), os.getpid())
    return LocalProvider("local", server, read_timeout=1)


@pytest.fixture
def provider(tmp_path):
    return provider_of(tmp_path)


@pytest.mark.parametrize("name", [NAME, "SmolLM2-135M-Instruct"])
def test_its_own_name_is_taken(provider, name):
    body = {"model": name, "messages": [], "temperature": 1}
    assert provider.adapt(body, "chat").body is body


@pytest.mark.parametrize("dialect", ["chat", "responses", "completions"])
def test_another_name_is_refused_with_the_right_one(provider, dialect):
    with pytest.raises(NotFound, match="smollm2-135m-instruct") as refusal:
        provider.adapt({"model": "gpt-5.5", "messages": []}, dialect)
    assert (refusal.value.param, refusal.value.code) == ("model", "model_not_found")


@pytest.mark.parametrize("named", [{}, {"temperature": None, "max_tokens": 5, "seed": 1}])
def test_words_are_varied_where_the_client_names_no_sampling(provider, named):
    body = {"model": NAME, "messages": [], **named}
    assert provider.adapt(body, "chat").body == {**body, **MILD_PENALTY}


@pytest.mark.parametrize(
    "named",
    [
        {"temperature": 0},
        {"top_p": 1},
        {"frequency_penalty": 0.5},
        {"repeat_penalty": 1.0},
        {"response_format": {"type": "json_object"}},
    ],
)
def test_a_client_that_chooses_itself_gets_what_it_asks_for(provider, named):
    body = {"model": NAME, "messages": [], **named}
    assert provider.adapt(body, "chat").body is body


def test_calls_are_made_without_a_penalty(provider):
    add = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
    body = {"model": NAME, "messages": [], "tools": [add], "tool_choice": "required"}
    assert not MILD_PENALTY.keys() & provider.adapt(body, "chat").body.keys()


def test_a_model_of_the_owners_is_left_as_it_is(tmp_path):
    provider = provider_of(tmp_path, model=tmp_path / "large.gguf")
    body = {"model": "large", "messages": []}
    assert provider.adapt(body, "chat").body is body
