"""Shared options count before and after the command; the later one wins, none resets another."""

import json

import pytest


def data_dir_of(result) -> str:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["settings"]["paths.data_dir"]["value"]


@pytest.mark.parametrize(
    "words",
    [
        ("--data-dir", "/tmp/a", "config", "show", "--json"),
        ("config", "--data-dir", "/tmp/a", "show", "--json"),
        ("config", "show", "--json", "--data-dir", "/tmp/a"),
        ("--data-dir", "/tmp/b", "config", "show", "--json", "--data-dir", "/tmp/a"),
        ("--data-dir", "/tmp/a", "config", "--logs-dir", "/tmp/l", "show", "--json"),
    ],
)
def test_an_option_counts_wherever_it_stands(command, words):
    assert data_dir_of(command.run(*words)) == "/tmp/a"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_configuration_file_can_be_named_anywhere(command, place):
    file = command.home / "mine.toml"
    file.write_text("[paths]\ndata_dir = '/tmp/mine'\n")
    words = ["config", "show"]
    words[place:place] = ["--config", str(file)]
    assert data_dir_of(command.run(*words, "--json")) == "/tmp/mine"


def test_a_flag_wins_over_the_environment(command):
    result = command.run(
        "--data-dir", "/tmp/a", "config", "show", "--json", AIRELAYS_DATA_DIR="/tmp/env"
    )
    assert data_dir_of(result) == "/tmp/a"


def test_all_four_shared_settings_are_passed_on(command):
    shown = command.json(
        "--logs-dir", "/l", "--auth-storage", "file", "--bearer-token-file", "/t", "config", "show"
    )["settings"]
    assert shown["paths.logs_dir"]["value"] == "/l"
    assert shown["auth.storage"]["value"] == "file"
    assert shown["security.bearer_token_file"]["value"] == "/t"


def test_a_word_that_is_no_choice_is_wrong_usage(command):
    assert command.run("--auth-storage", "cloud", "config", "show").exit_code == 2


def test_shared_options_are_explained_once_and_stand_last(command):
    explanation = "The file that holds the owner's relay token."
    assert explanation in command.run("--help").stdout
    text = command.run("token", "show", "--help").stdout
    assert explanation not in text
    assert text.index("--json") < text.index("--config")
    assert "See airelays --help." in text
