"""The container's files hold together with the relay, as far as that shows without an engine."""

import json
import re
import subprocess
import sys

import click

from airelays_app.cli import airelays
from airelays_app.config import load_settings
from airelays_app.config.exposure import open_relay_problem
from tests.docs.pages import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
COMPOSE = (ROOT / "compose.yaml").read_text()
ENVIRON = dict(re.findall(r"(\w+)=(\S+)", DOCKERFILE.partition("ENV ")[2].partition("\n\n")[0]))


def instruction(name):
    """Return the words of an instruction in its JSON form."""
    found = re.search(rf"^{name}.*?(\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found, name
    return json.loads(found[1])


def test_the_image_s_environment_is_of_settings_that_exist(tmp_path):
    settings = load_settings(environ=ENVIRON | {"HOME": str(tmp_path)})

    assert (settings.server.host, settings.server.port) == ("0.0.0.0", 8080)
    assert settings.paths.data_dir == tmp_path / ".airelays", "the volume holds all state"
    assert settings.config_path == tmp_path / ".config/airelays/config.toml"
    assert settings.security.require_bearer_auth
    assert settings.security.auto_generate_bearer_token
    assert open_relay_problem(settings) is None


def test_what_it_starts_is_the_relay():
    assert instruction("ENTRYPOINT") == ["airelays"]
    assert airelays.get_command(click.Context(airelays), instruction("CMD")[0])


def test_state_is_in_the_volume_and_nothing_else_can_be_written():
    assert ENVIRON["HOME"] == "/data"
    assert "VOLUME /data" in DOCKERFILE
    assert "- state:/data" in COMPOSE
    assert "read_only: true" in COMPOSE


def test_it_has_no_privileges():
    assert re.search(r"^USER airelays$", DOCKERFILE, re.MULTILINE)
    assert "no-new-privileges:true" in COMPOSE
    assert re.search(r"cap_drop:\n\s+- ALL\n", COMPOSE)


def test_the_port_is_published_on_this_machine_only():
    ports = re.search(r"ports:\n\s+- \"(.*)\"\n", COMPOSE)
    assert ports
    assert ports[1] == f"127.0.0.1:8080:{ENVIRON['AIRELAYS_PORT']}"


def test_the_health_check_tells_a_running_relay_from_none(start_relay):
    relay = start_relay()
    port = relay.url.rpartition(":")[2]
    program, *words = [word.replace("8080", port) for word in instruction("HEALTHCHECK")]
    assert program == "python"

    healthy = subprocess.run([sys.executable, *words])
    relay.stop()
    gone = subprocess.run([sys.executable, *words], capture_output=True)

    assert healthy.returncode == 0
    assert gone.returncode != 0


def test_stopping_waits_longer_than_the_relay_does():
    seconds = re.search(r"stop_grace_period: (\d+)s", COMPOSE)
    assert seconds
    assert int(seconds[1]) > load_settings(environ={"HOME": "/nonexistent"}).server.stop_seconds


def test_everything_that_the_installation_needs_is_in_the_build_context():
    let_through = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")
    }
    assert let_through == {
        *("airelays_app", "LICENSE", "README.rst", "setup.cfg", "setup.py", "wsgi.py")
    }
    assert all((ROOT / name).exists() for name in let_through)
