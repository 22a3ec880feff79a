"""Thousands of generated requests leave the relay as it was.

``FUZZ_CASES`` says how many (``make fuzz`` sends 10,000, other ones each time). No answer is a
fault of the relay's own, errors have their shape, and in the end threads, descriptors, running
requests and stored rows are what they were after a warm-up with requests of the same kind, and
the memory within 10 MB.
"""

import json
import os
import socket

import pytest
from hypothesis import HealthCheck, given, settings

from tests.hostile.answers import innocent
from tests.hostile.generated import Sent, requests
from tests.hostile.vital_signs import (
    assert_recovered,
    await_true,
    running_requests,
    signs_of,
    stored_rows,
)
from tests.hostile.wire import Wire
from tests.web.envelope import assert_envelope

CASES = int(os.environ.get("FUZZ_CASES", "300"))
WARM_UP = max(150, CASES // 5)
THREADS = 4
MOST_THREADS = 1 + 1 + THREADS + 4
"""The main thread of a worker, the one that writes, and its pool, which grows when it must and
stays."""
MOST_IDLE = 2 + 3 * 2
"""Descriptors kept for the next time: two connections to the upstream, which come and go, and three
further readers of the database, each of two files, which are opened when several read at once."""
NEW_EACH_TIME = "FUZZ_CASES" in os.environ


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay that gives up soon what does not come, and shuts nobody out."""
    return start_relay(
        THREADS=str(THREADS),
        HEADER_SECONDS="2",
        BODY_SECONDS="2",
        FAILED_AUTH_MAX_ATTEMPTS="1000000",
        MAX_BODY_BYTES="200000",
    )


class Estate:
    """What the relay keeps while it is fuzzed: a conversation and a file to get at, and more."""

    def __init__(self, relay):
        self._relay = relay
        self._kept = {"/v1/conversations": [], "/v1/files": []}

    def fill_in(self, data):
        """Put ids into the path of a request."""
        if b"{conversation}" in data:
            data = data.replace(b"{conversation}", self._one("/v1/conversations"))
        return data.replace(b"{file}", self._one("/v1/files")) if b"{file}" in data else data

    def _one(self, route):
        kept = self._kept[route]
        if not kept:
            upload = {"files": {"file": ("a.txt", b"hello")}} if route == "/v1/files" else {}
            kept.append(self._relay.request("POST", route, **upload).json()["id"])
        return kept[0].encode()

    def note(self, answer):
        """Remember what a request has made, and what it has deleted."""
        if answer is None or answer.status != 200 or not answer.body.startswith(b'{"'):
            return
        made = json.loads(answer.body)
        route = {"conversation": "/v1/conversations", "file": "/v1/files"}.get(made.get("object"))
        if made.get("deleted"):
            for kept in self._kept.values():
                kept[:] = [each for each in kept if each != made["id"]]
        elif route and made["id"] not in self._kept[route]:
            self._kept[route].append(made["id"])

    def clear(self):
        """Delete everything."""
        for route, kept in self._kept.items():
            while kept:
                assert self._relay.delete(f"{route}/{kept.pop()}").status_code in (200, 404)


def exchange(relay, sent):
    """Send the bytes; return the answer, or None if there was none.

    What may not be a whole request is followed by the end of the client's side.
    """
    with Wire(relay.url) as wire:
        wire.send(sent.data)
        if not sent.is_whole:
            try:
                wire.sock.shutdown(socket.SHUT_WR)
            except OSError:
                return None
        return wire.answer(sent.method)


def check(sent, answer):
    if answer is None:
        assert not sent.is_whole, "no answer"
    elif sent.method == "HEAD":
        assert answer.status < 500 or answer.status == 501, answer
    elif answer.status == 501:
        assert_envelope(answer.status, answer.headers, answer.body)
    else:
        innocent(answer)


def fuzz(relay, estate, cases):
    @settings(
        max_examples=cases,
        deadline=None,
        derandomize=not NEW_EACH_TIME,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    @given(requests(relay.token))
    def run(sent):
        filled = Sent(estate.fill_in(sent.data), sent.method, sent.is_whole)
        answer = exchange(relay, filled)
        estate.note(answer)
        check(filled, answer)
        if len(relay.sandbox.requests) > 500:
            relay.sandbox.requests.clear()

    run()


def settled(relay):
    await_true(lambda: running_requests(relay) == 0, lambda: running_requests(relay))
    return signs_of(relay)


@pytest.mark.timeout(3600)
def test_fuzzing_leaves_no_trace(relay, capsys):
    estate = Estate(relay)
    assert running_requests(relay) == 0
    rows = stored_rows(relay.data_dir)
    fuzz(relay, estate, WARM_UP)
    estate.clear()
    before = settled(relay)

    fuzz(relay, estate, CASES)
    estate.clear()

    after = settled(relay)
    with capsys.disabled():
        print(f"\n{CASES} cases\nbefore {before}\nafter  {after}")
    assert stored_rows(relay.data_dir) == rows
    assert_recovered(before, after, threads=MOST_THREADS, idle=MOST_IDLE)
