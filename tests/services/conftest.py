"""A sandbox for all tests of the services, and desks on it."""

import pytest

from airelays_app.sandbox import Sandbox
from tests.services.batch_kit import Desk


@pytest.fixture(scope="session")
def shared_sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(shared_sandbox):
    shared_sandbox.reset()
    yield shared_sandbox
    shared_sandbox.reset()


@pytest.fixture
def desk(tmp_path, sandbox):
    desk = Desk(tmp_path, sandbox)
    yield desk
    desk.close()
