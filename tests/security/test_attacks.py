"""Attacks on a real server with two workers, each from an address of its own.

* Guesses in parallel get eight tries, whichever worker takes them; neither a restart nor an
  invented ``X-Forwarded-For`` gives more. ``airelays unblock`` ends a block.
* A web page cannot use up the owner's tries, a stale token's retries stop no working client.
* An open relay answers no foreign name and no foreign page, and opens the model routes only.
* What a killed worker was answering, and tokens that are no ASCII, take nobody's place.
"""

import http.client
import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.conftest import TOKEN, RunningRelay, StartRelay
from tests.household import Found
from tests.web.routes import ROUTES

PATIENCE = 60.0
PUBLIC = {"/", "/favicon.ico", "/healthz", "/health", "/health/ready", "/assets/none"}
PAGE_MARKS: tuple[Mapping[str, str], ...] = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
)


def status_of(
    relay: RunningRelay,
    *,
    source: str,
    token: str | None = None,
    method: str = "GET",
    path: str = "/v1/models",
    headers: Mapping[str, str] | None = None,
) -> int:
    """Send one request from the loopback address ``source`` and return the status."""
    host, port = relay.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), PATIENCE, source_address=(source, 0))
    bearer = {} if token is None else {"Authorization": f"Bearer {token}"}
    with closing(connection):
        connection.request(method, path, headers={**bearer, **(headers or {})})
        answer = connection.getresponse()
        answer.read()
        return answer.status


def guess(relay: RunningRelay, source: str, times: int, **options: Mapping[str, str]) -> list[int]:
    """Guess that often, one after the other."""
    return [
        status_of(relay, source=source, token=f"a-wrong-guess-{number:04}", **options)
        for number in range(times)
    ]


def test_guesses_in_parallel_get_eight_tries_over_all_workers(relay: RunningRelay) -> None:
    together, statuses = threading.Barrier(40), []

    def attempt(number: int) -> None:
        together.wait(PATIENCE)
        statuses.append(status_of(relay, source="127.0.0.2", token=f"a-wrong-guess-{number:04}"))

    assert relay.url
    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(statuses) == [401] * 8 + [429] * 32
    assert status_of(relay, source="127.0.0.2", token=TOKEN) == 429
    assert status_of(relay, source="127.0.0.1", token=TOKEN) == 200


def test_a_client_that_works_goes_on_while_its_address_is_blocked(relay: RunningRelay) -> None:
    assert status_of(relay, source="127.0.0.3", token=TOKEN) == 200
    for _ in range(12):
        assert status_of(relay, source="127.0.0.3", token="a-token-that-was-revoked") in (401, 429)
        assert status_of(relay, source="127.0.0.3", token=TOKEN) == 200
    assert status_of(relay, source="127.0.0.3", token="a-token-that-was-revoked") == 429


@pytest.mark.parametrize(("number", "marks"), [*enumerate(PAGE_MARKS)])
def test_a_web_page_cannot_lock_out_whoever_visits_it(
    relay: RunningRelay, number: int, marks: Mapping[str, str]
) -> None:
    source = f"127.0.0.{10 + number}"
    preflight = {**marks, "Access-Control-Request-Method": "POST"}
    for _ in range(10):
        assert status_of(relay, source=source, headers=marks) in (401, 429)
        assert status_of(relay, source=source, method="OPTIONS", headers=preflight) == 204
    assert status_of(relay, source=source, headers=marks) == 429
    assert status_of(relay, source=source, token=TOKEN) == 200


def test_an_invented_address_gives_no_further_tries(relay: RunningRelay) -> None:
    statuses = [
        guess(relay, "127.0.0.4", 1, headers={"X-Forwarded-For": f"203.0.113.{number}"})[0]
        for number in range(9)
    ]
    assert statuses == [401] * 8 + [429]


def test_behind_a_listed_proxy_the_right_most_other_address_counts(start_relay: StartRelay) -> None:
    relay = start_relay(TRUSTED_PROXIES="127.0.0.0/8")
    spoofing = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9, 127.0.0.9"}
    assert guess(relay, "127.0.0.1", 9, headers=spoofing) == [401] * 8 + [429]
    other = {"X-Forwarded-For": "203.0.113.9, 203.0.113.10"}
    assert guess(relay, "127.0.0.1", 1, headers=other) == [401]


def test_a_block_outlasts_a_restart_and_ends_when_the_owner_says_so(
    found_household: Found,
) -> None:
    household = found_household()
    household.run("init")
    phone = json.loads(household.run("token", "add", "phone", "--json").stdout)["relay_token"]
    with household.serving() as relay:
        assert status_of(relay, source="127.0.0.2", token=relay.token) == 200
        assert guess(relay, "127.0.0.2", 9) == [401] * 8 + [429]
    with household.serving() as relay:
        assert status_of(relay, source="127.0.0.2", token=relay.token) == 200
        assert status_of(relay, source="127.0.0.2", token=phone) == 429
        assert household.run("unblock", "127.0.0.2").returncode == 0
        assert status_of(relay, source="127.0.0.2", token=phone) == 200
        assert guess(relay, "127.0.0.2", 1) == [401]


def test_every_route_but_the_public_ones_wants_a_credential(start_relay: StartRelay) -> None:
    relay = start_relay(FAILED_AUTH_MAX_ATTEMPTS="1000")
    answered = {
        path: status_of(relay, source="127.0.0.1", method=method, path=path)
        for method, path in ROUTES
    }
    assert {path for path, status in answered.items() if status != 401} == PUBLIC


@pytest.fixture(scope="module")
def open_relay(start_relay: StartRelay) -> RunningRelay:
    return start_relay(REQUIRE_BEARER_AUTH="false")


def test_an_open_relay_opens_the_model_routes_only(open_relay: RunningRelay) -> None:
    for path in ("/v1/models", "/no-tools/v1/models", "/v1/files"):
        assert status_of(open_relay, source="127.0.0.1", path=path) == 200
    for path in ("/admin/users", "/user/keys", "/metrics", "/swagger/index.html", "/p/box/models"):
        assert status_of(open_relay, source="127.0.0.1", path=path) == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example"]
)
def test_a_page_that_points_its_own_name_here_gets_nothing(
    open_relay: RunningRelay, host: str
) -> None:
    for path in ("/v1/models", "/v1/files", "/"):
        asked = {"Host": host, "Origin": f"http://{host}"}
        assert status_of(open_relay, source="127.0.0.1", path=path, headers=asked) == 403


@pytest.mark.parametrize("marks", PAGE_MARKS)
def test_a_foreign_page_cannot_use_an_open_relay(
    open_relay: RunningRelay, marks: Mapping[str, str]
) -> None:
    asked = open_relay.post(
        "/v1/responses",
        headers={**marks, "Content-Type": "text/plain"},
        token=None,
        data='{"model": "gpt-5.5", "input": "spend"}',
    )
    assert asked.status_code == 403
    assert status_of(open_relay, source="127.0.0.1", headers=marks) == 403
    assert open_relay.sandbox.requests.to("/codex/responses") == []


def test_a_killed_workers_requests_and_odd_tokens_take_no_place(start_relay: StartRelay) -> None:
    relay = start_relay(CONCURRENT_REQUESTS_PER_IP="1", FAILED_AUTH_MAX_ATTEMPTS="100")
    for number in range(20):
        odd = f"t\u00f6ken-\u00ff-{number:08}"
        assert status_of(relay, source="127.0.0.1", token=odd) == 401
    with streaming(relay):
        assert status_of(relay, source="127.0.0.1", token=TOKEN) == 429
        assert status_of(relay, source="127.0.0.2", token=TOKEN) == 200
        for worker in workers_of(relay):
            os.kill(worker, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE
        while (status := status_after_restart(relay)) != 200:
            assert time.monotonic() < deadline, status
            time.sleep(0.05)


@contextmanager
def streaming(relay: RunningRelay) -> Iterator[None]:
    """Hold a stream that goes on for as long as the block."""
    host, port = relay.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), PATIENCE)
    body = {"model": "gpt-5.5", "input": "[[behave stalled]] [[long 50]]", "stream": True}
    bearer = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    with closing(connection):
        connection.request("POST", "/v1/responses", json.dumps(body), bearer)
        assert connection.getresponse().status == 200
        yield


def workers_of(relay: RunningRelay) -> Iterator[int]:
    children = Path(f"/proc/{relay.process.pid}/task/{relay.process.pid}/children").read_text()
    return map(int, children.split())


def status_after_restart(relay: RunningRelay) -> int:
    try:
        return status_of(relay, source="127.0.0.1", token=TOKEN)
    except OSError:
        return 0
