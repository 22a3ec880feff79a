"""``config`` shows what holds and where it came from, and says everything that is wrong."""

import json
import re

SECRET = "planted-secret-planted"


def write_config(command, text):
    path = command.home / ".config/airelays/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_show_has_values_and_origins(command):
    path = write_config(command, "[server]\nport = 9\n")
    shown = command.json("config", "show", AIRELAYS_HOST="0.0.0.0")
    assert shown["config_path"] == str(path)
    assert shown["config_exists"] is True
    assert shown["settings"]["server.port"]["value"] == 9
    assert shown["settings"]["server.port"]["source"] == f"file {path}"
    assert shown["settings"]["server.host"]["source"] == "environment AIRELAYS_HOST"


def test_show_for_people(command):
    text = command.run("config", "show", AIRELAYS_PORT="9").stdout
    assert "[server]" in text
    assert re.search(r"\n  port: +9   \(environment AIRELAYS_PORT\)\n", text)
    assert re.search(r"\n  public_url: +not set\n", text)
    assert "\x1b" not in text


def test_only_changed_settings(command):
    shown = command.json("config", "show", "--changed", AIRELAYS_PORT="9")
    assert list(shown["settings"]) == ["server.port"]


def test_secrets_are_hidden(command):
    environ = {
        "AIRELAYS_BEARER_TOKEN": SECRET,
        "AIRELAYS_PROVIDERS_BOX_BASE_URL": "http://box/v1",
        "AIRELAYS_PROVIDERS_BOX_API_KEY": SECRET,
    }
    for words in (("config", "show"), ("config", "show", "--json"), ("config", "check")):
        assert SECRET not in command.run(*words, **environ).output


def test_path_is_printed_whether_or_not_it_exists(command):
    expected = command.home / ".config/airelays/config.toml"
    assert command.run("config", "path").stdout == f"{expected}\n"
    assert command.json("config", "path") == {
        "config_path": str(expected),
        "config_exists": False,
    }


def test_check_passes_a_right_file(command):
    write_config(command, "[server]\nport = 9\n")
    assert command.json("config", "check")["ok"] is True


def test_check_names_every_mistake_and_ends_with_78(command):
    write_config(command, "[server]\nprot = 9\n[compat]\ntoken_limits = 'allow'\n")
    result = command.run("config", "check")
    assert result.exit_code == 78
    assert result.stdout == ""
    assert "server.prot is not a setting. Did you mean server.port?" in result.stderr
    assert "compat.token_limits must be one of reject, ignore, forward" in result.stderr


def test_programs_get_every_mistake_as_one_of_a_list(command):
    write_config(command, "[server]\nprot = 9\n[compat]\ntoken_limits = 'allow'\n")
    result = command.run("config", "check", "--json")
    assert result.exit_code == 78
    told = json.loads(result.stdout)
    assert told["ok"] is False
    assert {problem.split()[0] for problem in told["problems"]} == {
        "server.prot",
        "compat.token_limits",
    }


def test_the_file_is_named_once_for_people(command):
    path = write_config(command, "[server]\nport = 9\nhost = '0.0.0.0'\n")
    page = command.run("config", "show").stdout
    assert re.search(r"\n  port: +9   \(file\)\n", page)
    assert page.count(str(path)) == 1


def test_without_home_the_missing_variable_is_named(command):
    result = command.run("config", "show", HOME="")
    assert result.exit_code == 78
    assert "HOME is not set" in result.stderr
    assert "AIRELAYS_DATA_DIR" in result.stderr
