"""Addresses of one host are raced against one deadline, while the client is watched."""

import socket
import threading
import time

import pytest

from airelays_app.errors import ClientGone
from airelays_app.upstream.dialling import dial


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


@pytest.fixture
def silent():
    """An address that takes no connection and does not refuse one: its queue is full."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        held = []
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
            held.append(sock)
        yield server.getsockname()
        for sock in held:
            sock.close()


@pytest.fixture
def closed():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()


@pytest.fixture
def resolve(monkeypatch):
    def to(*places):
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    return to


def test_the_socket_has_its_options_and_its_timeout(listener):
    option = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with dial(*listener, timeout=5, options=[option]) as sock:
        assert sock.getpeername() == listener
        assert sock.gettimeout() == 5
        assert sock.getsockopt(*option[:2])


def test_an_address_that_refuses_gives_way_at_once(resolve, closed, listener):
    resolve(closed, listener)
    with dial("host", 1, timeout=20) as sock:
        assert sock.getpeername() == listener


def test_an_address_that_says_nothing_does_not_cost_the_timeout(resolve, silent, listener):
    resolve(silent, silent, listener)
    began = time.monotonic()
    with dial("host", 1, timeout=60) as sock:
        assert sock.getpeername() == listener
    assert time.monotonic() - began < 20


def test_one_deadline_is_for_all_addresses(resolve, silent):
    resolve(silent, silent, silent)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        dial("host", 1, timeout=0.4)
    assert 0.4 <= time.monotonic() - began < 10


def test_the_last_refusal_is_told(resolve, closed):
    resolve(closed, closed)
    with pytest.raises(ConnectionRefusedError):
        dial("host", 1, timeout=20)


def test_families_take_turns(monkeypatch, listener):
    tried = []

    class Recorder(socket.socket):
        def connect_ex(self, place):
            tried.append(place[0])
            return 111

    six = (socket.AF_INET6, socket.SOCK_STREAM, 6, "")
    four = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    found = [(*six, ("::1", 1)), (*six, ("::2", 1)), (*four, ("127.0.0.1", 1))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "socket", Recorder)
    with pytest.raises(ConnectionRefusedError):
        dial("host", 1, timeout=20)
    assert tried == ["::1", "127.0.0.1", "::2"]


def test_a_client_that_leaves_ends_it(resolve, silent, watched):
    ours, theirs = watched
    resolve(silent)
    leaving = threading.Timer(0.05, theirs.close)
    leaving.start()
    began = time.monotonic()
    with pytest.raises(ClientGone):
        dial("host", 1, timeout=60, watch=ours)
    assert time.monotonic() - began < 30
    leaving.join()
