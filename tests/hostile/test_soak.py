"""Thousands of ordinary requests, a third of them given up halfway, leave the relay as it was.

``SOAK_ROUNDS`` says how many rounds each client goes (``make soak`` takes a few minutes). A round
is ten requests: whole and streamed answers from both upstreams, turns, uploads, refusals, and
streams and replies that the client leaves.
"""

import json
import os
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import parse_sse
from tests.hostile.answers import headers_of
from tests.hostile.vital_signs import (
    assert_recovered,
    await_true,
    running_requests,
    signs_of,
    stored_rows,
)
from tests.hostile.wire import Wire, request_head
from tests.seeds.asking import CHAT, COMPLETIONS, RESPONSES, question, streamed_text, text_of

CLIENTS = 8
ROUNDS = int(os.environ.get("SOAK_ROUNDS", "3"))
WARM_UP = max(3, ROUNDS // 5)
MODELS = ("gpt-5.5", "box/sandbox-small")
THREADS = 16
MOST_THREADS = 3 + THREADS + THREADS // 4


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay with a known number of threads."""
    return start_relay(THREADS=str(THREADS), UPSTREAM_RETRY_ATTEMPTS="0")


def whole(relay, path, model):
    assert text_of(path, relay.ok(path, question(path, "[[say 1 2 3]]", model=model))) == "1 2 3"


def streamed(relay, path, model):
    answer = relay.post(path, question(path, "[[long 50]]", model=model, stream=True))
    assert streamed_text(path, parse_sse(answer.text)).startswith("0 1 2")


def left(relay, path, model, stream):
    """Ask for something slow and leave before it is whole."""
    body = question(path, "[[behave slow 0.01]] [[long 500]]", model=model, stream=stream)
    data = json.dumps(body).encode()
    with Wire(relay.url) as wire:
        wire.send(request_head("POST", path, headers_of(relay), length=len(data)) + data)
        if stream:
            wire.read_until(b'"5 "')


def turn(relay, model):
    conversation = relay.ok("/v1/conversations", {})["id"]
    for _ in range(2):
        relay.ok(RESPONSES, question(RESPONSES, model=model, conversation=conversation))
    assert relay.delete(f"/v1/conversations/{conversation}").status_code == 200


def upload(relay):
    file = relay.request("POST", "/v1/files", files={"file": ("a.txt", os.urandom(50_000))}).json()
    assert len(relay.get(f"/v1/files/{file['id']}/content").content) == 50_000
    assert relay.delete(f"/v1/files/{file['id']}").status_code == 200


def go_round(relay, seed):
    random_ = random.Random(seed)
    model = random_.choice(MODELS)
    acts = [
        lambda: whole(relay, random_.choice([RESPONSES, CHAT, COMPLETIONS]), model),
        lambda: streamed(relay, random_.choice([RESPONSES, CHAT, COMPLETIONS]), model),
        lambda: left(relay, RESPONSES, model, stream=True),
        lambda: left(relay, CHAT, model, stream=True),
        lambda: left(relay, CHAT, model, stream=False),
        lambda: turn(relay, model),
        lambda: upload(relay),
        lambda: relay.get("/v1/models"),
        lambda: relay.refusal(CHAT, question(CHAT, messages=5)),
        lambda: relay.post(CHAT, question(CHAT, "[[behave cut 2]] [[say 1 2 3]]", stream=True)),
    ]
    random_.shuffle(acts)
    for act in acts:
        act()


def soak(relay, rounds):
    with ThreadPoolExecutor(CLIENTS) as pool:
        for batch in range(rounds):
            list(
                pool.map(
                    lambda one: go_round(relay, one), range(batch * CLIENTS, (batch + 1) * CLIENTS)
                )
            )
            relay.sandbox.requests.clear()
    await_true(lambda: running_requests(relay) == 0, lambda: running_requests(relay))
    return signs_of(relay)


@pytest.mark.timeout(3600)
def test_a_soak_leaves_no_trace(relay, capsys):
    assert running_requests(relay) == 0
    rows = stored_rows(relay.data_dir)
    before = soak(relay, WARM_UP)

    after = soak(relay, ROUNDS)

    with capsys.disabled():
        print(f"\n{ROUNDS * CLIENTS * 10} requests\nbefore {before}\nafter  {after}")
    assert stored_rows(relay.data_dir) == rows
    assert_recovered(before, after, threads=MOST_THREADS, idle=THREADS)
