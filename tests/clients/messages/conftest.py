"""The anthropic SDK pointed at a running relay with an upstream of every dialect."""

from collections.abc import Iterator

import pytest
from anthropic import Anthropic

RESPONSES_UPSTREAM = "gpt-5.5"
CHAT_UPSTREAM = "box/sandbox-small"
MESSAGES_UPSTREAM = "anthropic/claude-opus-4-8"


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay with an upstream of every dialect.

    ``plain`` is a server that is said to speak Messages.
    """
    return start_relay(plain="messages", vendors=True)


@pytest.fixture(params=[RESPONSES_UPSTREAM, CHAT_UPSTREAM, MESSAGES_UPSTREAM])
def model(request: pytest.FixtureRequest) -> str:
    """Return a model of each kind of upstream in turn."""
    return str(request.param)


@pytest.fixture
def client(relay) -> Iterator[Anthropic]:
    with Anthropic(base_url=relay.url, api_key=relay.token, max_retries=0, timeout=120) as client:
        yield client
