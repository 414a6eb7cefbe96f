"""The real provider and browser of the journeys, for relying parties that we did not write."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """The same provider and browser as in the journeys, whichever folder asks first."""
    config.pluginmanager.import_plugin("tests.journeys.fixtures")
