"""Rules towards systemd, seen by a notification socket of our own.

* READY=1 only when the workers have booted; RELOADING=1 with its time before each reload and
  READY=1 after it, whether it worked or not; STOPPING=1 at the end.
* The watchdog is fed only while a worker's main loop turns.
* Sockets that systemd passes are used as they are.
"""

import os
import signal
import socket
import sys
import time

import pytest

from airelays_app.server.notify import Notifier

PASS_SOCKET = """
import os, sys
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDS"] = "1"
os.dup2(int(sys.argv[1]), 3)
os.set_inheritable(3, True)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


class Manager:
    """The receiving end of NOTIFY_SOCKET."""

    def __init__(self, address):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(address)
        self.heard = []

    def listen(self, seconds):
        """Take in what is said for some time; return the messages of that time."""
        start = len(self.heard)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.sock.settimeout(left)
            try:
                self.heard.append(self.sock.recv(4096).decode())
            except TimeoutError:
                break
        return self.heard[start:]

    def await_message(self, prefix, seconds=40):
        """Return the next message that begins like this."""
        self.sock.settimeout(seconds)
        while True:
            message = self.sock.recv(4096).decode()
            self.heard.append(message)
            if message.startswith(prefix):
                return message


@pytest.fixture
def manager(tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    yield manager
    manager.sock.close()


def environ_of(manager, **more):
    return {"NOTIFY_SOCKET": manager.sock.getsockname()} | more


def test_ready_is_said_only_after_the_workers_have_booted(start, manager):
    server = start(plan={"boot": "hang"}, environ=environ_of(manager)).listening()
    assert not any(message.startswith("READY") for message in manager.listen(1))
    server.plan["boot"] = "ok"
    server.reload()
    manager.await_message("READY=1")
    assert server.get("/pid")[0] == 200


def test_a_reload_is_announced_with_its_time_and_its_end(start, manager):
    server = start(environ=environ_of(manager)).serving()
    manager.await_message("READY=1")
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    server.reload()
    lines = dict(line.split("=", 1) for line in manager.await_message("RELOADING=1").split("\n"))
    assert before <= int(lines["MONOTONIC_USEC"]) <= time.clock_gettime_ns(1) // 1000
    manager.await_message("READY=1")


@pytest.mark.parametrize("fault", [{"load": "bad"}, {"boot": "fail"}])
def test_a_reload_that_fails_ends_with_ready_too(start, manager, fault):
    server = start(environ=environ_of(manager)).serving()
    manager.await_message("READY=1")
    server.reload(**fault)
    manager.await_message("RELOADING=1")
    manager.await_message("READY=1")


def test_stopping_is_said_and_the_status_tells_who_is_left(start, manager):
    server = start(environ=environ_of(manager), workers=1).serving()
    manager.await_message("STATUS=serving: 1 workers")
    with server.stream():
        server.send(signal.SIGTERM)
        manager.await_message("STOPPING=1")
        manager.await_message("STATUS=stopping: 1 workers finish their answers")


def test_the_watchdog_is_fed_only_while_a_worker_turns(start, manager):
    watched = environ_of(manager, WATCHDOG_USEC="1000000")
    server = start(environ=watched, workers=1, heartbeat_seconds=600).serving()
    for _ in range(3):
        manager.await_message("WATCHDOG=1", seconds=5)
    os.kill(server.workers()[0], signal.SIGSTOP)
    manager.listen(5)
    assert not [message for message in manager.listen(2) if message == "WATCHDOG=1"]
    os.kill(server.workers()[0], signal.SIGCONT)
    manager.await_message("WATCHDOG=1")


def test_workers_and_what_they_start_do_not_inherit_the_managers_variables(start, manager):
    server = start(environ=environ_of(manager, WATCHDOG_USEC="9000000")).serving()
    assert '"notify": []' in server.get("/environ")[1]


def test_an_abstract_socket_is_reached(tmp_path):
    manager = Manager(f"\0airelays-test-{os.getpid()}")
    try:
        Notifier(f"@airelays-test-{os.getpid()}").ready()
        manager.await_message("READY=1")
    finally:
        manager.sock.close()


def test_nothing_happens_without_a_manager_or_with_one_that_is_gone(tmp_path):
    Notifier(None).ready()
    Notifier(str(tmp_path / "gone")).ready()


def test_the_watchdog_of_another_process_is_not_ours():
    environ = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}
    assert Notifier.from_environ(environ).watchdog_seconds is None
    assert environ == {}
    environ = {"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": str(os.getpid())}
    assert Notifier.from_environ(environ).watchdog_seconds == 2


@pytest.mark.parametrize("reload", [False, True])
def test_a_passed_socket_is_used_and_its_address_reported(start, tools, reload):
    with socket.create_server(("127.0.0.1", 0)) as passed:
        address = passed.getsockname()
        fd = passed.fileno()
        command = [sys.executable, "-c", PASS_SOCKET, str(fd), str(tools.service)]
        server = start(command=command, pass_fds=(fd,)).serving()
        assert server.address == address
        if reload:
            server.reload_done(greeting="new")
        assert server.get("/pid")[0] == 200
        assert server.stop() == 0


def test_sockets_meant_for_another_process_are_not_taken(start):
    server = start(environ={"LISTEN_PID": "1", "LISTEN_FDS": "1"}).serving()
    assert server.address[1] > 0
