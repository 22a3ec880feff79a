"""``init`` writes a private file with what its options said and nothing else, and makes a token.

What exists is kept; an option that an existing file would make meaningless is refused.
"""

import stat
import tomllib

import pytest


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def config_file(command):
    return command.home / ".config/airelays/config.toml"


def set_in_file(command):
    sections = tomllib.loads(config_file(command).read_text())
    return {
        f"{name}.{key}": value for name, table in sections.items() for key, value in table.items()
    }


def test_the_first_run_writes_everything(command):
    done = command.json("init")
    token_file = command.home / ".airelays/relay-token"
    assert done["config_created"] is True
    assert done["bearer_token_created"] is True
    assert done["bearer_token_source"] == "file"
    assert done["relay_token"] == token_file.read_text().strip()
    assert done["client"]["base_url"] == "http://127.0.0.1:8080/v1"
    assert done["client"]["relay_token"] == done["relay_token"]
    assert "airelays login" in done["next_steps"][0]
    assert set_in_file(command) == {}


def test_files_and_folders_are_private(command):
    command.json("init")
    data_dir = command.home / ".airelays"
    assert mode(config_file(command)) == mode(data_dir / "relay-token") == 0o600
    assert mode(config_file(command).parent) == mode(data_dir) == 0o700


def test_a_second_run_keeps_everything(command):
    first = command.json("init")
    config_file(command).write_text("[server]\nport = 7\n")
    second = command.json("init")
    assert second["config_created"] is False
    assert second["bearer_token_created"] is False
    assert second["relay_token"] is None
    assert config_file(command).read_text() == "[server]\nport = 7\n"
    shown = command.json("init", "--show-token")
    assert shown["relay_token"] == first["relay_token"]


def test_options_are_written_and_the_environment_is_not(command):
    command.json(
        "init",
        "--host",
        "192.168.1.10",
        "--port",
        "9000",
        AIRELAYS_STREAMS="500",
        AIRELAYS_PORT="1",
        AIRELAYS_BEARER_TOKEN="t" * 20,
    )
    assert set_in_file(command) == {"server.host": "192.168.1.10", "server.port": 9000}


def test_paths_are_written_as_they_were_given(command):
    odd = command.home / 'odd "name" \\ é'
    command.json("init", "--data-dir", str(odd))
    assert set_in_file(command) == {"paths.data_dir": str(odd)}
    assert (odd / "relay-token").exists()


def test_a_relative_path_is_written_as_the_full_one(command, monkeypatch):
    monkeypatch.chdir(command.home)
    command.json("init", "--data-dir", "here", "--logs-dir", "~/logs")
    assert set_in_file(command) == {
        "paths.data_dir": str(command.home / "here"),
        "paths.logs_dir": "~/logs",
    }


@pytest.mark.parametrize("words", [("--host", "::1"), ("--port", "1"), ("--no-auth",)])
def test_an_option_that_would_be_ignored_is_refused(command, words):
    command.json("init")
    before = config_file(command).read_text()
    result = command.run("init", *words)
    assert result.exit_code == 78
    assert words[0] in result.stderr
    assert "--force" in result.stderr
    assert config_file(command).read_text() == before


def test_force_writes_anew_and_keeps_the_old_file(command):
    command.json("init", "--port", "1")
    old = config_file(command).read_text()
    done = command.json("init", "--force", "--port", "2")
    assert set_in_file(command) == {"server.port": 2}
    backup = config_file(command).with_name("config.toml.old")
    assert done["config_backup"] == str(backup)
    assert backup.read_text() == old
    assert mode(backup) == 0o600


def test_without_auth_no_token_is_made(command):
    done = command.json("init", "--no-auth")
    assert set_in_file(command) == {"security.require_bearer_auth": False}
    assert done["relay_token"] is None
    assert done["client"]["requires_bearer_auth"] is False
    assert "api_key_note" in done["client"]
    assert not (command.home / ".airelays/relay-token").exists()


def test_an_open_relay_for_the_network_needs_a_confirmation(command):
    result = command.run("init", "--no-auth", "--host", "0.0.0.0")
    assert result.exit_code == 78
    assert "--i-understand-open-relay" in result.stderr
    assert not config_file(command).exists()
    command.json("init", "--no-auth", "--host", "0.0.0.0", "--i-understand-open-relay")
    assert set_in_file(command)["security.allow_open_relay"] is True


def test_a_bad_value_writes_nothing(command):
    assert command.run("init", "--port", "99999").exit_code == 78
    assert not config_file(command).exists()


def test_a_named_file_is_written_there(command):
    elsewhere = command.home / "conf/relay.toml"
    done = command.json("init", "--config", str(elsewhere))
    assert done["config_path"] == str(elsewhere)
    assert elsewhere.exists()
    assert not config_file(command).exists()


def test_earlier_state_counts_as_existing(command):
    earlier = command.home / ".config/airelay/config.toml"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("[server]\nport = 5\n")
    (command.home / ".airelay").mkdir()
    (command.home / ".airelay/relay-token").write_text("t" * 43 + "\n")
    done = command.json("init", "--show-token")
    assert done["config_path"] == str(earlier)
    assert done["relay_token"] == "t" * 43
    assert done["client"]["base_url"] == "http://127.0.0.1:5/v1"


def test_the_page_for_people(command):
    text = command.run("init").stdout
    for part in (
        "AIRelays",
        "Client Setup",
        "  Base URL:         http://127.0.0.1:8080/v1",
        "  1. ",
    ):
        assert part in text
    assert "\x1b" not in text
