"""Two connections joined: everything arrives, in order; memory stays bounded; one end ends both.

It is asked now and then whether to go on, in silence and under load alike.
"""

import contextlib
import select
import socket
import threading
from types import SimpleNamespace

import pytest

from airelays_app.upstream import splice as module
from airelays_app.upstream.splice import splice

PATIENCE = 30.0


@pytest.fixture
def joined():
    """Return the outer ends of two joined connections, and the thread that joins them."""
    client, near = socket.socketpair()
    far, upstream = socket.socketpair()
    counted = []

    def join():
        splice(near, far, arrived=b"hello ", count=counted.append, look=lambda: None)
        near.close()
        far.close()

    thread = threading.Thread(target=join, daemon=True)
    thread.start()
    for end in (client, upstream):
        end.settimeout(PATIENCE)
    yield client, upstream, counted
    client.close()
    upstream.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def read_all(sock, into):
    while data := sock.recv(65_536):
        into += data


def test_large_amounts_cross_both_ways_at_once(joined):
    client, upstream, counted = joined
    up, down = bytes(range(256)) * 8000, bytes(range(255, -1, -1)) * 8000
    at_client, at_upstream = bytearray(), bytearray()

    def expect(sock, into, size):
        while len(into) < size:
            into += sock.recv(65_536)

    threads = [
        threading.Thread(target=client.sendall, args=(up,)),
        threading.Thread(target=upstream.sendall, args=(down,)),
        threading.Thread(target=expect, args=(client, at_client, len(down) + 6)),
        threading.Thread(target=expect, args=(upstream, at_upstream, len(up))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert bytes(at_upstream) == up
    assert bytes(at_client) == b"hello " + down
    assert sum(counted) == len(at_client)


def test_last_words_arrive_before_the_end(joined):
    client, upstream, _ = joined
    words = b"x" * 3_000_000
    heard = bytearray()
    reader = threading.Thread(target=read_all, args=(client, heard))
    reader.start()
    upstream.sendall(words)
    upstream.close()
    reader.join(PATIENCE)
    assert bytes(heard) == b"hello " + words


def test_a_side_that_takes_nothing_holds_the_other_one_up(joined):
    client, upstream, _ = joined
    upstream.settimeout(0.5)
    with pytest.raises(TimeoutError):
        upstream.sendall(b"x" * 50_000_000)
    assert client.recv(6) == b"hello "


def test_the_end_of_the_client_ends_the_upstream(joined):
    client, upstream, _ = joined
    client.close()
    assert upstream.recv(10) == b""


def test_a_client_that_left_while_the_upstream_takes_nothing_is_not_asked_again(
    joined, monkeypatch
):
    client, upstream, _ = joined
    asked = []
    counted = SimpleNamespace(**vars(select) | {"poll": lambda: asked.append(1) or select.poll()})
    monkeypatch.setattr(module, "select", counted)
    client.settimeout(0.5)
    with pytest.raises(TimeoutError):
        client.sendall(b"x" * 50_000_000)
    client.close()
    asked.clear()
    threading.Event().wait(0.5)
    assert len(asked) < 10
    heard = bytearray()
    read_all(upstream, heard)
    assert set(heard) == {ord("x")}


class Ended(Exception):
    """Raised by what is asked whether to go on."""


def ends_at(look):
    def count_down():
        look.append(1)
        if len(look) == 3:
            raise Ended

    return count_down


@pytest.mark.parametrize("is_silent", [True, False], ids=["silent", "busy"])
def test_it_is_asked_now_and_then_whether_to_go_on(monkeypatch, is_silent):
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)
    client, near = socket.socketpair()
    far, upstream = socket.socketpair()
    with client, near, far, upstream:
        talk = None if is_silent else threading.Thread(target=echo_words, args=(client, upstream))
        if talk:
            talk.start()
        looks = []
        with pytest.raises(Ended):
            splice(near, far, count=lambda _: None, look=ends_at(looks))
        far.close()
        if talk:
            talk.join(PATIENCE)
    assert len(looks) == 3


def echo_words(client, upstream):
    """Say one thing after the other, each once the one before has arrived."""
    with contextlib.suppress(OSError):
        while True:
            client.sendall(b"x")
            if not upstream.recv(1):
                return
