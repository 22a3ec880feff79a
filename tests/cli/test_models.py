"""``airelays models`` lists what clients can ask for; the relay need not be running."""

import json

import pytest

from airelays_app.sandbox import Sandbox
from tests.conftest import write_login


@pytest.fixture
def models(command):
    """Return a function that runs the command with a login and one further server."""
    with Sandbox() as sandbox:
        environ = {
            "AIRELAYS_UPSTREAM_BASE_URL": sandbox.codex_url,
            "AIRELAYS_PROVIDERS_BOX_BASE_URL": sandbox.compatible_url,
            "AIRELAYS_PROVIDERS_BOX_API_KEY": sandbox.compatible_key,
        }
        (command.home / ".airelays").mkdir(mode=0o700)
        write_login(command.home / ".airelays", sandbox.login())
        yield lambda *words, **more: command.run("models", *words, **environ, **more)


def test_bare_names_are_the_default_providers_the_others_have_theirs_in_front(command, models):
    listed = json.loads(models("--json").stdout)["models"]
    by_id = {entry["id"]: entry for entry in listed}
    assert by_id["gpt-5.5"] == {
        "id": "gpt-5.5",
        "provider": "codex",
        "upstream_model": "gpt-5.5",
        "display_name": "GPT-5.5",
        "owned_by": by_id["gpt-5.5"]["owned_by"],
    }
    assert by_id["box/sandbox/reasoner:7b"]["provider"] == "box"
    assert by_id["box/sandbox/reasoner:7b"]["upstream_model"] == "sandbox/reasoner:7b"


def test_the_page_has_a_section_for_each_provider(models):
    page = models().stdout
    assert page.index("\ncodex\n") < page.index("gpt-5.5:")
    assert page.index("\nbox\n") < page.index("box/sandbox-small")


def test_an_alias_is_listed_too(models):
    page = models(AIRELAYS_MODELS_ALIASES="favourite=gpt-5.5").stdout
    assert "favourite" in page


def test_a_server_that_is_down_does_not_hide_the_others(models):
    result = models(AIRELAYS_PROVIDERS_OFF_BASE_URL="http://127.0.0.1:1")
    assert result.exit_code == 0
    assert "gpt-5.5" in result.stdout


def test_without_any_login_it_is_said_how_to_get_one(command):
    result = command.run("models")
    assert result.exit_code == 1
    assert "airelays login" in result.stderr
