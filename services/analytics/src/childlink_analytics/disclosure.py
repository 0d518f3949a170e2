"""The disclosure-control policy, and the rules by which a protected count becomes what an analyst sees. Nowhere else.

Recited by an information-governance board: "Frozen releases. Under 10 shows as <10. Everything else is a multiple of 5 and
tables add up. No group of 1 to 7 is ever shown as a number."

Sources: rounding to 5 and hiding 1 to 7, NHS England's Hospital Episode Statistics and maternity statistics disclosure
control; at least 10, the SDAP Handbook on Statistical Disclosure Control for Outputs (2019); strict controlled rounding,
Cox (1987) and Salazar-Gonzalez (2006); withholding percentages near 0 or 100, Office for Students' rule.
"""

from collections.abc import Iterable
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
FEWEST_EVENTS: Final = 10
"""A comparison is given where each side has at least so many with and without the outcome (SDAP Handbook: degrees of freedom)."""
FEWEST_IN_BASE: Final = 20
"""A share or mean is given only of groups of at least this protected size."""

Reason = Literal["", "small", "small_base", "all_or_none", "not_collected", "no_population"]


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


@dataclass(frozen=True)
class Group:
    """A protected count: of one published cell, or the sum of several."""

    protected: int
    surely: int
    """The least that it can truly be, as anybody may work out."""


def possible_counts(protected: int) -> tuple[int, int]:
    """The least and the most that a cell can truly be, to an attacker who knows the rule by which it was rounded.

    >>> possible_counts(0), possible_counts(5), possible_counts(10), possible_counts(25)
    ((0, 9), (0, 14), (8, 19), (16, 34))
    """
    near = range(max(0, protected - LARGEST_ERROR), protected + LARGEST_ERROR + 1)
    possible = [true for true in near if protected in allowed_counts(true)]
    return possible[0], possible[-1]


def group(cells: Iterable[int]) -> Group:
    """The sum of protected cells.

    >>> group([10]), group([5, 5]), group([20, 5])
    (Group(protected=10, surely=8), Group(protected=10, surely=0), Group(protected=25, surely=11))
    """
    counts = list(cells)
    return Group(sum(counts), sum(possible_counts(count)[0] for count in counts))


def show_count(counted: Group) -> Shown:
    """A protected count, or "<10". A sum of small cells is shown only where it cannot be small itself.

    >>> show_count(group([15])).value, show_count(group([5])).withheld, show_count(group([5, 5])).withheld
    (15, 'small', 'small')
    """
    certain = counted.surely > SMALL[-1]
    return Shown(counted.protected) if counted.protected >= FEWEST_SHOWN and certain else Shown(None, "small")


def show_share(numerator: Group, complement: Group, *, harmless: bool = False) -> Shown:
    """A share of protected counts; withheld where the group is small, or (unless that is harmless) all or none of it.

    >>> shares = [(40, 10), (5, 5), (50, 0), (5, 45)]
    >>> [show_share(group([a]), group([b])).withheld or a / (a + b) for a, b in shares]
    [0.8, 'small_base', 'all_or_none', 'all_or_none']
    """
    base = numerator.protected + complement.protected
    if base < FEWEST_IN_BASE:
        return Shown(None, "small_base")
    if not harmless and (show_count(numerator).withheld or show_count(complement).withheld):
        return Shown(None, "all_or_none")
    return Shown(numerator.protected / base)


def show_rate(counted: Group, population: int | None) -> Shown:
    """A protected count's share of a public count of the population.

    >>> show_rate(group([30]), 300), show_rate(group([30]), None).withheld, show_rate(group([5]), 300).withheld
    (Shown(value=0.1, withheld=''), 'no_population', 'small')
    """
    if population is None or population < counted.protected:
        return Shown(None, "no_population")
    if population < FEWEST_IN_BASE:
        return Shown(None, "small_base")
    return Shown(counted.protected / population) if not show_count(counted).withheld else Shown(None, "small")


def show_mean(total: float, base: int) -> Shown:
    """A mean over protected counts of bands; withheld where the group is small.

    >>> show_mean(600.0, 50), show_mean(60.0, 15).withheld
    (Shown(value=12.0, withheld=''), 'small_base')
    """
    return Shown(total / base) if base >= FEWEST_IN_BASE else Shown(None, "small_base")


RULES: Final[dict[str, str]] = {
    "shown": (
        f"The count is shown: its protected figure, a multiple of {BASE} that is off by at most {LARGEST_ERROR}, is at least "
        f"{FEWEST_SHOWN} and certainly not of {SMALL[0]} to {SMALL[-1]}."
    ),
    "small": (
        f"The count is withheld: its protected figure is under {FEWEST_SHOWN}, or could be of {SMALL[0]} to {SMALL[-1]} people. "
        "It may be none."
    ),
    "not_collected": "Nothing is shown because no partner has sent what it is made from. That is not zero.",
    "estimate shown": f"shown, because the group is at least {FEWEST_IN_BASE} and neither nearly all nor nearly none of it are counted.",
    "estimate small": "withheld, because the count is.",
    "estimate small_base": f"withheld, because the group is under {FEWEST_IN_BASE}.",
    "estimate all_or_none": (
        "withheld, because nearly all or nearly none of the group are counted: that would tell something of everybody in it."
    ),
    "estimate not_collected": "not collected.",
    "estimate no_population": "not given, because there is no public count of the group's population.",
}
"""Why a figure is shown or not, as `--explain` says it."""
