"""What the questions people ask about the relay promise of its behaviour."""

import base64
import json
import stat
import subprocess
import sys

import pytest

from tests.conftest import RunningRelay, write_login
from tests.seeds.asking import (
    CHAT,
    COMPLETIONS,
    IGNORED,
    MODEL,
    RESPONSES,
    question,
    text_of,
    user,
)

GENERATION = [RESPONSES, CHAT, COMPLETIONS]
CLI = (sys.executable, "-m", "airelays_app.cli")
SERVE = (*CLI, "serve")


@pytest.fixture
def airelays(tmp_path):
    """Return a function that runs the command in a home of its own."""

    def run(*words):
        environ = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        return subprocess.run(
            [*CLI, *words], env=environ, capture_output=True, text=True, check=False, timeout=100
        )

    return run


def at_home(home, sandbox, **environ):
    """Return a relay whose state is where the home directory has it by default."""
    standard = {
        "AIRELAYS_DATA_DIR": "",
        "AIRELAYS_PORT": "0",
        "AIRELAYS_WORKERS": "1",
        "AIRELAYS_LOCAL_ENABLED": "false",
        "AIRELAYS_AUTH_STORAGE": "file",
    }
    return RunningRelay(home, sandbox, standard | environ, SERVE)


def test_inference_uses_the_subscriptions_login_and_no_platform_key(relay):
    relay.ok(RESPONSES, question(RESPONSES), headers={"OpenAI-Organization": "org-1"})

    (asked,) = relay.sandbox.requests
    assert asked.path == "/backend-api/codex/responses"
    assert asked.headers["authorization"].startswith("Bearer ey")
    assert asked.headers["chatgpt-account-id"]
    assert "openai-organization" not in asked.headers


def test_earlier_local_state_still_works(relay, tmp_path):
    """Token, login and settings of the time when the name was in the singular."""
    data = tmp_path / ".airelay"
    data.mkdir(mode=0o700)
    write_login(data, relay.sandbox.login())
    (data / "relay-token").write_text("the-token-of-earlier-days\n")
    config = tmp_path / ".config" / "airelay"
    config.mkdir(parents=True)
    (config / "config.toml").write_text("[uploads]\nmax_upload_bytes = 1234\n")
    earlier = at_home(tmp_path, relay.sandbox)
    try:
        earlier.token = "the-token-of-earlier-days"
        assert text_of(RESPONSES, earlier.ok(RESPONSES, question(RESPONSES))) == "Hi"
        summary = earlier.get("/v1/relay/status").json()["relay"]
        assert summary["data_dir"] == str(data)
        assert summary["max_upload_bytes"] == 1234
    finally:
        earlier.stop()


def test_the_token_of_init_is_the_clients_key_until_it_is_rotated(relay, airelays, tmp_path):
    first = json.loads(airelays("init", "--json").stdout)["relay_token"]
    assert json.loads(airelays("token", "show", "--json").stdout)["relay_token"] == first
    assert airelays("token", "show").stdout.count(first)
    running = at_home(tmp_path, relay.sandbox)
    try:
        assert running.get("/v1/relay/status", token=first).status_code == 200

        second = json.loads(airelays("token", "rotate", "--json").stdout)["relay_token"]

        assert second != first
        assert running.get("/v1/relay/status", token=second).status_code == 200
        assert running.get("/v1/relay/status", token=first).status_code == 401
    finally:
        running.stop()


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["init"], "relay_token"),
        (["status"], "relay"),
        (["logout"], "deleted"),
        (["token", "show"], "relay_token"),
        (["token", "rotate"], "relay_token"),
    ],
    ids=str,
)
def test_the_commands_print_json_where_asked(airelays, words, key):
    if words != ["init"]:
        airelays("init")

    done = airelays(*words, "--json")

    assert done.returncode == 0, done.stderr
    assert key in json.loads(done.stdout)


def test_login_and_relay_token_are_separate(relay):
    """The upstream's own token opens nothing here, and the relay's opens nothing there."""
    access_token = relay.sandbox.login()["access_token"]

    assert relay.get("/v1/models", token=access_token).status_code == 401
    relay.ok(RESPONSES, question(RESPONSES))
    assert relay.token not in str(relay.sandbox.requests[0].headers)


def test_files_are_kept_under_the_home_directory(relay, tmp_path):
    running = at_home(tmp_path, relay.sandbox, AIRELAYS_BEARER_TOKEN=relay.token)
    try:
        id_ = running.post("/v1/files", files={"file": ("a.txt", b"Hello")}).json()["id"]

        data = tmp_path / ".airelays"
        assert (data / "uploads" / id_).read_bytes() == b"Hello"
        assert id_.encode() in b"".join(path.read_bytes() for path in data.glob("state.sqlite3*"))
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert stat.S_IMODE((data / "state.sqlite3").stat().st_mode) == 0o600
        summary = running.get("/v1/relay/status").json()["relay"]
        assert summary["max_upload_bytes"] == 32 * 2**20
        assert summary["max_total_upload_bytes"] == 256 * 2**20
    finally:
        running.stop()


def test_init_can_switch_the_gate_off(relay, airelays, tmp_path):
    assert airelays("init", "--no-auth").returncode == 0
    running = at_home(tmp_path, relay.sandbox)
    try:
        assert running.get("/v1/relay/status", token=None).status_code == 200
    finally:
        running.stop()


@pytest.mark.parametrize("path", GENERATION)
@pytest.mark.parametrize("stream", [False, True])
def test_parameters_that_disappear_are_told(relay, path, stream):
    answer = relay.post(path, question(path, temperature=0, top_p=1, stream=stream))

    assert answer.status_code == 200
    assert answer.headers[IGNORED] == "temperature,top_p"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (RESPONSES, "max_output_tokens"),
        (CHAT, "max_completion_tokens"),
        (COMPLETIONS, "max_tokens"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_token_limits_are_refused_here_with_the_way_out(relay, path, name, stream):
    error = relay.refusal(path, question(path, stream=stream, **{name: 50}))

    assert error["param"] == name
    assert "compat.token_limits" in error["message"]
    assert len(relay.sandbox.requests) == 0


PDF = base64.b64encode(b"%PDF").decode()


@pytest.mark.parametrize(
    "part",
    [
        {"file_url": "https://example.org/a.pdf"},
        {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
        {"filename": "a.pdf", "file_data": PDF},
        {"file_id": ...},
    ],
    ids=lambda part: " ".join(part),
)
def test_every_form_of_a_file_input_is_understood(relay, part):
    if "file_id" in part:
        upload = {"file": ("a.pdf", b"%PDF", "application/pdf")}
        part = {"file_id": relay.post("/v1/files", files=upload).json()["id"]}
    content = [{"type": "input_text", "text": "[[say Read]]"}, {"type": "input_file", **part}]

    relay.ok(RESPONSES, {"model": MODEL, "input": user(content)})

    sent = relay.asked()["input"][0]["content"][1]
    assert "file_id" not in sent
    inline = sent.get("file_data") == f"data:application/pdf;base64,{PDF}"
    assert inline or sent == {"type": "input_file", "file_url": "https://example.org/a.pdf"}
