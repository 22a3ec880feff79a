"""``airelays demo``: a first answer for people without an account, and nothing left behind.

The answer comes from the real model through the relay's own HTTP API; then there is everything
that a client needs. An installation is not touched and has no influence. Whatever ends the demo,
nothing that it has started outlives it.
"""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
import requests

from airelays_app.cli.demo import command as demo_command
from airelays_app.cli.demo import upstreams
from airelays_app.cli.demo.guide import QUESTION
from airelays_app.providers.local.process import process_id

PATIENCE = 90.0
FOREIGN_TOKEN = "the-token-of-the-installation"


class Demo:
    """One ``airelays demo`` process whose output goes into files, not to a terminal."""

    def __init__(self, home, *words, environ):
        self.home = home
        self.out_path, self.err_path = home / "out", home / "err"
        with self.out_path.open("wb") as out, self.err_path.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "airelays_app.cli", "demo", *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={"PATH": os.environ["PATH"], "HOME": str(home), **environ},
                start_new_session=True,
            )

    def printed(self):
        return self.out_path.read_text()

    def complained(self):
        return self.err_path.read_text()

    def await_output(self, pattern):
        def found():
            running = self.process.poll() is None
            match = re.search(pattern, self.printed())
            assert match or running, self.printed() + self.complained()
            return match

        return wait_for(found)

    def json(self):
        self.await_output(r"(?m)^\}$")
        return json.loads(self.printed())

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def descendants(self):
        """Return everything that the demo has started, the model's server too."""
        found = [process_id(pid) for pid in children(self.process.pid)]
        state = self.home / ".airelays/demo/local/server.json"
        if state.exists():
            found.append(process_id(json.loads(state.read_text())["pid"]))
        return [each for each in found if each]


def folders(demo):
    """Return the folders that a demo in a home without any has made."""
    data = demo.home / ".airelays"
    return [data, *(each for each in data.rglob("*") if each.is_dir())]


def children(pid):
    return map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)
    return value


def all_gone(processes):
    return not any(process.alive() for process in processes)


@pytest.fixture
def start(tmp_path):
    running = []

    def begin(*words, **environ):
        running.append(Demo(tmp_path, *words, environ=environ))
        return running[-1]

    yield begin
    for each in running:
        if each.process.poll() is None:
            each.end(signal.SIGKILL)


@pytest.fixture
def installation(tmp_path, real_models):
    """An installation that has the model, with settings that a demo must not take over."""
    data = tmp_path / ".airelays"
    data.mkdir(mode=0o700)
    (data / "models").symlink_to(real_models)
    (data / "relay-token").write_text(FOREIGN_TOKEN)
    config = tmp_path / ".config/airelays/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('[server]\nhost = "0.0.0.0"\nport = 1\n[local]\nenabled = "false"\n')
    return tmp_path


def contents(folder):
    return {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def post(told, body):
    headers = {"Authorization": f"Bearer {told['relay_token']}"}
    url = f"{told['base_url']}/responses"
    with requests.Session() as session:
        session.trust_env = False
        return session.post(url, json=body, headers=headers, timeout=PATIENCE)


def test_the_real_model_answers_and_clients_are_told_how(start, installation):
    before = contents(installation / ".airelays")
    demo = start(AIRELAYS_BEARER_TOKEN="a-token-from-the-environment")
    demo.await_output("Ctrl-C")
    printed = demo.printed()
    assert re.search(rf"> {re.escape(QUESTION)}\n.*Paris", printed)
    assert "very small" in printed
    token = (installation / ".airelays/demo/relay-token").read_text().strip()
    base_url = re.search(r"Base URL: +(http://127\.0\.0\.1:\d+/v1)\n", printed)[1]
    assert f"Bearer {token}" in printed
    assert "a-token-from-the-environment" not in printed
    told = {"relay_token": token, "base_url": base_url}
    question = {"input": "What is the capital of Italy?", "temperature": 0}
    answer = post(told, {"model": "smollm2-135m-instruct", **question})
    assert "Rome" in answer.text
    started = demo.descendants()
    assert len(started) >= 3
    assert demo.end() == 0
    assert all_gone(started)
    assert contents(installation / ".airelays") == before
    assert demo.complained() == ""


def test_the_sandbox_answers_on_another_port_when_8080_is_taken(start):
    with closing(socket.socket()) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", 8080))
            other.listen()
        except OSError:
            pass  # something else has taken it, which is what is wanted
        demo = start("--sandbox", "--json")
        told = demo.json()
    assert ":8080/" not in told["base_url"]
    assert {stat.S_IMODE(each.stat().st_mode) for each in folders(demo)} == {0o700}
    assert told["answer"]["text"]
    assert told["answer"]["status"] == "completed"
    assert post(told, {"model": told["model"], "input": "Hi"}).status_code == 200
    second = subprocess.run(
        demo.process.args, env={"HOME": str(demo.home)}, capture_output=True, timeout=PATIENCE
    )
    assert second.returncode == 75
    assert str(demo.process.pid) in second.stderr.decode()
    started = demo.descendants()
    assert demo.end(signal.SIGINT) == 0
    assert all_gone(started)


def test_other_commands_reach_the_demo_by_its_settings_file(start, command):
    demo = start("--sandbox", "--json")
    told = demo.json()
    asked = command.run("--config", told["config_path"], "ask", "Hello")
    assert asked.exit_code == 0, asked.output
    assert asked.stdout.strip()


def test_nothing_outlives_a_demo_that_is_killed(start):
    demo = start("--sandbox", "--json")
    demo.json()
    started = demo.descendants()
    assert started
    demo.end(signal.SIGKILL)
    wait_for(lambda: all_gone(started))


def test_without_an_answer_it_gives_up_and_says_why(start, installation, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "xllamacpp.py").write_text("raise ImportError('no such library')")
    demo = start(PYTHONPATH=str(broken))
    assert demo.process.wait(PATIENCE) == 1
    assert "pip install" in demo.complained()
    assert "Traceback" not in demo.complained()


@pytest.fixture
def own_signals():
    kept = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, kept)


def test_a_missing_library_is_named_with_what_to_do_instead(command, monkeypatch, own_signals):
    monkeypatch.setattr(upstreams, "library_present", lambda: False)
    result = command.run("demo")
    assert result.exit_code == 1
    assert "-m pip install 'airelays[local]'" in result.stderr
    assert "demo --sandbox" in result.stderr


@pytest.mark.parametrize(("taken", "port"), [(False, 8080), (True, 0)])
def test_the_usual_port_is_taken_if_it_is_free(monkeypatch, taken, port):
    monkeypatch.setattr(demo_command, "bind_error", lambda *_: OSError() if taken else None)
    assert demo_command._standard_values("127.0.0.1")["server.port"] == port


@pytest.mark.parametrize("there", [True, False])
def test_the_weights_of_the_installation_are_used_if_there_are_any(tmp_path, monkeypatch, there):
    (tmp_path / "demo").mkdir()
    link = tmp_path / "demo/models"
    link.symlink_to(tmp_path / "gone")
    monkeypatch.setattr(upstreams, "library_present", lambda: True)
    monkeypatch.setattr(upstreams, "ensure_weights", lambda models, quiet: False)
    monkeypatch.setattr(upstreams, "verify", lambda folder: folder if there else None)
    with upstreams.local_model(tmp_path / "demo", installed=tmp_path / "models", quiet=True):
        assert link.is_symlink() == there
