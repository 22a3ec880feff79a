"""What a WebSocket holds of a client's messages counts, and a client may stay silent, not deaf."""

import socket

import pytest
from wsproto.frame_protocol import CloseReason

from airelays_app.errors import ClientGone
from airelays_app.web import web_socket
from airelays_app.web.inflight import InflightBytes
from airelays_app.web.web_socket import WebSocket
from tests.hostile.frames import frame


@pytest.fixture
def inflight():
    return InflightBytes(100)


@pytest.fixture
def ends(inflight):
    """Lend the server's WebSocket and the client's socket."""
    server, client = socket.socketpair()
    with server, client, inflight.held(0) as hold:
        yield WebSocket(server, max_bytes=1000, hold=hold, ping_seconds=60), client


def test_what_waits_is_held_until_it_is_received(ends, inflight):
    server, client = ends
    client.sendall(frame(b"x" * 60) + frame(b"y" * 30, final=False))
    server.attend()

    with inflight.held(10) as others:
        assert server.receive(0) == b"x" * 60
        others.add(60)
        client.sendall(frame(b"z", opcode=0))
        with pytest.raises(ClientGone):
            server.attend()


def test_a_client_that_comes_at_a_bad_time_is_asked_to_come_again(ends, inflight):
    server, client = ends
    with inflight.held(90):
        client.sendall(frame(b"x" * 60))
        with pytest.raises(ClientGone):
            server.attend()

    said = client.recv(1000)
    assert int.from_bytes(said[2:4], "big") == CloseReason.TRY_AGAIN_LATER


def test_a_client_that_says_nothing_for_long_is_gone(ends, monkeypatch):
    server, _ = ends
    server.attend()
    monkeypatch.setattr(web_socket, "DEAF_SECONDS", 0.0)

    with pytest.raises(ClientGone):
        server.attend()


@pytest.mark.parametrize("first", ["client", "server"])
def test_nothing_is_said_once_one_side_has_said_goodbye(ends, first):
    server, client = ends
    if first == "server":
        server.close(CloseReason.GOING_AWAY, "Bye.")
    else:
        client.sendall(frame(b"", opcode=8))
        with pytest.raises(ClientGone):
            server.attend()

    for use in (server.attend, lambda: server.send(b"{}"), lambda: server.receive(0)):
        with pytest.raises(ClientGone):
            use()
