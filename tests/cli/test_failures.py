"""A command that fails says why in a sentence, without a traceback, and ends with its status."""

import click
import filelock
import pytest

from airelays_app.cli.failures import told_to_people
from airelays_app.errors import ConfigError, Unavailable


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ConfigError("server.prot is not a setting."), 78, "server.prot"),
        (Unavailable("The database is locked."), 1, "locked"),
        (PermissionError(13, "Permission denied", "/etc/x"), 1, "/etc/x: Permission denied"),
        (OSError("It is odd."), 1, "It is odd."),
        (OSError(), 1, "OSError"),
        (filelock.Timeout("/x/tokens.lock"), 1, "/x/tokens.lock"),
    ],
)
def test_an_error_becomes_a_sentence(error, status, said):
    with pytest.raises(click.ClickException) as caught, told_to_people():
        raise error
    assert caught.value.exit_code == status
    assert said in caught.value.message


def test_an_interruption_has_its_own_status():
    with pytest.raises(click.exceptions.Exit) as caught, told_to_people():
        raise KeyboardInterrupt
    assert caught.value.exit_code == 130


def test_a_folder_that_cannot_be_made(command):
    result = command.run("init", "--data-dir", "/dev/null/below")
    assert result.exit_code == 1
    assert "/dev/null/below" in result.stderr
    assert "Traceback" not in result.output


def test_a_configuration_file_that_is_a_folder(command):
    result = command.run("config", "show", "--config", str(command.home))
    assert result.exit_code == 78
    assert str(command.home) in result.stderr
