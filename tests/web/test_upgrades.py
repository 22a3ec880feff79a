"""Clients that ask for a WebSocket where there is none get the route's own answer, at once."""

import pytest

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/files", 200), ("/v1/models", 200), ("/v1/nothing", 404)]
)
def test_the_wish_is_ignored(relay, path, status):
    assert relay.get(path, headers=UPGRADE).status_code == status
