"""One relay for all modules about the gateway, with a provider of each kind."""

from collections.abc import Iterator

import pytest

from airelays_app.sandbox import Sandbox
from tests.conftest import RunningRelay, starting_relays


@pytest.fixture(scope="package")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRelay]:
    """Return a relay whose providers are called as the vendors are: ``openai`` among them."""
    with Sandbox() as sandbox, starting_relays(tmp_path_factory) as start:
        yield start(
            sandbox=sandbox,
            vendors=True,
            PROVIDERS_OPENAI_BASE_URL=sandbox.compatible_url,
            PROVIDERS_OPENAI_API_KEY=sandbox.compatible_key,
            PROVIDERS_BOX_PASSTHROUGH="true",
            PROVIDERS_ANTHROPIC_PASSTHROUGH="true",
            CONVERSATIONS_METADATA_UPDATE="replace",
            FAILED_AUTH_MAX_ATTEMPTS="1000000",
        )
