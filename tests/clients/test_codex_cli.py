"""Codex CLI with the settings that ``airelays connect codex`` prints: whole turns with its shell.

What it sends depends on the model's name (see the tests), and was last seen with 0.169.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.clients import command_line
from tests.clients.tried import on_its_upstreams
from tests.clients.upstreams import SUBSCRIPTION

QUIET = "check_for_update_on_startup = false\n"
OFFLINE = "\n[analytics]\nenabled = false\n"
SHELL = '[[call exec_command {"cmd": "echo marker-$((40+2))"}]] [[then]] [[say All done.]]'
SCRIPT = (
    '[[custom exec const done = await tools.exec_command({cmd: "echo marker-$((40+2))"});'
    " text(done.output)]] [[then]] [[say All done.]]"
)


@dataclass(frozen=True)
class Turn:
    """What ``codex exec --json`` did."""

    status: int
    events: list[dict[str, Any]]
    last_message: str
    complaints: str

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Return the finished items of one kind."""
        items = (event["item"] for event in self.events if event["type"] == "item.completed")
        return [item for item in items if item["type"] == kind]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of one type."""
        return [event for event in self.events if event["type"] == kind]


@pytest.fixture(scope="session")
def codex() -> str:
    return command_line.installed("codex")


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(vendors=True, LOG_TRAFFIC="true")


@pytest.fixture
def home(tmp_path) -> Path:
    """Return a new folder for everything that Codex keeps."""
    (tmp_path / "work").mkdir()
    return tmp_path


@pytest.fixture
def configure(home, relay) -> Callable[..., None]:
    """Return a function that writes the printed settings, with ``more`` for the provider."""

    def write(model: str, more: str = "") -> None:
        settings, *_ = command_line.printed("codex", relay, model)
        (home / "config.toml").write_text(QUIET + settings + more + OFFLINE)

    return write


@pytest.fixture
def run(codex, home, relay) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    environ = {"CODEX_HOME": str(home), "RELAY_TOKEN": relay.token}

    def run_codex(*arguments: str) -> subprocess.CompletedProcess[str]:
        return command_line.run([codex, *arguments], home, environ)

    return run_codex


@pytest.fixture
def take_turn(run, home) -> Callable[[str], Turn]:
    def take(prompt: str) -> Turn:
        last = home / "last.txt"
        done = run(
            "exec",
            "--json",
            "--skip-git-repo-check",
            "--dangerously-bypass-approvals-and-sandbox",
            "--output-last-message",
            str(last),
            prompt,
        )
        events = [json.loads(line) for line in done.stdout.splitlines()]
        said = last.read_text() if last.exists() else ""
        return Turn(done.returncode, events, said, done.stderr)

    return take


def assert_shell_was_used(turn: Turn) -> None:
    assert turn.status == 0, (turn.events, turn.complaints)
    (command,) = turn.items("command_execution")
    assert command["exit_code"] == 0
    assert command["aggregated_output"] == "marker-42\n"
    assert [item["text"] for item in turn.items("agent_message")] == ["All done."]
    assert turn.last_message == "All done."
    (end,) = turn.of_type("turn.completed")
    assert end["usage"]["input_tokens"] > 1000
    assert end["usage"]["output_tokens"] > 0
    assert not turn.of_type("error"), "no reconnecting, no retry"


@pytest.mark.parametrize(("model", "other"), [("gpt-5.5", "custom"), ("gpt-5.4", "namespace")])
def test_a_turn_with_functions(relay, configure, take_turn, model, other):
    """A model of its own catalogue, and one that it does not know: functions among others."""
    configure(model)

    assert_shell_was_used(take_turn(SHELL))

    first, second = (request.json for request in relay.sandbox.requests.to("/codex/responses"))
    assert {tool["type"] for tool in first["tools"]} > {"function", other}
    call, result = second["input"][-2:]
    assert (call["type"], call["name"]) == ("function_call", "exec_command")
    assert result["type"] == "function_call_output"
    assert result["call_id"] == call["call_id"]
    assert "marker-42" in result["output"]
    thought = next(item for item in second["input"] if item["type"] == "reasoning")
    assert thought["encrypted_content"], "the seal has come back"


def test_a_turn_with_tools_among_the_input(relay, configure, take_turn):
    """From gpt-5.6 up there is no ``tools``: an input item declares them, and they take text."""
    configure("gpt-5.6-sol")

    assert_shell_was_used(take_turn(SCRIPT))

    first, second = (request.json for request in relay.sandbox.requests.to("/codex/responses"))
    assert first["input"][0]["type"] == "additional_tools"
    call, result = second["input"][-2:]
    assert (call["type"], call["name"]) == ("custom_tool_call", "exec")
    assert result["type"] == "custom_tool_call_output"
    assert isinstance(result["output"], list)
    assert "marker-42" in str(result["output"])


def test_the_printed_example(relay, configure, run):
    configure(SUBSCRIPTION.model)
    *words, question = command_line.example("codex", relay, SUBSCRIPTION.model)

    done = run(*words, "--skip-git-repo-check", question)

    command_line.assert_repeated(done, question)
    (asked,) = SUBSCRIPTION.among(relay.sandbox.requests)
    assert question.encode() in asked.body


@on_its_upstreams("codex")
def test_a_turn_on_an_upstream_of_each_dialect(relay, configure, take_turn, upstream):
    configure(upstream.model)

    assert_shell_was_used(take_turn(SHELL))

    _, second = upstream.among(relay.sandbox.requests)
    assert b"marker-42" in second.body


def test_a_grouped_tool_is_known_again_after_a_server_without_groups(relay, configure, take_turn):
    configure("box/sandbox-small")

    turn = take_turn('[[call wait_agent {"targets": ["nobody"]}]] [[then]] [[say All done.]]')

    assert turn.last_message == "All done."
    *_, call, result = relay.sandbox.requests.to("/chat/completions")[-1].json["messages"]
    assert call["tool_calls"][0]["function"]["name"] == "wait_agent"
    assert "unsupported call" not in result["content"]


def without_ids(items):
    return [{name: value for name, value in item.items() if name != "id"} for item in items]


class TestOverAWebSocket:
    """With ``supports_websockets`` it warms up, and then sends what is new in each turn only."""

    @pytest.fixture
    def configure(self, configure):
        return lambda model: configure(model, "supports_websockets = true\n")

    @pytest.mark.parametrize(
        ("model", "prompt"), [("gpt-5.5", SHELL), ("gpt-5.6-sol", SCRIPT)], ids=["5.5", "5.6"]
    )
    def test_a_turn(self, relay, configure, take_turn, model, prompt):
        before = relay.log()
        configure(model)

        assert_shell_was_used(take_turn(prompt))

        log = relay.log().removeprefix(before)
        assert "method=POST" not in log
        assert log.count("method=WEBSOCKET path=/v1/responses status=200") >= 2
        first, second = (request.json for request in relay.sandbox.requests.to("/codex/responses"))
        assert without_ids(second["input"][: len(first["input"])]) == without_ids(first["input"])
        assert "marker-42" in str(second["input"][-1])
        thought = next(item for item in second["input"] if item["type"] == "reasoning")
        assert thought["encrypted_content"], "the seal has come back"

    @on_its_upstreams("codex")
    def test_a_turn_on_an_upstream_of_each_dialect(self, relay, configure, take_turn, upstream):
        before = relay.log()
        configure(upstream.model)

        assert_shell_was_used(take_turn(SHELL))

        _, second = upstream.among(relay.sandbox.requests)
        assert b"marker-42" in second.body
        assert "method=POST" not in relay.log().removeprefix(before)

    def test_a_turn_that_broke_in_the_middle_is_taken_again(self, relay, configure, take_turn):
        configure("gpt-5.5")
        relay.sandbox.script("cut+slow", after=2)

        turn = take_turn("[[say One two three four]]")

        assert turn.status == 0
        assert turn.last_message == "One two three four"


class TestWithoutAWebSocket:
    @pytest.fixture
    def relay(self, start_relay):
        return start_relay(RESPONSES_WEBSOCKET="false")

    def test_a_wish_for_one_costs_one_request(self, relay, configure, take_turn):
        configure("gpt-5.6-sol", "supports_websockets = true\n")

        assert_shell_was_used(take_turn(SCRIPT))

        assert relay.log().count("method=GET path=/v1/responses") == 1
        assert relay.log().count("method=GET path=/v1/responses status=426") == 1


class TestLoggedIn:
    """Logged in with ChatGPT it compresses its requests and asks for the models.

    A Codex set up so sends its own access token; here that is the relay's.
    """

    @pytest.fixture
    def settings(self, home, relay):
        login = relay.sandbox.login()
        tokens = {
            "id_token": login["id_token"],
            "access_token": relay.token,
            "refresh_token": "none",
            "account_id": login["account_id"],
        }
        document = {"tokens": tokens, "last_refresh": "2026-11-22T00:00:00Z"}
        (home / "auth.json").write_text(json.dumps(document))
        (home / "config.toml").write_text(
            f"""{QUIET}
            model = "gpt-5.5"
            model_provider = "airelays"
            chatgpt_base_url = "{relay.url}/nothing"

            [model_providers.airelays]
            name = "OpenAI"
            base_url = "{relay.base_url}"
            requires_openai_auth = true
            wire_api = "responses"
            {OFFLINE}"""
        )

    def test_a_compressed_turn(self, relay, settings, take_turn):
        assert_shell_was_used(take_turn(SHELL))

        assert len(relay.sandbox.requests.to("/codex/responses")) == 2
        traffic = "".join(file.read_text() for file in relay.data_dir.glob("logs/**/*.log"))
        assert traffic.count('["content-encoding","zstd"]') == 2

    def test_it_reads_the_catalogue(self, settings, run):
        shown = json.loads(run("debug", "models").stdout)["models"]

        described = {model["slug"]: model["description"] for model in shown}
        assert described["gpt-5.5"] == "GPT-5.5, played by the sandbox."


def test_a_quota_that_is_used_up_is_told_in_its_own_words_at_once(relay, configure, take_turn):
    configure("gpt-5.5")
    relay.sandbox.script("limit", resets_in_seconds=7200, times=9)

    turn = take_turn("Hi")

    assert turn.status == 1
    assert "usage limit" in turn.of_type("turn.failed")[0]["error"]["message"]
    assert len(relay.sandbox.requests.to("/codex/responses")) == 1


@pytest.mark.parametrize("behaviour", ["failed", "cut", "reset"])
def test_a_turn_that_broke_in_the_middle_is_taken_again(relay, configure, take_turn, behaviour):
    configure("gpt-5.5")
    relay.sandbox.script(f"{behaviour}+slow", after=2)

    turn = take_turn("[[say One two three four]]")

    assert turn.status == 0
    assert turn.last_message == "One two three four"
    assert len(relay.sandbox.requests.to("/codex/responses")) == 2
