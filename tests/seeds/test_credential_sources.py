"""Where a client of a provider route may put its key.

``x-api-key``, ``x-goog-api-key``, ``Authorization: Bearer`` and ``?key=`` in the query mean the
same on every route, scoped or not. The key is the relay's: no provider ever sees it.
"""

import pytest

from tests.seeds.asking import CHAT, RESPONSES, question
from tests.seeds.gateway import GENERATE, chat, contents, messages

BOX = "sandbox-small"
ROUTES = {
    CHAT: chat(f"box/{BOX}"),
    RESPONSES: question(RESPONSES, model=f"box/{BOX}"),
    "/v1/messages": messages(f"box/{BOX}"),
    "/v1/embeddings": {"model": f"box/{BOX}", "input": "x"},
    f"/v1beta/models/box/{BOX}:{GENERATE}": contents(),
    f"/v1/models/box/{BOX}:{GENERATE}": contents(),
    "/box/v1/chat/completions": chat(BOX),
    f"/box/v1beta/models/{BOX}:{GENERATE}": contents(),
    "/v1/echo/anything": {"model": f"box/{BOX}"},
}
HEADERS = {
    "x-api-key": "x-api-key: {}",
    "x-goog-api-key": "x-goog-api-key: {}",
    "bearer": "Authorization: Bearer {}",
    "lower-case bearer": "authorization: bearer {}",
}
every_route = pytest.mark.parametrize("path", ROUTES)


@pytest.fixture(scope="module")
def module_relay(gateway):
    return gateway


def with_key(key, place):
    """Return what sends ``key`` at ``place``."""
    if place == "query":
        return {"params": {"key": key}}
    name, _, value = HEADERS[place].format(key).partition(": ")
    return {"headers": {name: value}}


@every_route
@pytest.mark.parametrize("place", [*HEADERS, "query"])
def test_the_key_is_known_wherever_it_stands_and_goes_no_further(relay, path, place):
    answer = relay.post(path, ROUTES[path], token=None, **with_key(relay.token, place))

    assert answer.status_code == 200, answer.text
    (sent,) = relay.sandbox.requests
    assert relay.token not in f"{sent.target} {sent.headers} {sent.body!r}"


@every_route
@pytest.mark.parametrize("place", ["x-api-key", "query"])
def test_another_key_opens_nothing_wherever_it_stands(relay, path, place):
    answer = relay.post(path, ROUTES[path], token=None, **with_key("not-the-key-at-all", place))

    assert answer.status_code == 401
    assert not relay.sandbox.requests


@pytest.mark.parametrize("place", [*HEADERS, "query"])
@pytest.mark.parametrize("path", ["/v1/models", "/v1beta/models", "/box/v1/models"])
def test_lists_take_it_too(relay, path, place):
    assert relay.get(path, token=None, **with_key(relay.token, place)).status_code == 200
