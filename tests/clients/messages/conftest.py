"""The anthropic SDK pointed at a running relay with an upstream of every dialect."""

from collections.abc import Iterator

import pytest
from anthropic import Anthropic

RESPONSES_UPSTREAM = "gpt-5.5"
CHAT_UPSTREAM = "box/sandbox-small"
MESSAGES_UPSTREAM = "anthropic/claude-opus-4-8"


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay with the subscription, a chat server and Anthropic's API.

    ``plain`` is a server that is said to speak Messages.
    """
    relay = start_relay()
    relay.stop()
    sandbox = relay.sandbox
    return start_relay(
        sandbox=sandbox,
        PROVIDERS_ANTHROPIC_BASE_URL=sandbox.anthropic_url,
        PROVIDERS_ANTHROPIC_API_KEY=sandbox.anthropic_key,
        PROVIDERS_PLAIN_BASE_URL=sandbox.compatible_url,
        PROVIDERS_PLAIN_API_KEY=sandbox.compatible_key,
        PROVIDERS_PLAIN_DIALECTS="messages",
    )


@pytest.fixture(params=[RESPONSES_UPSTREAM, CHAT_UPSTREAM, MESSAGES_UPSTREAM])
def model(request: pytest.FixtureRequest) -> str:
    """Return a model of each kind of upstream in turn."""
    return str(request.param)


@pytest.fixture
def client(relay) -> Iterator[Anthropic]:
    with Anthropic(base_url=relay.url, api_key=relay.token, max_retries=0, timeout=120) as client:
        yield client
