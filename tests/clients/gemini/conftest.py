"""The google-genai SDK pointed at a running relay with an upstream of every dialect."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from google import genai
from google.genai.types import HttpOptions

RESPONSES_UPSTREAM = "gpt-5.5"
CHAT_UPSTREAM = "box/sandbox-small"
MESSAGES_UPSTREAM = "anthropic/claude-opus-4-8"
GEMINI_UPSTREAM = "gemini/gemini-3.5-flash"
UPSTREAMS = (RESPONSES_UPSTREAM, CHAT_UPSTREAM, MESSAGES_UPSTREAM, GEMINI_UPSTREAM)

Connect = Callable[..., genai.Client]


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay with an upstream of every dialect, which tries nothing again."""
    return start_relay(vendors=True, UPSTREAM_RETRY_ATTEMPTS="0")


@pytest.fixture(params=UPSTREAMS)
def model(request: pytest.FixtureRequest) -> str:
    """Return a model of each kind of upstream in turn."""
    return str(request.param)


@pytest.fixture
def connect(relay) -> Iterator[Connect]:
    """Return a function that makes clients; without a version they use the SDK's own."""
    with ExitStack() as clients:

        def connect(*, version: str | None = None, token: str = relay.token) -> genai.Client:
            options = HttpOptions(base_url=relay.url, api_version=version, timeout=120_000)
            client = genai.Client(api_key=token, http_options=options)
            clients.callback(client.close)
            return client

        yield connect


@pytest.fixture
def client(connect) -> genai.Client:
    return connect(version="v1beta")
