"""Days of tests about prices."""

from datetime import date, timedelta

DAY = date(2026, 3, 1)


def after(days: int) -> date:
    """Return the day so many days after DAY."""
    return DAY + timedelta(days=days)
