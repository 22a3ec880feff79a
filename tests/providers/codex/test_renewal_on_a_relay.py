"""A running relay renews its login once for all workers, and loses it to no killed worker."""

import json
import os
import signal
import threading
from pathlib import Path

import requests

from airelays_app.providers.codex.constants import Issuer
from airelays_app.providers.codex.oauth import renewal_request
from tests.conftest import RunningRelay, StartRelay

ASKED = {"model": "gpt-5.5", "input": "hello"}


def stored(relay: RunningRelay) -> dict[str, str]:
    return json.loads((relay.data_dir / "auth.json").read_text())["tokens"]


def test_many_rejected_requests_over_two_workers_are_one_renewal(relay: RunningRelay) -> None:
    before = stored(relay)["refresh_token"]
    relay.sandbox.void_access_tokens()
    relay.sandbox.script("slow", path="/oauth/token", seconds=0.5)
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(relay.post("/v1/responses", ASKED).status_code)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 12
    assert len(relay.sandbox.requests.to("/oauth/token")) == 1
    assert stored(relay)["refresh_token"] != before


def test_workers_killed_while_the_issuer_answers_lose_nothing(start_relay: StartRelay) -> None:
    """The sandbox has rotated the token by the time it pauses, and ends a login that is reused."""
    relay = start_relay()
    relay.ok("/v1/responses", ASKED)
    relay.sandbox.void_access_tokens()
    relay.sandbox.script("slow", path="/oauth/token", seconds=3.0)
    asking = threading.Thread(target=ask_in_vain, args=(relay,))
    asking.start()
    assert relay.sandbox.requests.wait_for(1, path_end="/oauth/token")
    for worker in workers_of(relay):
        os.kill(worker, signal.SIGKILL)
    asking.join()
    relay.ok("/v1/responses", ASKED)
    assert len(relay.sandbox.requests.to("/oauth/token")) == 1
    url, body = renewal_request(Issuer(relay.sandbox.issuer_url), stored(relay)["refresh_token"])
    assert requests.post(url, json=body, timeout=30).status_code == 200


def ask_in_vain(relay: RunningRelay) -> None:
    try:
        relay.post("/v1/responses", ASKED)
    except OSError:
        return
    raise AssertionError("the killed worker has answered")


def workers_of(relay: RunningRelay) -> list[int]:
    """Return the relay's own children; a messenger is none of them."""
    children = Path(f"/proc/{relay.process.pid}/task/{relay.process.pid}/children").read_text()
    return [int(pid) for pid in children.split()]
