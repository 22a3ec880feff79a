"""Households for these tests; see :mod:`tests.household`."""

from collections.abc import Iterator

import pytest

from tests.household import Found, households


@pytest.fixture
def found_household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """Return a function that founds a household."""
    with households(tmp_path_factory) as found:
        yield found
