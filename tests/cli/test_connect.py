"""``connect`` prints settings that work where they are pasted: right address, token and model."""

import json
import tomllib

import pytest

from airelays_app.cli.clients import CLIENTS

NAMED_BY_THE_PROMISE = {
    "codex", "claude-code", "gemini-cli", "opencode", "aider", "llm", "open-webui", "librechat",
    "chatbox", "jan", "cherry-studio", "langchain", "openai-python", "openai-node",
    "anthropic-sdk", "google-genai", "agents-sdk", "vercel-ai-sdk", "curl",
}  # fmt: skip


def settings_of(command, client, *words, **environ):
    return command.json("connect", client, *words, **environ)["clients"][0]


def test_every_promised_client_has_a_row():
    assert set(CLIENTS) == NAMED_BY_THE_PROMISE


@pytest.mark.parametrize("slug", CLIENTS)
def test_every_row_has_the_address_the_token_and_nothing_unfilled(command, slug):
    row = settings_of(command, slug, AIRELAYS_PUBLIC_URL="https://relay.example/")
    text = "\n".join(f"{step['where']}\n{step['text']}" for step in row["steps"])
    assert "https://relay.example" in text
    assert "YOUR_AIRELAYS_TOKEN" in text
    assert "%{" not in text
    assert "AIRELAYS_TOKEN=" not in text, "a variable of our prefix would be taken for a setting"


@pytest.mark.parametrize("slug", ["claude-code", "gemini-cli", "anthropic-sdk", "google-genai"])
def test_who_adds_the_version_to_the_address_is_given_none(command, slug):
    row = settings_of(command, slug)
    assert "/v1" not in row["steps"][0]["text"].replace("v1beta", "")


def test_codex_settings_are_toml_of_its_shape(command):
    row = settings_of(command, "codex", "--model", "gpt-6")
    parsed = tomllib.loads(row["steps"][0]["text"])
    provider = parsed["model_providers"][parsed["model_provider"]]
    assert parsed["model"] == "gpt-6"
    assert provider["base_url"] == "http://127.0.0.1:8080/v1"
    assert provider["wire_api"] == "responses"
    assert f"export {provider['env_key']}=" in row["steps"][1]["text"]


def test_json_settings_are_json(command):
    opencode = json.loads(settings_of(command, "opencode")["steps"][0]["text"])
    options = opencode["provider"]["airelays"]["options"]
    assert options["baseURL"] == "http://127.0.0.1:8080/v1"
    json.loads(settings_of(command, "gemini-cli")["steps"][0]["text"])


@pytest.mark.parametrize(
    "client",
    [
        row
        for row in CLIENTS.values()
        if row.slug in ("openai-python", "agents-sdk", "langchain", "anthropic-sdk", "google-genai")
    ],
    ids=lambda c: c.slug,
)
def test_python_settings_are_python(command, client):
    compile(settings_of(command, client.slug)["steps"][0]["text"], client.slug, "exec")


def test_the_token_is_put_in_only_when_asked(command):
    token = command.json("init")["relay_token"]
    assert token not in command.run("connect", "curl").output
    assert token in command.run("connect", "curl", "--show-token").output
    assert token in command.run("connect", "--all", "--show-token").output


def test_without_auth_any_text_will_do(command):
    row = settings_of(command, "curl", AIRELAYS_REQUIRE_BEARER_AUTH="false")
    assert "Bearer any-text" in row["steps"][0]["text"]


def test_without_a_chosen_model_it_is_one_that_there_is(command, monkeypatch):
    """The subscription's, else one of the owner's servers, else the local one."""
    asked = {"AIRELAYS_PROVIDERS_BOX_BASE_URL": "http://box/v1"}
    listed = {**asked, "AIRELAYS_PROVIDERS_BOX_MODELS": "qwen,llama"}
    gguf = command.home / "mistral.gguf"
    gguf.touch()
    assert command.json("connect")["model"] == "gpt-5.5"
    own = {"AIRELAYS_LOCAL_MODEL_PATH": str(gguf)}
    assert command.json("connect", **own)["model"] == "mistral"
    assert command.json("connect", **own, AIRELAYS_LOCAL_ENABLED="false")["model"] == "gpt-5.5"
    assert command.json("connect", **listed, **own)["model"] == "box/qwen"
    unknown = command.json("connect", **asked)
    assert unknown["model"] == "YOUR_MODEL"
    assert "airelays models" in "".join(unknown["notes"])
    (command.home / ".airelays").mkdir()
    (command.home / ".airelays/auth.json").write_text("{}")
    assert command.json("connect", **listed)["model"] == "gpt-5.5"


def test_the_default_model_is_the_settings_one(command):
    row = settings_of(command, "aider", AIRELAYS_MODELS_DEFAULT="local/smollm2")
    assert "--model openai/local/smollm2" in row["steps"][0]["text"]


def test_the_list_names_every_client(command):
    text = command.run("connect").stdout
    assert all(f"  {slug}:" in text for slug in CLIENTS)


def test_code_is_printed_from_the_first_column(command):
    lines = command.run("connect", "openai-python").stdout.splitlines()
    assert "from openai import OpenAI" in lines


def test_an_unknown_client_gets_the_nearest_right_one(command):
    result = command.run("connect", "claude")
    assert result.exit_code == 2
    assert "claude-code" in result.stderr


def test_a_loopback_listener_is_said_to_be_one(command):
    assert any("this machine" in note for note in command.json("connect")["notes"])
    notes = command.json("connect", AIRELAYS_PUBLIC_URL="https://relay.example")["notes"]
    assert notes == []
