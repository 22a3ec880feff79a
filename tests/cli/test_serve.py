"""``airelays serve``: what it refuses, what it says, and what a reload may change.

Refused with status 1: no relay token, an open relay that other machines reach, a port that is
taken; with 75 a second server on one data directory. A reload that would be refused at a start
leaves everything as it is, and the command line keeps its word over the file.
"""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from airelays_app.cli import master
from airelays_app.cli.plan import concurrency, server_options
from airelays_app.cli.serving import base_urls, ip_hosts, next_steps
from airelays_app.config import Server, load_settings
from airelays_app.server.lock import hold

PATIENCE = 40.0
TOKEN = "a-token-of-the-owner"
LIKE_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.executable, [sys.executable, "-m", "airelays_app.cli", "serve", "--no-auth"])
"""


class Serving:
    """One ``airelays serve`` process with a home folder of its own."""

    def __init__(self, home, *words, environ=None):
        self.log_path = home / "log"
        self.log = self.log_path.open("wb")
        kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "airelays_app.cli", "serve", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.log,
            env={**kept, "HOME": str(home), **(environ or {})},
            start_new_session=True,
        )

    def logged(self):
        return self.log_path.read_text()

    def await_log(self, pattern):
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.logged())):
            assert self.process.poll() is None, self.logged()
            assert time.monotonic() < deadline, self.logged()
            time.sleep(0.02)
        return found

    def port(self):
        self.await_log("message=ready")
        return int(self.await_log(r"base_url=http://[^ ]*?:(\d+)/v1")[1])

    def get(self, path, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port(), timeout=PATIENCE)) as it:
            it.request("GET", path, headers=headers)
            answer = it.getresponse()
            return answer.status, answer.read()

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()


@pytest.fixture
def start(tmp_path):
    running = []

    def begin(*words, **environ):
        running.append(Serving(tmp_path, "--port", "0", *words, environ=environ))
        return running[-1]

    yield begin
    for each in running:
        each.close()


@pytest.fixture
def with_token(tmp_path):
    data_dir = tmp_path / ".airelays"
    data_dir.mkdir(mode=0o700)
    (data_dir / "relay-token").write_text(TOKEN + "\n")
    return data_dir


@pytest.fixture
def settings(tmp_path):
    return load_settings(environ={"HOME": str(tmp_path)})


def processes_of_group(group):
    listing = subprocess.run(["ps", "-eo", "pgid=,stat=,args="], capture_output=True, text=True)
    rows = [row.split(None, 2) for row in listing.stdout.splitlines()]
    return [row for row in rows if int(row[0]) == group and not row[1].startswith("Z")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(start, with_token, number):
    relay = start()
    assert relay.get("/v1/files", TOKEN)[0] == 200
    assert "next step" in relay.logged()
    assert TOKEN not in relay.logged()
    assert relay.end(number) == 0
    assert processes_of_group(relay.process.pid) == []


def test_without_a_token_it_says_how_to_make_one(command):
    result = command.run("serve", "--port", "0")
    assert result.exit_code == 1
    assert "airelays init" in result.stderr


def test_a_token_is_made_where_that_was_asked_for(start, tmp_path):
    relay = start(AIRELAYS_AUTO_GENERATE_BEARER_TOKEN="true")
    relay.port()
    token = (tmp_path / ".airelays/relay-token").read_text().strip()
    assert relay.get("/v1/files", token)[0] == 200


def test_a_weak_token_is_a_wrong_configuration(command):
    (command.home / ".airelays").mkdir()
    (command.home / ".airelays/relay-token").write_text("short\n")
    result = command.run("serve", "--port", "0")
    assert result.exit_code == 78
    assert "16" in result.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_an_open_relay_for_others_is_refused(command, host):
    result = command.run("serve", "--port", "0", "--no-auth", "--host", host)
    assert result.exit_code == 1
    assert "--i-understand-open-relay" in result.stderr


def test_an_open_relay_on_loopback_serves(start):
    assert start("--no-auth").get("/v1/files")[0] == 200


def test_an_open_relay_for_others_serves_where_the_owner_insists(start):
    relay = start("--no-auth", "--host", "0.0.0.0", "--i-understand-open-relay")
    assert relay.get("/v1/files")[0] == 200


def test_what_systemd_passes_counts_for_an_open_relay(tmp_path):
    with socket.create_server(("0.0.0.0", 0)) as passed:
        done = subprocess.run(
            [sys.executable, "-c", LIKE_SYSTEMD, str(passed.fileno())],
            pass_fds=(passed.fileno(),),
            env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    assert done.returncode == 1
    assert "--i-understand-open-relay" in done.stderr


def test_a_taken_port_is_named(command, with_token):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = command.run("serve", "--port", str(port))
    assert result.exit_code == 1
    assert f"127.0.0.1:{port}" in result.stderr
    assert "--port" in result.stderr


def test_a_second_server_on_one_data_directory_is_refused(command, with_token, monkeypatch):
    monkeypatch.setattr(master, "LOCK_SECONDS", 0.3)
    with hold(with_token):
        result = command.run("serve", "--port", "0")
    assert result.exit_code == 75
    assert str(os.getpid()) in result.stderr


def test_a_server_that_is_just_ending_is_waited_for(start, with_token):
    with hold(with_token):
        relay = start()
        time.sleep(0.5)
        assert relay.process.poll() is None
    assert relay.get("/v1/files", TOKEN)[0] == 200


def test_a_wrong_setting_is_named_before_anything_is_opened(command):
    result = command.run("serve", AIRELAYS_PORT="many")
    assert result.exit_code == 78
    assert "AIRELAYS_PORT" in result.stderr
    assert not (command.home / ".airelays").exists()


def test_a_reload_reads_the_file_again_and_keeps_the_flags(start, with_token, tmp_path):
    config = tmp_path / "relay.toml"
    config.write_text('[server]\nworkers = 3\nthreads = 5\n[logging]\nformat = "json"\n')
    relay = start("--config", str(config), "--workers", "2")
    deadline = time.monotonic() + PATIENCE
    while '"ready","workers":2' not in relay.logged():
        assert time.monotonic() < deadline, relay.logged()
        time.sleep(0.02)
    config.write_text("[server]\nworkers = 4\n")
    relay.process.send_signal(signal.SIGHUP)
    relay.await_log("message=reloaded")
    children = Path(f"/proc/{relay.process.pid}/task/{relay.process.pid}/children")
    deadline = time.monotonic() + PATIENCE
    while len(children.read_text().split()) != 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[server]\nhots = "x"\n', "server.hots"),
        ("[security]\nrequire_bearer_auth = false\n", "i-understand-open-relay"),
        ('[paths]\ndata_dir = "/elsewhere"\n', "paths.data_dir"),
    ],
)
def test_a_reload_that_is_refused_changes_nothing(start, with_token, tmp_path, text, reason):
    config = tmp_path / "relay.toml"
    config.write_text("")
    relay = start("--config", str(config), "--host", "0.0.0.0")
    relay.port()
    config.write_text(text)
    relay.process.send_signal(signal.SIGHUP)
    relay.await_log("the configuration is not changed.*" + reason)
    assert relay.get("/v1/files")[0] == 401
    assert relay.get("/v1/files", TOKEN)[0] == 200


def test_workers_and_threads_come_from_cores_and_streams():
    assert concurrency(Server(), cores=4) == (4, 55)
    assert concurrency(Server(workers=1), cores=4) == (1, 220)
    assert concurrency(Server(threads=7), cores=4) == (4, 7)
    assert concurrency(Server(workers=3, threads=7), cores=4) == (3, 7)


def test_every_setting_of_the_server_reaches_it():
    given = {
        "host": "127.0.0.2",
        "port": 1,
        "workers": 2,
        "threads": 3,
        "drain_seconds": 4,
        "stop_seconds": 5,
        "header_seconds": 6.0,
        "body_seconds": 7.0,
        "send_seconds": 8.0,
    }
    options = server_options(Server(idle_connection_seconds=9, **given))
    assert {name: getattr(options, name) for name in given} == given
    assert options.keepalive_seconds == 9


def test_the_base_url_has_the_port_that_was_taken(settings):
    assert base_urls(settings, [("127.0.0.1", 4711)]) == ["http://127.0.0.1:4711/v1"]


def test_every_address_means_the_lan_and_this_machine(settings):
    found = base_urls(settings, [("0.0.0.0", 4711)])
    assert found[-1] == "http://127.0.0.1:4711/v1"
    assert "0.0.0.0" not in json.dumps(found)


def test_a_unix_socket_is_nobody_elses(settings):
    assert ip_hosts([("/run/relay.sock", 0)]) == []
    assert base_urls(settings, [("/run/relay.sock", 0)]) == ["unix:/run/relay.sock"]


def test_who_has_no_login_is_told_to_log_in(settings, tmp_path):
    assert "airelays login" in "".join(next_steps(settings))
    (tmp_path / ".airelays").mkdir()
    (tmp_path / ".airelays/auth.json").write_text("{}")
    assert "airelays login" not in "".join(next_steps(settings))
