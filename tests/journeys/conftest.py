"""A real provider, a real service and a real browser for every journey."""

import pytest

from tests.journeys.fixtures import (  # noqa: F401 - fixtures are found by name
    chromium,
    inspector,
    javascript,
    landlord,
    new_person,
    person,
    provider,
    service,
    visited,
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What reads the pages visited comes after those who visit them."""
    items.sort(key=lambda item: "test_every_page" in item.nodeid)
