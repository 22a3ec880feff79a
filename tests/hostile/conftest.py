"""Whatever a client does to it, the relay itself has not failed."""

from collections.abc import Iterator

import pytest

from tests.conftest import RunningRelay


@pytest.fixture
def relay(relay: RunningRelay) -> Iterator[RunningRelay]:
    """Return the module's relay; its log must not show a fault of its own afterwards."""
    logged = len(relay.log())
    yield relay
    lines = relay.log()[logged:].splitlines()
    faults = [line for line in lines if "level=error" in line or "Traceback" in line]
    assert not faults, "\n".join(faults)
