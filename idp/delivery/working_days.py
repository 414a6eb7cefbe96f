"""Working days: Monday to Friday, in Paris."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
_SATURDAY = 5


def working_days_later(at: int, days: int) -> int:
    """The same hour in Paris, `days` working days after `at` (both epoch seconds). 0 days: `at` itself."""
    moment = datetime.fromtimestamp(at, UTC).astimezone(PARIS)
    while days > 0:
        moment += timedelta(days=1)
        days -= moment.weekday() < _SATURDAY
    return int(moment.timestamp())
