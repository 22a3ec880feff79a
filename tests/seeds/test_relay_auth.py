"""The relay's own gate: ``/v1/*`` and ``/no-tools/v1/*`` want the relay token.

Missing or wrong is 401; repeated often enough from one address it is 429 for a while. ``/`` and
``/healthz`` are public. Where the owner switches the gate off, the upstream login is still needed,
and its absence is a 503, not a client's mistake.
"""

import json
import subprocess
import sys

import openai
import pytest
import requests

from tests.conftest import RunningRelay
from tests.seeds.asking import CHAT, COMPLETIONS, MODEL, RESPONSES, question, text_of

ROUTES = [
    ("GET", "/v1/models"),
    ("GET", "/no-tools/v1/models"),
    ("GET", "/v1/subscription/status"),
    ("GET", "/v1/account/rate_limits"),
    ("GET", "/v1/relay/status"),
    ("POST", RESPONSES),
    ("POST", CHAT),
    ("POST", COMPLETIONS),
    ("POST", f"/no-tools{RESPONSES}"),
    ("POST", f"/no-tools{CHAT}"),
    ("POST", f"/no-tools{COMPLETIONS}"),
    ("POST", "/v1/files"),
    ("POST", "/v1/conversations"),
    ("POST", "/v1/embeddings"),
    ("GET", "/v1/nothing-there"),
]
GENERATION = [RESPONSES, CHAT, COMPLETIONS, f"/no-tools{RESPONSES}", f"/no-tools{CHAT}"]


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay that blocks nobody while its answers are looked at."""
    return start_relay(FAILED_AUTH_MAX_ATTEMPTS="100000")


@pytest.fixture(scope="module")
def open_relay(start_relay):
    """Return a relay without the gate."""
    return start_relay(REQUIRE_BEARER_AUTH="false")


@pytest.fixture(scope="module")
def relay_without_login(start_relay):
    """Return a relay without the gate, and without a login at the upstream."""
    return start_relay(login=False, REQUIRE_BEARER_AUTH="false", DEFAULT_PROVIDER="codex")


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("token", [None, "not-the-token-of-this-relay"])
def test_without_the_token_it_is_401(relay, method, path, token):
    answer = relay.request(method, path, token=token)

    assert answer.status_code == 401
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert len(relay.sandbox.requests) == 0


def test_a_revoked_token_is_refused_in_the_words_for_any_other(relay):
    """A client learns nothing of what a token once was, from whichever worker."""
    cli = [sys.executable, "-m", "airelays_app.cli", "token"]
    add, revoke = [*cli, "add", "phone", "--json"], [*cli, "revoke", "phone"]
    told = subprocess.run(add, env=relay.environ, capture_output=True, check=True)
    token = json.loads(told.stdout)["relay_token"]
    assert relay.get("/v1/models", token=token).status_code == 200
    subprocess.run(revoke, env=relay.environ, capture_output=True, check=True)

    unknown = relay.get("/v1/models", token="not-the-token-of-this-relay")
    for _ in range(10):
        refused = relay.get("/v1/models", token=token)
        assert (refused.status_code, refused.json()) == (401, unknown.json())


@pytest.mark.parametrize("path", ["/", "/healthz"])
@pytest.mark.parametrize("token", [None, "not-the-token-of-this-relay"])
def test_home_and_health_are_public(relay, path, token):
    assert relay.get(path, token=token).status_code == 200


@pytest.mark.parametrize("path", GENERATION)
def test_with_the_token_it_is_answered(relay, path):
    assert text_of(path, relay.ok(path, question(path))) == "Hi"


def test_an_sdk_sends_the_token_by_itself(relay):
    with openai.OpenAI(base_url=relay.base_url, api_key=relay.token) as client:
        assert client.responses.create(model=MODEL, input="[[say Hi]]").output_text == "Hi"


def test_the_relay_token_never_reaches_the_upstream(relay):
    for path in GENERATION:
        relay.ok(path, question(path), headers={"x-api-key": relay.token})

    sent = [(asked.headers, asked.body) for asked in relay.sandbox.requests]
    assert len(sent) == len(GENERATION)
    assert relay.token not in str(sent)


def test_repeating_the_mistake_is_blocked_for_a_while(start_relay):
    relay = start_relay()

    statuses = [relay.get("/v1/models", token="wrong-" * 4).status_code for _ in range(9)]

    assert statuses == [401] * 8 + [429]
    blocked = relay.get("/v1/models", token=None)
    error = blocked.json()["error"]
    assert (error["type"], error["code"]) == ("rate_limit_error", "ip_temporarily_blocked")
    assert 0 < int(blocked.headers["Retry-After"]) <= 900
    assert relay.get("/healthz").status_code == 200


def test_a_client_that_works_is_not_locked_out_by_another(start_relay):
    relay = start_relay()
    assert relay.get("/v1/relay/status").status_code == 200

    for _ in range(10):
        relay.get("/v1/relay/status", token="wrong-" * 4)

    assert relay.get("/v1/relay/status").status_code == 200


@pytest.mark.parametrize("path", GENERATION)
@pytest.mark.parametrize("token", [None, "a-placeholder"])
def test_without_the_gate_nothing_is_asked_for(open_relay, path, token):
    answer = open_relay.post(path, question(path), token=token)

    assert answer.status_code == 200, answer.text
    assert text_of(path, answer.json()) == "Hi"


def test_without_the_gate_an_sdk_needs_but_a_placeholder(open_relay):
    with openai.OpenAI(base_url=open_relay.base_url, api_key="unused") as client:
        assert client.models.list().data


@pytest.mark.parametrize("path", GENERATION)
@pytest.mark.parametrize("stream", [False, True])
def test_without_the_gate_the_login_is_still_needed(relay_without_login, path, stream):
    answer = relay_without_login.post(path, question(path, stream=stream), token=None)

    assert answer.status_code == 503
    error = answer.json()["error"]
    assert error["type"] == "authentication_error"
    assert "airelays login" in error["message"]
    assert answer.headers["x-airelays-upstream-auth"] == "missing"
    assert "WWW-Authenticate" not in answer.headers


def test_the_flag_opens_one_server_process(relay, tmp_path):
    (tmp_path / "data").mkdir(mode=0o700)
    command = (sys.executable, "-m", "airelays_app.cli", "serve", "--no-auth", "--port", "0")
    environ = {"AIRELAYS_LOCAL_ENABLED": "false", "AIRELAYS_WORKERS": "1"}
    opened = RunningRelay(tmp_path, relay.sandbox, environ, command)
    try:
        assert opened.get("/v1/relay/status", token=None).status_code == 200
    finally:
        opened.stop()


def test_an_open_relay_is_for_this_machine_only():
    """Unless the owner says that it may be open for others."""
    done = subprocess.run(
        [sys.executable, "-m", "airelays_app.cli", "serve", "--no-auth", "--host", "0.0.0.0"],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    assert done.returncode != 0
    assert "open" in done.stderr


def test_an_open_relay_answers_no_web_page(open_relay):
    foreign = requests.get(
        f"{open_relay.url}/v1/models", headers={"Origin": "https://evil.example"}, timeout=100
    )

    assert foreign.status_code == 403
