"""``token`` shows, rotates, adds and revokes; secrets appear where they were asked for, only."""

from datetime import UTC, datetime

import pytest


@pytest.fixture
def main(command):
    return command.json("init")["relay_token"]


def test_show_prints_without_changing(command, main):
    for _ in range(2):
        shown = command.json("token", "show")
        assert shown["relay_token"] == main
    assert shown["bearer_token_present"] is True
    assert shown["bearer_token_source"] == "file"
    assert shown["client"]["authorization_header"] == f"Authorization: Bearer {main}"
    assert main in command.run("token", "show").stdout


def test_show_without_a_token_says_how_to_make_one(command):
    result = command.run("token", "show")
    assert result.exit_code == 1
    assert "airelays init" in result.stdout
    assert "airelays token show" not in result.stdout


def test_rotate_replaces_the_token(command, main):
    rotated = command.json("token", "rotate")
    assert rotated["relay_token"] != main
    assert command.json("token", "show")["relay_token"] == rotated["relay_token"]


def test_a_token_of_the_environment_cannot_be_rotated(command, main):
    token = "e" * 20
    shown = command.json("token", "show", AIRELAYS_BEARER_TOKEN=token)
    assert (shown["bearer_token_source"], shown["relay_token"]) == ("env", token)
    result = command.run("token", "rotate", AIRELAYS_BEARER_TOKEN=token)
    assert result.exit_code == 78
    assert "AIRELAYS_BEARER_TOKEN" in result.stderr
    assert command.json("token", "show")["relay_token"] == main


def test_a_device_token_is_added_listed_rotated_and_revoked(command, main):
    added = command.json("token", "add", "laptop")["relay_token"]
    rotated = command.json("token", "rotate", "laptop")["relay_token"]
    assert len({main, added, rotated}) == 3
    names = [entry["name"] for entry in command.json("token", "list")["tokens"]]
    assert names == ["main", "laptop"]
    assert command.json("token", "revoke", "laptop") == {"revoked": "laptop"}
    assert len(command.json("token", "list")["tokens"]) == 1


def test_a_device_token_is_not_said_to_be_in_the_file_of_the_main_one(command, main):
    for words in (["add", "laptop"], ["rotate", "laptop"]):
        client = command.json("token", *words)["client"]
        assert client.keys().isdisjoint({"token_file", "reveal_token_command"})
    assert "token_file" in command.json("token", "rotate")["client"]


def test_the_list_says_what_it_shows_of_each_token(command, main):
    command.json("token", "add", "laptop")
    entries = command.json("token", "list")["tokens"]
    shown = command.run("token", "list").output
    for entry in entries:
        day = datetime.fromtimestamp(entry["created_at"], UTC).strftime("%Y-%m-%d")
        assert f"made {day}, digest {entry['fingerprint']}" in shown
    shown = command.run("token", "list", AIRELAYS_BEARER_TOKEN="e" * 20).output
    assert "given by AIRELAYS_BEARER_TOKEN, digest" in shown


def test_the_list_has_no_secret(command, main):
    added = command.json("token", "add", "laptop")["relay_token"]
    output = command.run("token", "list").output + command.run("token", "list", "--json").output
    assert "laptop" in output
    assert main not in output
    assert added not in output


@pytest.mark.parametrize("words", [("revoke", "laptop"), ("rotate", "laptop"), ("add", "main")])
def test_a_wrong_name_is_wrong_usage(command, main, words):
    result = command.run("token", *words)
    assert result.exit_code == 2
    assert repr(words[1]) in result.stderr
