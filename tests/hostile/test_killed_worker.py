"""A worker that is killed under load takes nothing along but the connections that it had.

The others go on, a new one takes its place, its places among the running requests are free, the
conversations that it held go on at once, and what is stored is whole.
"""

import hashlib
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.conftest import parse_sse
from tests.hostile.vital_signs import await_true, children_of, running_requests
from tests.seeds.asking import CHAT, RESPONSES, question, streamed_text, text_of

CLIENTS = 10
ROUNDS_AFTER = 4
"""What each client asks for after the worker was killed."""


class Client:
    """Takes turns in a conversation, uploads files and streams, over and over."""

    def __init__(self, relay, number):
        self.relay = relay
        self.number = number
        self.turns = 0
        self.broken = 0
        self.conversation = relay.ok("/v1/conversations", {})["id"]

    def round(self):
        for act in (self._turn, self._upload, self._stream):
            try:
                act()
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                self.broken += 1

    def _turn(self):
        steps = f"[[behave slow 0.02]] [[say {self.number} takes turn {self.turns}]]"
        body = question(RESPONSES, steps, conversation=self.conversation)
        answer = self.relay.post(RESPONSES, body)
        assert answer.status_code == 200, answer.text
        assert text_of(RESPONSES, answer.json()).endswith(f"turn {self.turns}")
        self.turns += 1

    def _upload(self):
        content = os.urandom(200_000)
        name = hashlib.sha256(content).hexdigest()
        answer = self.relay.request("POST", "/v1/files", files={"file": (name, content)})
        assert answer.status_code == 200, answer.text

    def _stream(self):
        body = question(CHAT, "[[behave slow 0.05]] [[say 1 2 3 4 5 6]]", stream=True)
        answer = self.relay.post(CHAT, body)
        assert answer.status_code == 200, answer.text
        assert streamed_text(CHAT, parse_sse(answer.text)) == "1 2 3 4 5 6"


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay of three workers with room for a few hundred files."""
    return start_relay(WORKERS="3", THREADS="8")


def test_a_worker_killed_under_load_takes_nothing_along(module_relay):
    relay = module_relay
    clients = [Client(relay, number) for number in range(CLIENTS)]
    killed = threading.Event()
    workers = children_of(relay.process.pid)

    def work(client):
        while not killed.is_set():
            client.round()
        for _ in range(ROUNDS_AFTER):
            client.round()

    with ThreadPoolExecutor(CLIENTS) as pool:
        working = [pool.submit(work, client) for client in clients]
        await_true(lambda: all(client.turns for client in clients), lambda: "nobody gets on")
        for victim in workers[:2]:
            await_true(lambda: running_requests(relay) >= 3, lambda: running_requests(relay))
            os.kill(victim, signal.SIGKILL)
            await_true(lambda: len(children_of(relay.process.pid)) == 3, lambda: relay.log()[-500:])
        killed.set()
        for each in working:
            each.result()

    assert victim not in children_of(relay.process.pid)
    assert sum(client.broken for client in clients) <= 2 * 8
    await_true(lambda: running_requests(relay) == 0, lambda: running_requests(relay))
    for client in clients:
        assert_whole(relay, client)
    assert_files_whole(relay)
    assert "crashed" not in relay.log()


def assert_whole(relay, client):
    """Every turn that was answered is there, and none is half there."""
    items = []
    page = {"has_more": True, "last_id": None}
    while page["has_more"]:
        after = f"&after={page['last_id']}" if page["last_id"] else ""
        path = f"/v1/conversations/{client.conversation}/items?order=asc&limit=100{after}"
        page = relay.get(path).json()
        items += page["data"]
    assert [item["role"] for item in items] == ["user", "assistant"] * (len(items) // 2)
    assert len(items) // 2 >= client.turns
    client.round()
    assert client.turns


def assert_files_whole(relay):
    """Every file that is listed has the content that was uploaded under its name."""
    files = relay.get("/v1/files").json()["data"]
    assert files
    for file in files:
        content = relay.get(f"/v1/files/{file['id']}/content").content
        assert hashlib.sha256(content).hexdigest() == file["filename"] == file["sha256"]
