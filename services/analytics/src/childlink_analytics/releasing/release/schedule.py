"""When the schedule asks for the next release. A rule."""

from datetime import date, timedelta


def last_period(schedule: str, today: date) -> tuple[str, date]:
    """Name and last day of the last complete period before a day.

    >>> last_period("quarterly", date(2026, 5, 3)), last_period("monthly", date(2026, 1, 3))
    (('2026-Q1', datetime.date(2026, 3, 31)), ('2025-12', datetime.date(2025, 12, 31)))
    >>> last_period("yearly", date(2026, 5, 3))
    ('2025', datetime.date(2025, 12, 31))
    """
    months = {"monthly": 1, "quarterly": 3, "yearly": 12}[schedule]
    begun = (today.month - 1) // months * months + 1
    until = date(today.year, begun, 1) - timedelta(days=1)
    names = {
        "monthly": f"{until:%Y-%m}",
        "quarterly": f"{until.year}-Q{(until.month + 2) // 3}",
        "yearly": f"{until.year}",
    }
    return names[schedule], until
