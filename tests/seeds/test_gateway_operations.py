"""The gateway's operations table: liveness always, readiness by what it needs.

* ``GET /health`` is 200 as long as the process serves, whatever else is wrong.
* ``GET /health/ready`` is 503 while storage is down, and 200 when it is back.

That lost limits are ``degraded`` and still 200 is in ``tests/web/test_status_routes.py``.
"""

import sqlite3
import time
from contextlib import closing

import pytest

PATIENCE = 60.0


@pytest.fixture(scope="module")
def module_relay(gateway):
    return gateway


def await_readiness(relay, status):
    deadline = time.monotonic() + PATIENCE
    while (answer := relay.get("/health/ready", token=None)).status_code != status:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.05)
    return answer


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
def test_they_need_no_credential(relay, path):
    answer = relay.get(path, token=None)

    assert answer.status_code == 200
    assert answer.json()["status"] in ("ok", "ready")


def test_without_storage_it_lives_and_is_not_ready(relay):
    with closing(sqlite3.connect(relay.data_dir / "state.sqlite3", isolation_level=None)) as held:
        held.execute("BEGIN IMMEDIATE")
        answer = await_readiness(relay, 503)
        assert int(answer.headers["Retry-After"]) > 0
        assert relay.get("/health", token=None).status_code == 200
        held.execute("ROLLBACK")
    await_readiness(relay, 200)
