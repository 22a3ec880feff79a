"""What the relay relies on in the real model server, llama.cpp with the released weights.

Rules: it answers to nobody without the key; the model gets no system prompt that nobody wrote;
answers, streams, usage, errors, schemas and embeddings have the shapes the provider is built on;
a stream whose reader leaves is cancelled; it ends at once, in the middle of an answer, when told
to, and soon after its owner; idle weights leave memory and come back.
"""

import http.client
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from airelays_app.errors import Unavailable
from airelays_app.providers.local.calls_in_text import ToolCallStream
from airelays_app.providers.local.process import process_id
from airelays_app.providers.local.supervisor import Endpoint, LocalServer, ServerOptions
from airelays_app.providers.local.tools import constrain
from tests.providers.local.model_server import answer, busy, sent, wait_until


def chat(endpoint, **body):
    status, reply = answer(endpoint, "/v1/chat/completions", {"temperature": 0, **body})
    assert status == 200, reply
    return reply


def events(endpoint, **body):
    with sent(endpoint, "/v1/chat/completions", {"stream": True, **body}) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/event-stream"
        blocks = response.read().decode().strip().split("\n\n")
    assert blocks.pop() == "data: [DONE]"
    return [json.loads(block.removeprefix("data: ")) for block in blocks]


def user(text):
    return [{"role": "user", "content": text}]


def endless(**more):
    """Return a request whose answer takes at least 20 seconds on any machine of today."""
    return {"messages": user("Tell a story"), "max_tokens": 4000, "ignore_eos": True, **more}


def data_with(models: Path, directory: Path) -> Path:
    directory.mkdir(parents=True)
    (directory / "models").symlink_to(models)
    return directory


@pytest.fixture(scope="module")
def endpoint(real_models, tmp_path_factory) -> Iterator[Endpoint]:
    data = data_with(real_models, tmp_path_factory.mktemp("real") / "data")
    server = LocalServer(data, ServerOptions(), os.getpid())
    yield server.address()
    server.stop()


def test_a_short_fact_comes_out_right_and_is_counted(endpoint):
    reply = chat(endpoint, messages=user("What is the capital of France?"), max_tokens=30)
    (choice,) = reply["choices"]
    assert "Paris" in choice["message"]["content"]
    assert choice["finish_reason"] == "stop"
    usage = reply["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_tokens"] < 30, "a system prompt that nobody wrote"
    assert reply["object"] == "chat.completion"
    assert reply["id"].startswith("chatcmpl-")


def test_a_stream_has_a_role_deltas_a_finish_and_usage(endpoint):
    chunks = events(
        endpoint,
        messages=user("What is the capital of France?"),
        max_tokens=30,
        temperature=0,
        stream_options={"include_usage": True},
    )
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": None}
    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks[1:-1])
    assert "Paris" in text
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] > 0
    assert len({chunk["id"] for chunk in chunks}) == 1


def test_the_template_adds_nothing_of_its_own(endpoint):
    messages = [
        {"role": "developer", "content": "Be brief"},
        {"role": "user", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]},
        {"role": "assistant", "content": "C"},
        {"role": "user", "content": "D"},
    ]
    _, rendered = answer(endpoint, "/apply-template", {"messages": messages})
    assert rendered["prompt"] == (
        "<|im_start|>system\nBe brief<|im_end|>\n<|im_start|>user\nAB<|im_end|>\n"
        "<|im_start|>assistant\nC<|im_end|>\n<|im_start|>user\nD<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_the_template_shows_calls_and_results(endpoint):
    def call(number, name):
        function = {"name": name, "arguments": '{"x": 1}'}
        return {"id": f"c{number}", "type": "function", "function": function}

    messages = [
        *user("Q"),
        {"role": "assistant", "content": None, "tool_calls": [call(1, "f"), call(2, "g")]},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "two"}]},
    ]
    _, rendered = answer(endpoint, "/apply-template", {"messages": messages})
    assert rendered["prompt"] == (
        "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n"
        '<tool_call>\n{"name": "f", "arguments": {"x": 1}}\n</tool_call>\n'
        '<tool_call>\n{"name": "g", "arguments": {"x": 1}}\n</tool_call><|im_end|>\n'
        "<|im_start|>user\nThe answer is: one\nThe answer is: two\nSay it in a sentence."
        "<|im_end|>\n<|im_start|>assistant\n"
    )


_WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"$ref": "#/$defs/City"}},
            "required": ["city"],
            "$defs": {"City": {"type": "string"}},
        },
    },
}
_ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add two numbers",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    },
}


@pytest.mark.parametrize(
    ("question", "choice", "name", "arguments"),
    [
        ("What is the weather in Paris?", "auto", "get_weather", {"city": "Paris"}),
        ("How is the weather in Tokyo today?", "required", "get_weather", {"city": "Tokyo"}),
        ("What is 17 plus 25?", "required", "add", {"a": 17, "b": 25}),
    ],
)
def test_a_function_is_called_with_the_right_arguments(endpoint, question, choice, name, arguments):
    body, constraint = constrain(
        {"messages": user(question), "tools": [_WEATHER, _ADD], "tool_choice": choice}
    )
    reply = chat(endpoint, **body, max_tokens=80)
    (call,) = ToolCallStream(constraint).feed(reply["choices"][0]["message"]["content"])
    assert call.name == name
    assert json.loads(call.arguments) == arguments


def test_a_streamed_call_arrives_in_pieces(endpoint):
    body, constraint = constrain(
        {"messages": user("What is the weather in Paris?"), "tools": [_WEATHER]}
    )
    stream = ToolCallStream(constraint)
    pieces = []
    for chunk in events(endpoint, **body, max_tokens=80, temperature=0):
        pieces += stream.feed(chunk["choices"][0]["delta"].get("content") or "")
    assert stream.name == "get_weather"
    assert stream.complete
    assert len(pieces) > 1
    assert json.loads("".join(piece.arguments for piece in pieces)) == {"city": "Paris"}


def test_after_the_result_the_answer_is_text_that_contains_it(endpoint):
    call = {
        "id": "c1",
        "type": "function",
        "function": {"name": "add", "arguments": '{"a": 17, "b": 25}'},
    }
    messages = [
        *user("What is 17 plus 25?"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
    ]
    body, constraint = constrain({"messages": messages, "tools": [_ADD]})
    assert constraint is None
    reply = chat(endpoint, **body, max_tokens=40)
    assert "42" in reply["choices"][0]["message"]["content"]


def test_a_schema_is_enforced(endpoint):
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "size": {"enum": ["small", "large"]}},
        "required": ["city", "size"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": schema}}
    reply = chat(endpoint, messages=user("Describe Paris"), max_tokens=80, response_format=form)
    described = json.loads(reply["choices"][0]["message"]["content"])
    assert set(described) == {"city", "size"}
    assert described["size"] in ("small", "large")


def test_without_the_key_it_answers_nobody(endpoint):
    for key in ("", "wrong", endpoint.api_key[:-1]):
        status, reply = answer(
            endpoint, "/v1/chat/completions", {"messages": user("x"), "max_tokens": 1}, key
        )
        assert status == 401
        assert reply["error"]["type"] == "authentication_error"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"messages": "x"}, "invalid_request_error"),
        ({"messages": user("x"), "temperature": "hot"}, "invalid_request_error"),
        ({"messages": user("word " * 5000)}, "exceed_context_size_error"),
        ({"messages": user("x"), "n": 99}, "invalid_request_error"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_refusals_are_json_with_a_type_even_for_streams(endpoint, body, kind, stream):
    status, reply = answer(endpoint, "/v1/chat/completions", {**body, "stream": stream})
    assert status == 400
    assert reply["error"]["code"] == 400
    assert reply["error"]["type"] == kind
    assert reply["error"]["message"]


def test_the_catalogue_names_the_model_and_its_context(endpoint):
    _, catalogue = answer(endpoint, "/v1/models")
    (model,) = catalogue["data"]
    assert model["id"] == "smollm2-135m-instruct"
    assert model["meta"]["n_ctx"] == ServerOptions().context


def test_embeddings_order_what_is_alike_and_chat_goes_on(endpoint):
    texts = ["a cat", "a kitten", "stock markets"]
    status, reply = answer(endpoint, "/v1/embeddings", {"input": texts, "model": "m"})
    assert status == 200
    cat, kitten, stocks = (entry["embedding"] for entry in reply["data"])
    assert len(cat) == 576
    assert product(cat, kitten) > product(cat, stocks)
    assert chat(endpoint, messages=user("Hello"), max_tokens=2)["choices"]


def product(left, right):
    return sum(one * other for one, other in zip(left, right, strict=True))


def test_a_stream_whose_reader_leaves_is_cancelled(endpoint):
    with sent(endpoint, "/v1/chat/completions", endless(stream=True)) as response:
        response.read(200)
        assert busy(endpoint)
    wait_until(lambda: not busy(endpoint), patience=15)


def test_a_path_too_long_for_a_socket_means_a_loopback_port(real_models, tmp_path):
    data = data_with(real_models, tmp_path / ("long" * 30) / "data")
    server = LocalServer(data, ServerOptions(), os.getpid())
    try:
        endpoint = server.address()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", endpoint.base_url)
        assert chat(endpoint, messages=user("Hello"), max_tokens=2)["choices"]
    finally:
        server.stop()


def test_it_ends_at_once_in_the_middle_of_an_answer(real_models, tmp_path):
    server = LocalServer(data_with(real_models, tmp_path / "d"), ServerOptions(), os.getpid())
    endpoint = server.address()
    process = process_id(server.status().pid)
    with sent(endpoint, "/v1/chat/completions", endless(stream=True)) as response:
        response.read(200)
        server.stop()
        assert not process.alive()
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            response.read()


def test_it_ends_with_its_owner_in_the_middle_of_an_answer(real_models, tmp_path):
    with subprocess.Popen(["sleep", "3600"]) as owner:
        data = data_with(real_models, tmp_path / "d")
        server = LocalServer(data, ServerOptions(), owner.pid)
        endpoint = server.address()
        process = process_id(server.status().pid)
        with sent(endpoint, "/v1/chat/completions", endless(stream=True)) as response:
            response.read(200)
            owner.kill()
            owner.wait()
            wait_until(lambda: not process.alive(), patience=15)


def test_a_damaged_model_file_is_named(tmp_path, real_models):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\0" * 1000)
    server = LocalServer(tmp_path / "d", ServerOptions(model=broken), os.getpid())
    with pytest.raises(Unavailable, match="could not load the model"):
        server.address()


def test_idle_weights_leave_memory_and_come_back(real_models, tmp_path):
    data = data_with(real_models, tmp_path / "d")
    server = LocalServer(data, ServerOptions(sleep_idle_seconds=1), os.getpid())
    try:
        endpoint = server.address()
        chat(endpoint, messages=user("Hello"), max_tokens=2)
        awake = resident(server)
        wait_until(lambda: resident(server) < awake / 2)
        assert chat(endpoint, messages=user("Hello"), max_tokens=2)["choices"]
    finally:
        server.stop()


def resident(server: LocalServer) -> int:
    status = Path(f"/proc/{server.status().pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])
