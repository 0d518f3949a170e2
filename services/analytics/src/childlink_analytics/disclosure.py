"""The disclosure-control policy, and the rules by which a protected count becomes what an analyst sees. Nowhere else.

Recited by an information-governance board: "Frozen releases. Under 10 shows as <10. Everything else is a multiple of 5 and
tables add up. No group of 1 to 7 is ever shown as a number."

Sources: rounding to 5 and hiding 1 to 7, NHS England's Hospital Episode Statistics and maternity statistics disclosure
control; at least 10, the SDAP Handbook on Statistical Disclosure Control for Outputs (2019); strict controlled rounding,
Cox (1987) and Salazar-Gonzalez (2006); withholding percentages near 0 or 100, Office for Students' rule.
"""

from dataclasses import dataclass
from typing import Final, Literal

POLICY_ID: Final = "rounded-5-v1"
POLICY_TEXT: Final = (
    "Frozen releases. Under 10 shows as <10. Everything else is a multiple of 5 and tables add up. "
    "No group of 1 to 7 is ever shown as a number."
)
BASE: Final = 5
"""Published counts are multiples of this."""
SMALL: Final = range(1, 8)
"""True counts that must never be shown as a number, or be found out."""
FEWEST_SHOWN: Final = 10
"""A protected count below this is withheld."""
LARGEST_ERROR: Final = 9
"""A protected count differs from the true one by at most this. Public: attackers are assumed to know it."""
NARROWEST_INTERVAL: Final = 5
"""An attacker's interval for a small count must be at least this wide: then no guess is surely within 2."""
FEWEST_IN_BASE: Final = 20
"""A share or mean is given only of groups of at least this protected size."""

Reason = Literal["", "small", "small_base", "all_or_none", "not_collected"]


@dataclass(frozen=True)
class Shown:
    """A number as an analyst may see it: the number, or why there is none."""

    value: float | None
    withheld: Reason = ""


def allowed_counts(true: int) -> range:
    """The multiples of the base that a true count may become.

    >>> list(allowed_counts(0)), list(allowed_counts(3)), list(allowed_counts(7)), list(allowed_counts(8))
    ([0, 5], [0, 5], [0, 5], [0, 5, 10, 15])
    >>> list(allowed_counts(23))
    [15, 20, 25, 30]
    """
    if true <= SMALL[-1]:
        return range(0, FEWEST_SHOWN, BASE)
    lowest = -((LARGEST_ERROR - true) // BASE) * BASE
    return range(max(0, lowest), true + LARGEST_ERROR + 1, BASE)


def show_count(protected: int) -> Shown:
    """A protected count, or "<10".

    >>> show_count(15), show_count(5)
    (Shown(value=15, withheld=''), Shown(value=None, withheld='small'))
    """
    return Shown(protected) if protected >= FEWEST_SHOWN else Shown(None, "small")


def show_share(numerator: int, base: int) -> Shown:
    """A share of protected counts; withheld where the group is small, or all or none of it.

    >>> show_share(40, 50), show_share(5, 10).withheld, show_share(50, 50).withheld, show_share(5, 50).withheld
    (Shown(value=0.8, withheld=''), 'small_base', 'all_or_none', 'all_or_none')
    """
    if base < FEWEST_IN_BASE:
        return Shown(None, "small_base")
    if numerator < FEWEST_SHOWN or base - numerator < FEWEST_SHOWN:
        return Shown(None, "all_or_none")
    return Shown(numerator / base)


def show_mean(total: float, base: int) -> Shown:
    """A mean over protected counts of bands; withheld where the group is small.

    >>> show_mean(600.0, 50), show_mean(60.0, 15).withheld
    (Shown(value=12.0, withheld=''), 'small_base')
    """
    return Shown(total / base) if base >= FEWEST_IN_BASE else Shown(None, "small_base")
