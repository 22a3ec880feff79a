"""Every route that the application has does what it is for: on the sandbox, and on a real model.

One row per route says what is asked and where in the answer the proof stands. A route without a
row fails, and so does a row without a route. What the embedded model can do is asked of it, too.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest

from tests.hostile.frames import FrameWire
from tests.web.routes import ROUTES, UNSUPPORTED

PATIENCE = 90.0
SAID = "[[say Hello there]] Say hello."
USER = [{"role": "user", "content": SAID}]
CONTENTS = [{"role": "user", "parts": [{"text": SAID}]}]
FILE = {"file": ("a.txt", b"hello", "text/plain"), "purpose": (None, "user_data")}
BATCH = {"endpoint": "/v1/chat/completions", "requests": [{"custom_id": "1", "body": {}}]}
RUNNING = {"input": SAID, "background": True}


class World:
    """A relay with one model, and what there has to be for some routes, made when it is asked for.

    ``model`` is its name for clients, ``own`` the provider's.
    """

    def __init__(self, relay, model):
        self.relay = relay
        self.model = model
        self.provider, _, self.own = model.partition("/")

    def made(self, path, body, **more):
        return self.relay.ok(path, {"model": self.model, **body}, **more)["id"]

    @property
    def response(self):
        return self.made("/v1/responses", {"input": SAID, "max_output_tokens": 16, "store": True})

    @property
    def running(self):
        return self.made("/v1/responses", RUNNING)

    @property
    def conversation(self):
        return self.relay.ok("/v1/conversations", {"items": USER})["id"]

    @property
    def item(self):
        """A conversation and an item of it, as they stand in a path."""
        conversation = self.conversation
        items = self.relay.get(f"/v1/conversations/{conversation}/items").json()["data"]
        return f"{conversation}/items/{items[0]['id']}"

    @property
    def file(self):
        return self.relay.request("POST", "/v1/files", files=FILE).json()["id"]

    @property
    def batch(self):
        body = {"model": self.model, "messages": USER, "max_tokens": 8}
        asked = {**BATCH, "requests": [{"custom_id": "1", "body": body}]}
        return self.relay.ok("/v1/batches", asked)["id"]

    @cached_property
    def ended_batch(self):
        batch = self.batch
        deadline = time.monotonic() + PATIENCE
        while (shown := self.relay.get(f"/v1/batches/{batch}").json())["status"] != "completed":
            assert time.monotonic() < deadline, shown
            time.sleep(0.05)
        return batch

    def __getitem__(self, name):
        return getattr(self, name)


@dataclass(frozen=True)
class Row:
    """What is asked; ``proof`` is where something must stand in the JSON that is answered.

    Braces name attributes of the world. ``real``: the embedded model can do it, too.
    """

    target: str
    body: Mapping[str, Any] | None = None
    proof: str = ""
    status: int = 200
    real: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


def row(target, body=None, proof="", **more):
    return (Row(target, body, proof, **more),)


def reply(proof, **body):
    """Return what makes a row of a route that makes a reply."""
    return {"body": {"model": "{model}", **body}, "proof": proof, "real": True}


def verb(version, name, body, proof):
    return Row(f"/{version}/models/{{model}}:{name}", body, proof, real=True)


def verbs(version):
    few = {"contents": CONTENTS, "generationConfig": {"maxOutputTokens": 8}}
    content = {"content": {"parts": [{"text": "Hello."}]}}
    model = {"model": "models/{model}", **content}
    return (
        verb(version, "generateContent", few, "candidates.0.content.parts.0.text"),
        verb(version, "streamGenerateContent", few, "0.candidates.0.content.parts.0.text"),
        verb(version, "countTokens", {"contents": CONTENTS}, "totalTokens"),
        verb(version, "embedContent", content, "embedding.values.0"),
        verb(version, "batchEmbedContents", {"requests": [model]}, "embeddings.0.values.0"),
    )


RESPONSE = reply("output.0.content.0.text", input=SAID, max_output_tokens=8)
CHAT = reply("choices.0.message.content", messages=USER, max_tokens=8)
COMPLETION = reply("choices.0.text", prompt=SAID, max_tokens=8)
MESSAGE = reply("content.0.text", messages=USER, max_tokens=8)
SPEECH = {"model": "{model}", "input": "Hi", "voice": "alloy"}
ROWS = {
    ("GET", "/"): row("/"),
    ("GET", "/assets/none"): row("/assets/home.css"),
    ("GET", "/favicon.ico"): row("/favicon.ico", status=204),
    ("GET", "/health"): row("/health", proof="status"),
    ("GET", "/health/ready"): row("/health/ready", proof="status"),
    ("GET", "/healthz"): row("/healthz", proof="ok"),
    ("GET", "/v1/relay/status"): row("/v1/relay/status", proof="ready"),
    ("GET", "/v1/subscription/status"): row("/v1/subscription/status", proof="account.plan_type"),
    ("GET", "/v1/account/rate_limits"): row("/v1/account/rate_limits", proof="rate_limits.default"),
    ("GET", "/v1/models"): row("/v1/models", proof="data.0.id", real=True),
    ("GET", "/v1/models/none"): row("/v1/models/{model}", proof="id", real=True),
    ("GET", "/v1/models/none:none"): row("/v1/models/box/sandbox/reasoner:7b", proof="id"),
    ("GET", "/no-tools/v1/models"): row("/no-tools/v1/models", proof="data.0.id", real=True),
    ("GET", "/no-tools/v1/models/none"): row("/no-tools/v1/models/{model}", proof="id", real=True),
    ("GET", "/v1beta/models"): row("/v1beta/models", proof="models.0.name", real=True),
    ("GET", "/v1beta/models/none"): row("/v1beta/models/{model}", proof="name", real=True),
    ("POST", "/v1/responses"): row("/v1/responses", **RESPONSE),
    ("POST", "/no-tools/v1/responses"): row("/no-tools/v1/responses", **RESPONSE),
    ("POST", "/v1/chat/completions"): row("/v1/chat/completions", **CHAT),
    ("POST", "/no-tools/v1/chat/completions"): row("/no-tools/v1/chat/completions", **CHAT),
    ("POST", "/v1/completions"): row("/v1/completions", **COMPLETION),
    ("POST", "/no-tools/v1/completions"): row("/no-tools/v1/completions", **COMPLETION),
    ("POST", "/v1/messages"): row("/v1/messages", **MESSAGE),
    ("POST", "/no-tools/v1/messages"): row("/no-tools/v1/messages", **MESSAGE),
    **{
        ("POST", f"{prefix}/v1/messages/count_tokens"): row(
            f"{prefix}/v1/messages/count_tokens", **reply("input_tokens", messages=USER)
        )
        for prefix in ("", "/no-tools")
    },
    **{
        ("POST", f"{prefix}/v1/responses/input_tokens"): row(
            f"{prefix}/v1/responses/input_tokens", **reply("input_tokens", input=SAID)
        )
        for prefix in ("", "/no-tools")
    },
    **{
        ("POST", f"{prefix}/v1/responses/compact"): row(
            f"{prefix}/v1/responses/compact", **reply("output.0.encrypted_content", input=SAID)
        )
        for prefix in ("", "/no-tools")
    },
    ("GET", "/v1/responses/none"): row("/v1/responses/{response}", proof="output.0", real=True),
    ("GET", "/v1/responses/none/input_items"): row(
        "/v1/responses/{response}/input_items", proof="data.0.id", real=True
    ),
    ("POST", "/v1/responses/none/cancel"): row(
        "/v1/responses/{running}/cancel", proof="id", real=True
    ),
    ("DELETE", "/v1/responses/none"): row("/v1/responses/{response}", proof="deleted", real=True),
    ("POST", "/v1/models/none:none"): verbs("v1"),
    ("POST", "/v1beta/none:none"): verbs("v1beta"),
    ("POST", "/v1/embeddings"): row(
        "/v1/embeddings", **reply("data.0.embedding.0", input="Hello.")
    ),
    ("POST", "/v1/audio/none"): row("/v1/audio/speech", SPEECH),
    ("POST", "/v1/images/none"): row(
        "/v1/images/generations", {"model": "{model}", "prompt": "a"}, "data.0"
    ),
    ("POST", "/v1/moderations"): row(
        "/v1/moderations", {"model": "{model}", "input": "a"}, "results.0"
    ),
    ("POST", "/v1/realtime/sessions"): row(
        "/v1/realtime/sessions", {"model": "{model}"}, "client_secret.value"
    ),
    ("POST", "/v1/files"): row("/v1/files", proof="id", options={"files": FILE}),
    ("GET", "/v1/files"): row("/v1/files?after={file}", proof="object"),
    ("GET", "/v1/files/none"): row("/v1/files/{file}", proof="id"),
    ("GET", "/v1/files/none/content"): row("/v1/files/{file}/content"),
    ("DELETE", "/v1/files/none"): row("/v1/files/{file}", proof="deleted"),
    ("POST", "/v1/conversations"): row("/v1/conversations", {"items": USER}, "id"),
    ("GET", "/v1/conversations/none"): row("/v1/conversations/{conversation}", proof="id"),
    ("POST", "/v1/conversations/none"): row(
        "/v1/conversations/{conversation}", {"metadata": {"a": "b"}}, "metadata.a"
    ),
    ("DELETE", "/v1/conversations/none"): row("/v1/conversations/{conversation}", proof="deleted"),
    ("GET", "/v1/conversations/none/items"): row(
        "/v1/conversations/{conversation}/items", proof="data.0.id"
    ),
    ("POST", "/v1/conversations/none/items"): row(
        "/v1/conversations/{conversation}/items", {"items": USER}, "data.0.id"
    ),
    ("GET", "/v1/conversations/none/items/none"): row("/v1/conversations/{item}", proof="id"),
    ("DELETE", "/v1/conversations/none/items/none"): row("/v1/conversations/{item}", proof="id"),
    ("POST", "/v1/batches"): row(
        "/v1/batches", {**BATCH, "requests": [{"body": {"model": "box/a", "messages": USER}}]}, "id"
    ),
    ("GET", "/v1/batches"): row("/v1/batches", proof="object"),
    ("GET", "/v1/batches/none"): row("/v1/batches/{batch}", proof="status", real=True),
    ("POST", "/v1/batches/none/cancel"): row("/v1/batches/{batch}/cancel", proof="id", real=True),
    ("GET", "/v1/batches/none/results"): row(
        "/v1/batches/{ended_batch}/results",
        proof="data.0.response.choices.0.message.content",
        real=True,
    ),
    **{
        (method, "/p/none/none"): row("/p/{provider}/echo", {"a": "b"}, "method")
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    },
}
SOCKETS = {
    ("GET", "/v1/responses"): "/v1/responses",
    ("GET", "/no-tools/v1/responses"): "/no-tools/v1/responses",
    ("GET", "/v1/realtime"): "/v1/realtime?model={model}",
    ("GET", "/v1/realtime/none"): "/v1/realtime/translations?model={model}",
}
"""Where a WebSocket is opened."""

CASES = [(method, each) for (method, _), rows in ROWS.items() for each in rows]


def named(cases):
    return {"argvalues": cases, "ids": [f"{method} {each.target}" for method, each in cases]}


def test_there_is_a_row_for_every_route_and_no_other():
    assert {*ROWS, *SOCKETS, *UNSUPPORTED} == set(ROUTES)


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay whose owner allows everything."""
    return start_relay(PROVIDERS_BOX_PASSTHROUGH="true")


@pytest.fixture(scope="module")
def world(module_relay):
    """Return the sandbox's server, as people run it at home."""
    return World(module_relay, "box/sandbox-small")


@pytest.fixture(scope="module")
def real_world(start_relay, real_models):
    """Return a relay with nothing but the embedded model."""
    relay = start_relay(login=False, models=real_models, LOCAL_ENABLED="auto")
    return World(relay, "local/smollm2-135m-instruct")


@pytest.mark.parametrize(("method", "asked"), **named(CASES))
def test_it_answers(world, method, asked):
    assert_answered(world, method, asked)


@pytest.mark.parametrize(("method", "asked"), **named([case for case in CASES if case[1].real]))
def test_it_answers_on_the_embedded_model(real_world, method, asked):
    assert_answered(real_world, method, asked)


@pytest.mark.parametrize("path", SOCKETS.values())
def test_a_websocket_is_opened(world, path):
    with FrameWire(world.relay.url) as wire:
        assert wire.open(world.relay, path.format_map(world)).startswith(b"HTTP/1.1 101 ")


def test_responses_over_a_websocket_come_from_the_embedded_model(real_world):
    with FrameWire(real_world.relay.url) as wire:
        wire.open(real_world.relay)
        wire.create("Hello.", model=real_world.model, max_output_tokens=8)
        assert wire.last_event()["type"] in ("response.completed", "response.incomplete")


@pytest.mark.parametrize(("method", "path"), UNSUPPORTED, ids=[" ".join(r) for r in UNSUPPORTED])
def test_what_nobody_can_do_says_so(world, method, path):
    answer = world.relay.request(method, path)

    assert answer.status_code == 501
    assert answer.json()["error"]


def assert_answered(world, method, asked):
    body = None if asked.body is None else filled(asked.body, world)
    answer = world.relay.request(method, asked.target.format_map(world), json=body, **asked.options)

    assert answer.status_code == asked.status, answer.text
    if asked.proof:
        assert found(answer.json(), asked.proof) not in (None, ""), answer.text
    elif answer.status_code != 204:
        assert answer.content


def filled(value, world):
    """Return a body with what stands for a model's name in its place."""
    if isinstance(value, str):
        return value.replace("{model}", world.model)
    if isinstance(value, Mapping):
        return {name: filled(each, world) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, world) for each in value]
    return value


def found(value, place):
    """Return what stands at ``a.0.b``."""
    for step in place.split("."):
        value = value[int(step) if step.isdigit() else step]
    return value
