"""``airelays providers``: what there is, and whether it answers, said of each account."""

import json

import pytest

from airelays_app.sandbox import Sandbox

NOBODY_LISTENS = "http://127.0.0.1:1/v1"


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def providers(command, sandbox):
    """Return a function that runs the command with one further server and nobody logged in."""
    environ = {
        "AIRELAYS_PROVIDERS_BOX_BASE_URL": sandbox.compatible_url,
        "AIRELAYS_PROVIDERS_BOX_API_KEY": sandbox.compatible_key,
    }
    return lambda *words, **more: command.run("providers", *words, **{**environ, **more})


def listed(providers):
    return json.loads(providers("list", "--json").stdout)["providers"]


def tried(providers, name, **environ):
    result = providers("test", name, "--json", **environ)
    (told,) = json.loads(result.stdout)["tested"]
    assert result.exit_code == (0 if told["ok"] else 1)
    return told


def test_the_list_says_in_words_what_is_not_ready(providers):
    page = providers("list").stdout
    assert "not ready: nobody is logged in" in page
    assert "not ready: not installed" in page
    (box,) = [each for each in listed(providers) if each["name"] == "box"]
    assert (box["kind"], box["ready"], box["problem"]) == ("compatible", True, None)


def test_a_server_that_answers_says_how_many_models_it_has(providers):
    told = tried(providers, "box")
    assert told["ok"]
    assert f"answers, {told['models']} models" in providers("test", "box").stdout


def test_a_server_whose_models_are_listed_is_asked_all_the_same(providers):
    models = {"AIRELAYS_PROVIDERS_BOX_MODELS": "one"}
    assert tried(providers, "box", **models)["models"] == 1
    down = tried(providers, "box", **models, AIRELAYS_PROVIDERS_BOX_BASE_URL=NOBODY_LISTENS)
    assert "127.0.0.1" in down["problem"]


def test_a_server_without_a_list_answers_if_the_settings_have_one(providers, sandbox):
    elsewhere = {"AIRELAYS_PROVIDERS_BOX_BASE_URL": f"{sandbox.compatible_url}/elsewhere"}
    assert not tried(providers, "box", **elsewhere)["ok"]
    assert tried(providers, "box", **elsewhere, AIRELAYS_PROVIDERS_BOX_MODELS="one")["ok"]


@pytest.mark.parametrize(
    ("name", "step"), [("codex", "airelays login"), ("local", "airelays local install")]
)
def test_what_is_not_set_up_says_how_to(providers, name, step):
    assert step in tried(providers, name)["problem"]


def test_a_wrong_name_is_told_the_right_ones(providers):
    result = providers("test", "bxo")
    assert result.exit_code == 2
    assert "box" in result.stderr
