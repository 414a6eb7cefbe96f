"""The small house, with both texts published, and a landlord who comes for the first time."""

import pytest
from sqlalchemy import Engine

from tests.conftest import Clock, Recorded
from tests.consent.house import Browser, House


@pytest.fixture
def empty_house(engine: Engine, clock: Clock, recorded: Recorded) -> House:
    """No text is published."""
    return House(engine, clock, recorded)


@pytest.fixture
def house(empty_house: House) -> House:
    empty_house.publish_both()
    empty_house.recorded.clear()
    return empty_house


@pytest.fixture
def newcomer(house: House) -> Browser:
    house.add(suggested_email="suggere@exemple.fr")
    return house.browser()
