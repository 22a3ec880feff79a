"""A running server for the tests: a real process, real sockets, real signals."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

PATIENCE = 40.0
SERVICE = Path(__file__).with_name("small_service.py")


def wait_until(condition, what="the condition", seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"gave up waiting for {what}"
        time.sleep(0.01)
    return found


class Running:
    """One server process of a test."""

    def __init__(self, directory, command=None, environ=None, pass_fds=(), plan=None, **options):
        self.plan_path = directory / "plan.json"
        self.log_path = directory / "log"
        self.notes_path = directory / "notes"
        self.notes_path.touch()
        defaults = {"host": "127.0.0.1", "port": 0, "workers": 2, "threads": 8}
        self.plan = {"options": defaults | options, "notes": str(self.notes_path)}
        self.plan |= plan or {}
        self.save_plan()
        self.log = self.log_path.open("ab")
        self.process = subprocess.Popen(
            command or [sys.executable, str(SERVICE)],
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=os.environ | {"TEST_PLAN": str(self.plan_path)} | (environ or {}),
            pass_fds=pass_fds,
            text=True,
            start_new_session=True,
        )

    def save_plan(self, **changes):
        options = self.plan["options"] | changes.pop("options", {})
        self.plan |= changes | {"options": options}
        partial = self.plan_path.with_suffix(".partial")
        partial.write_text(json.dumps(self.plan))
        partial.replace(self.plan_path)

    def listening(self):
        self.addresses = [tuple(pair) for pair in json.loads(self.process.stdout.readline())]
        self.address = self.addresses[0]
        return self

    def serving(self):
        """Wait until the workers have booted."""
        self.listening()
        self.await_log("ready workers=")
        return self

    def logged(self):
        return self.log_path.read_text()

    def await_log(self, text, times=1):
        wait_until(
            lambda: self.logged().count(text) >= times or self.process.poll() is not None,
            f"{text!r} in the log",
        )
        assert self.logged().count(text) >= times, self.logged()

    def await_note(self, text, times=1):
        wait_until(
            lambda: self.notes_path.read_text().split("\n").count(text) >= times,
            f"{times} x {text!r} in {self.notes_path.read_text()!r}",
        )

    def send(self, number):
        os.kill(self.process.pid, number)

    def reload(self, **changes):
        self.save_plan(**changes)
        before = self.logged().count("reloaded generation=")
        self.send(signal.SIGHUP)
        return before

    def reload_done(self, **changes):
        before = self.reload(**changes)
        self.await_log("reloaded generation=", before + 1)

    def connect(self, timeout=PATIENCE):
        return socket.create_connection(self.address[:2], timeout=timeout)

    def get(self, path, **headers):
        connection = http.client.HTTPConnection(*self.address[:2], timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Connection": "close"} | headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def worker(self):
        """Return the process id and the greeting of a worker that answers."""
        status, body = self.get("/pid")
        assert status == 200
        pid, greeting = body.split(" ", 1)
        return int(pid), greeting

    def await_greeting(self, text):
        """Wait until a worker of that configuration answers: the old ones stop in a moment."""
        wait_until(lambda: self.worker()[1] == text, f"an answer of {text!r}")

    @contextmanager
    def stream(self, path="/ticks"):
        """Yield a socket on which a stream has begun."""
        with self.connect() as sock:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: relay\r\n\r\n".encode())
            seen = b""
            while b"\r\n\r\n" not in seen or not seen.split(b"\r\n\r\n", 1)[1]:
                data = sock.recv(65536)
                assert data, "the stream did not begin"
                seen += data
            yield sock

    def workers(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def stop(self, number=signal.SIGTERM):
        self.send(number)
        return self.process.wait(PATIENCE)

    def close(self):
        if self.process.poll() is None:
            for pid in self.workers():
                kill(pid)
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def ends(sock, seconds=PATIENCE):
    """Whether the server closes the connection in time."""
    sock.settimeout(seconds)
    try:
        while sock.recv(65536):
            continue
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


def reply(sock):
    """Read one whole answer; return its status and body."""
    response = http.client.HTTPResponse(sock)
    response.begin()
    try:
        return response.status, response.read()
    finally:
        response.close()


@pytest.fixture(scope="session")
def tools():
    """Functions of this file for test modules, which cannot import it."""

    class Tools:
        pass

    for function in (wait_until, kill, ends, reply):
        setattr(Tools, function.__name__, staticmethod(function))
    Tools.patience = PATIENCE
    Tools.service = SERVICE
    return Tools


@pytest.fixture
def start(tmp_path_factory):
    """Start a server with options; all are ended after the test."""
    with ExitStack() as running:

        def begin(**options):
            server = Running(tmp_path_factory.mktemp("server"), **options)
            running.callback(server.close)
            return server

        yield begin


@pytest.fixture
def serve(start):
    """Start a server with options and wait until its workers have booted."""
    return lambda **options: start(**options).serving()
