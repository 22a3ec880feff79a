"""Clients that ask for a WebSocket get the route's own answer, at once and with a credential only.

Codex CLI goes over to HTTP without delay after 426, and after that status alone.
"""

import pytest

from tests.conftest import error_of

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.parametrize("headers", [{}, UPGRADE], ids=["plain", "upgrade"])
def test_responses_over_a_web_socket_are_declined_with_426(relay, headers):
    answer = relay.get("/v1/responses", headers=headers)

    assert answer.status_code == 426
    assert answer.headers["Upgrade"] == "websocket"
    assert error_of(answer)["code"] == "upgrade_required"


def test_a_stranger_is_not_told_even_that(relay):
    assert relay.get("/v1/responses", headers=UPGRADE, token=None).status_code == 401


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/files", 200), ("/v1/models", 200), ("/v1/nothing", 404)]
)
def test_elsewhere_the_wish_is_ignored(relay, path, status):
    assert relay.get(path, headers=UPGRADE).status_code == status
