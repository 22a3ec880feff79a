"""The sandbox is a decent HTTP/1.1 server: keep-alive, chunked and half-sent bodies, old clients,
wrong paths; whatever JSON it is sent it answers; it stops at once and leaves nothing behind.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import orjson
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airelays_app.sandbox import Sandbox

MOST_SECONDS = 30
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def raw(sandbox, data):
    host, port = sandbox.issuer_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=MOST_SECONDS) as connection:
        connection.sendall(data)
        with connection.makefile("rb") as answer:
            return answer.read()


def fields(*names):
    return st.dictionaries(st.sampled_from(names), JSON, max_size=4)


def test_one_connection_serves_many_requests(codex):
    for _ in range(3):
        codex.events()
        codex.get("/backend-api/wham/usage")
    numbers = {request.connection for request in codex.sandbox.requests}
    assert len(codex.sandbox.requests) == 6
    assert len(numbers) == 1


def test_a_request_is_recorded_whole(compatible):
    compatible.extra["X-Trace"] = "1, 2"
    body = {"model": "sandbox-small", "messages": [{"role": "user", "content": "é"}]}
    compatible.post("/chat/completions?a=b", body)
    request = compatible.sandbox.requests[0]
    assert (request.method, request.path, request.query) == (
        "POST",
        "/v1/chat/completions",
        {"a": "b"},
    )
    assert request.headers["x-trace"] == "1, 2"
    assert request.json == body
    assert orjson.loads(request.body) == body
    assert compatible.sandbox.requests.wait_closed(request)
    assert (request.status, request.closed_early) == (200, False)
    assert request.received_at <= request.closed_at


def test_chunked_bodies_and_expect_are_understood(compatible):
    body = orjson.dumps({"model": "sandbox-small", "prompt": "[[say chunked]]"})
    url = f"{compatible.sandbox.compatible_url}/completions"
    headers = {
        "Authorization": f"Bearer {compatible.sandbox.compatible_key}",
        "Expect": "100-continue",
    }
    answer = requests.post(
        url, data=iter([body[:9], body[9:]]), headers=headers, timeout=MOST_SECONDS
    )
    assert answer.json()["choices"][0]["text"] == "chunked"


def test_an_http_1_0_client_gets_no_chunks(sandbox):
    body = orjson.dumps({"model": "sandbox-small", "prompt": "[[say old]]", "stream": True})
    head = (
        f"POST /v1/completions HTTP/1.0\r\nauthorization: Bearer {sandbox.compatible_key}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    answer = raw(sandbox, head.encode() + body)
    assert b"transfer-encoding" not in answer
    assert answer.endswith(b"\n\ndata: [DONE]\n\n")


@pytest.mark.parametrize(
    "data",
    [
        b"POST /v1/responses HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        b"POST /v1/responses HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_bad_framing_is_refused(sandbox, data):
    assert raw(sandbox, data).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/oauth/token", 405),
        ("DELETE", "/v1/models", 405),
        ("HEAD", "/nowhere", 404),
    ],
)
def test_wrong_paths_and_methods(sandbox, method, path, status):
    answer = requests.request(method, f"{sandbox.issuer_url}{path}", timeout=MOST_SECONDS)
    assert answer.status_code == status


FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(fields("model", "input", "tools", "tool_choice", "text", "reasoning", "include", "metadata"))
def test_any_json_gets_an_answer_from_the_backend(codex, given):
    answer = codex.session.post(
        f"{codex.sandbox.codex_url}/responses",
        data=json.dumps(codex.body(**given)),
        headers={**codex.headers, "Content-Type": "application/json"},
        timeout=MOST_SECONDS,
    )
    assert answer.status_code in (200, 400, 404)


@FUZZ
@given(
    st.sampled_from(["/chat/completions", "/completions", "/responses"]),
    fields(
        "messages",
        "prompt",
        "input",
        "tools",
        "functions",
        "tool_choice",
        "response_format",
        "text",
        "stop",
        "max_tokens",
        "stream",
        "stream_options",
        "reasoning",
        "reasoning_effort",
        "include",
    ),
)
def test_any_json_gets_an_answer_from_the_compatible_server(compatible, path, given):
    base = {
        "model": "sandbox-small",
        "messages": [{"role": "user", "content": "x"}],
        "prompt": "x",
        "input": "x",
    }
    answer = compatible.session.post(
        f"{compatible.sandbox.compatible_url}{path}",
        data=json.dumps({**base, **given}),
        headers={"Authorization": f"Bearer {compatible.sandbox.compatible_key}"},
        timeout=MOST_SECONDS,
    )
    assert answer.status_code in (200, 400)


def test_stopping_ends_silent_streams_and_idle_connections_at_once():
    before = set(threading.enumerate())
    descriptors = len(os.listdir("/proc/self/fd"))
    with Sandbox() as sandbox, requests.Session() as session:
        session.get(f"{sandbox.issuer_url}/idle", timeout=MOST_SECONDS)
        sandbox.script("silent")
        body = {"model": "sandbox-small", "prompt": "x", "stream": True}
        headers = {"Authorization": f"Bearer {sandbox.compatible_key}"}
        url = f"{sandbox.compatible_url}/completions"
        with session.post(url, json=body, headers=headers, stream=True, timeout=MOST_SECONDS):
            begun = time.monotonic()
            sandbox.stop()
    assert time.monotonic() - begun < 20
    assert set(threading.enumerate()) <= before
    assert len(os.listdir("/proc/self/fd")) <= descriptors


def test_reset_forgets_everything_but_logins(codex):
    sandbox = codex.sandbox
    sandbox.script("forbidden")
    sandbox.settings.email = "x@example.org"
    codex.get("/backend-api/wham/usage")
    sandbox.reset()
    assert len(sandbox.requests) == 0
    assert sandbox.settings.email == "owner@example.org"
    assert codex.post(codex.body()).status_code == 200


def test_it_runs_in_the_foreground_and_dies_with_sigterm():
    command = [sys.executable, "-m", "airelays_app.sandbox", "--login", "me@example.org"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        described = orjson.loads(process.stdout.readline())
        headers = {
            "Authorization": f"Bearer {described['login']['access_token']}",
            "ChatGPT-Account-ID": described["login"]["account_id"],
            "originator": "codex_cli_rs",
        }
        url = f"{described['issuer_url']}/backend-api/wham/usage"
        assert requests.get(url, headers=headers, timeout=30).json()["email"] == "me@example.org"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=MOST_SECONDS) == 0


def test_an_unknown_variant_is_refused():
    with pytest.raises(ValueError, match="nosuch"):
        Sandbox(variant="nosuch")
