"""The same real provider and browser as the journeys, for relying parties that we did not write."""

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
