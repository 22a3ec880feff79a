"""The anthropic SDK on the real model of this machine: llama.cpp with small weights.

``local`` is spoken to in chat, so a client of Messages is translated for. ``own`` is the same
server as one of the owner's own that is spoken to in Messages: they pass untouched, and the count
is asked for. What the model says is not asserted, for it is small.
"""

import os

import pytest
from anthropic.types import Message

from airelays_app.providers.local.supervisor import LocalServer, ServerOptions

NAME = "smollm2-135m-instruct"
LOCAL, OWN = f"local/{NAME}", f"own/{NAME}"
PAINT = {
    "name": "paint",
    "description": "Paint a wall.",
    "input_schema": {
        "type": "object",
        "properties": {"colour": {"type": "string", "enum": ["red", "green", "blue"]}},
        "required": ["colour"],
        "additionalProperties": False,
    },
}
HELLO = [{"role": "user", "content": "Say hello."}]


@pytest.fixture(scope="module")
def server(real_models, tmp_path_factory):
    """Return the address of a server on a loopback port; a path so long has no socket."""
    data = tmp_path_factory.mktemp("d") / ("d" * 100)
    data.mkdir()
    (data / "models").symlink_to(real_models)
    server = LocalServer(data, ServerOptions(), os.getpid())
    yield server.address()
    server.stop()


@pytest.fixture(scope="module")
def module_relay(start_relay, real_models, server):
    return start_relay(
        login=False,
        models=real_models,
        LOCAL_ENABLED="auto",
        PROVIDERS_OWN_BASE_URL=f"{server.base_url}/v1",
        PROVIDERS_OWN_API_KEY=server.api_key,
        PROVIDERS_OWN_DIALECTS="messages",
    )


@pytest.fixture(params=[LOCAL, OWN])
def model(request):
    return request.param


def test_a_message(client, model):
    message = client.messages.create(model=model, max_tokens=8, messages=HELLO)

    Message.model_validate(message.model_dump(mode="json"))
    assert message.content[0].text
    assert message.stop_reason in ("end_turn", "max_tokens")
    assert 0 < message.usage.input_tokens < 60
    assert 0 < message.usage.output_tokens <= 8


def test_a_streamed_message(client, model):
    with client.messages.stream(model=model, max_tokens=8, messages=HELLO) as stream:
        texts = list(stream.text_stream)
        final = stream.get_final_message()

    assert len(texts) > 1
    assert "".join(texts) == final.content[0].text
    assert final.stop_reason in ("end_turn", "max_tokens")
    assert final.usage.output_tokens > 0


def test_a_forced_call_obeys_its_schema_on_the_embedded_model(client):
    message = client.messages.create(
        model=LOCAL,
        max_tokens=200,
        tools=[PAINT],
        tool_choice={"type": "tool", "name": "paint"},
        messages=[{"role": "user", "content": "Paint the wall green."}],
    )

    (call,) = message.content
    assert (call.name, call.input.keys()) == ("paint", {"colour"})
    assert call.input["colour"] in PAINT["input_schema"]["properties"]["colour"]["enum"]
    assert message.stop_reason == "tool_use"


@pytest.mark.parametrize("tools", [[], [PAINT]])
def test_the_count_is_that_of_the_message(client, model, tools):
    """The server's own, but for a token, whatever it is spoken to in."""
    asked = {
        "model": model,
        "messages": [{"role": "user", "content": "Tell me of ships and of the sea."}],
        "tools": tools,
    }
    usage = client.messages.create(max_tokens=1, **asked).usage
    counted = client.messages.with_raw_response.count_tokens(**asked)

    used = usage.input_tokens + (usage.cache_read_input_tokens or 0)
    assert counted.parse().input_tokens == pytest.approx(used, abs=2)
    assert "x-airelays-estimated" not in counted.headers
