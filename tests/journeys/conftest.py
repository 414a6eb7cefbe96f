"""A real provider, a real service and a real browser for every journey."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """One provider and one browser for the whole run, whichever folder asks first."""
    config.pluginmanager.import_plugin("tests.journeys.fixtures")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What reads the pages visited comes after those who visit them."""
    items.sort(key=lambda item: "test_every_page" in item.nodeid)
