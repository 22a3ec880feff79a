"""A home folder of its own for each test, and a way to run a command in it."""

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from airelays_app.cli import airelays


class CommandLine:
    """``airelays`` in a home folder that nobody else uses."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *words: str, **environ: str):
        alone = dict.fromkeys(("NO_COLOR", "TERM", "CLICOLOR", "REQUESTS_CA_BUNDLE"))
        env = {**alone, "HOME": str(self.home), **environ}
        return CliRunner().invoke(airelays, words, env=env, prog_name="airelays")

    def json(self, *words: str, **environ: str):
        result = self.run(*words, "--json", **environ)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def command(tmp_path, monkeypatch):
    for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return CommandLine(tmp_path)


def written_to(master: int) -> str:
    """Return everything that was written to a terminal whose other end is closed, and close it."""
    received = b""
    with suppress(OSError):  # that is how Linux tells the end
        while piece := os.read(master, 65536):
            received += piece
    os.close(master)
    return received.decode()


def settings_of(relay, **settings):
    """Return the environment of a command on the machine of a relay that is running."""
    own = {name: text for name, text in relay.environ.items() if name.startswith("AIRELAYS_")}
    changed = {f"AIRELAYS_{name}": text for name, text in settings.items()}
    return {
        **own,
        "HOME": str(relay.home),
        "AIRELAYS_PORT": relay.url.rpartition(":")[2],
        **changed,
    }
