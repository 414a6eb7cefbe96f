"""The same real provider and browser as the journeys."""

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
