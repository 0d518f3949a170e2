"""The disclosure-control policies: the only rules that turn protected counts into what an analyst
sees.

An information-governance board can recite the first policy: "Frozen releases. Under 10 shows as
<10. Everything else is a multiple of 5 and tables add up. No group of 1 to 7 is ever shown as a
number."

Sources: rounding to 5 and suppressing 1 to 7, disclosure control of NHS England's Hospital Episode
Statistics and maternity statistics; at least 10, the SDAP Handbook on Statistical Disclosure
Control for Outputs (2019); strict controlled rounding, Cox (1987) and Salazar-Gonzalez (2006);
suppressing percentages near 0 or 100, the Office for Students' rule.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

POLICIES: Final = {
    "rounded-5-v1": (
        "Frozen releases. Under 10 shows as <10. Everything else is a multiple of 5 and tables add"
        " up. No group of 1 to 7 is ever shown as a number."
    ),
    "suppressed-5-v1": (
        "Frozen releases. Groups of 1 to 7 are withheld, and as many others as keep them from being"
        " worked out, with one sign for both. Everything else is rounded to the nearest 5, so"
        " tables may not add up exactly."
    ),
    "public": "Figures as their source gives them. They are not of linked people.",
}
"""The text of each policy, for an information-governance board."""
ROUNDED: Final = "rounded-5-v1"
SUPPRESSED: Final = "suppressed-5-v1"
PUBLIC: Final = "public"
"""Of tables that stand beside the linked figures: nothing is protected."""
HIDDEN: Final = -1
"""Stands for a count that the suppression policy withholds."""
BASE: Final = 5
"""Published counts are multiples of this."""
SMALL: Final = range(1, 8)
"""True counts that must never be shown as a number, and must not be deducible."""
FEWEST_SHOWN: Final = 10
"""Protected counts below this are withheld."""
LARGEST_ERROR: Final = 9
"""Largest difference between a protected and a true count. It is public: attackers are assumed to
know it.
"""
NARROWEST_INTERVAL: Final = 5
"""An attacker's interval for a small count must be at least this wide. Then no guess is certain to
be within 2.
"""
MOST_DOMINANT: Final = 0.5
"""Attendances are withheld if one person makes up more than this share of them (a dominance rule,
as in tau-Argus), or if few people make them.
"""
FEWEST_EVENTS: Final = 10
"""Each side of a comparison must have at least this many people with the outcome, and as many
without (SDAP Handbook: degrees of freedom).
"""
FEWEST_IN_BASE: Final = 20
"""A share or mean is shown only for groups of at least this protected size."""

Reason = Literal[
    "", "small", "suppressed", "small_base", "all_or_none", "not_collected", "no_population"
]


@dataclass(frozen=True)
class Shown:
    """A number as an analyst may see it, or the reason why there is none."""

    value: float | None
    withheld: Reason = ""


@cache
def allowed_counts(true: int, *, high: bool = False) -> range:
    """The multiples of the base that a true count may be rounded to. With `high`, values far below
    it are excluded.

    >>> [list(allowed_counts(true)) for true in (0, 3, 7, 8)]
    [[0, 5], [0, 5], [0, 5], [0, 5, 10, 15]]
    >>> list(allowed_counts(23))
    [15, 20, 25, 30]
    >>> list(allowed_counts(23, high=True))
    [20, 25, 30]
    """
    if true <= SMALL[-1]:
        return range(0, FEWEST_SHOWN, BASE)
    lowest = -(((BASE - 1 if high else LARGEST_ERROR) - true) // BASE) * BASE
    return range(max(0, lowest), true + LARGEST_ERROR + 1, BASE)


@dataclass(frozen=True)
class Group:
    """A protected count of one published cell, or the sum of several."""

    protected: int
    surely: int
    """The least that the true count can be, given what is public."""
    policy: str = ROUNDED
    hidden: bool = False
    """Whether a part of it is withheld under the suppression policy."""
    cells: int = 1
    """How many published cells it is the sum of. Each has a rounding error of its own."""


def nearest(true: int) -> int:
    """The nearest multiple of the base. The suppression policy shows counts this way.

    >>> nearest(0), nearest(8), nearest(12), nearest(13)
    (0, 10, 10, 15)
    """
    return BASE * ((true + BASE // 2) // BASE)


def possible_when_suppressed(protected: int) -> tuple[int, int]:
    """The least and the greatest true count of a cell under the suppression policy.

    >>> possible_when_suppressed(0), possible_when_suppressed(10), possible_when_suppressed(15)
    ((0, 0), (8, 12), (13, 17))
    """
    if protected == HIDDEN:
        return 1, 10**6
    return (protected - BASE // 2, protected + BASE // 2) if protected else (0, 0)


@cache
def possible_counts(protected: int) -> tuple[int, int]:
    """The least and the greatest true count of a cell, for an attacker who knows the rounding rule.

    >>> possible_counts(0), possible_counts(5), possible_counts(10), possible_counts(25)
    ((0, 9), (0, 14), (8, 19), (16, 34))
    """
    near = range(max(0, protected - LARGEST_ERROR), protected + LARGEST_ERROR + 1)
    possible = [true for true in near if protected in allowed_counts(true)]
    return possible[0], possible[-1]


def unsafe_attendances(total: int, contributors: int, largest: int) -> bool:
    """Whether a count of attendances reveals too much about the people who attended.

    >>> unsafe_attendances(40, 12, 10), unsafe_attendances(40, 3, 14)
    (False, True)
    >>> unsafe_attendances(40, 12, 25), unsafe_attendances(0, 0, 0)
    (True, False)
    """
    return contributors in SMALL or (total > 0 and largest > MOST_DOMINANT * total)


def interval_of_attendances(total: int) -> int:
    """The width that an attacker's interval for unsafe attendances must have: a fifth of them, and
    at least as much as for people.
    """
    return max(NARROWEST_INTERVAL, -(-total // 5))


def possible(policy: str) -> Callable[[int], tuple[int, int]]:
    """The function that gives the range of a published cell's true count under a policy."""
    return possible_when_suppressed if policy == SUPPRESSED else possible_counts


def group(cells: Iterable[int], policy: str = ROUNDED) -> Group:
    """The sum of protected cells.

    >>> [(found.protected, found.surely) for found in (group([10]), group([5, 5]), group([20, 5]))]
    [(10, 8), (10, 0), (25, 11)]
    """
    counts = list(cells)
    if policy == PUBLIC:
        return Group(sum(counts), sum(counts), policy, cells=len(counts))
    least = possible(policy)
    shown = [count for count in counts if count != HIDDEN]
    return Group(
        sum(shown),
        sum(least(count)[0] for count in shown),
        policy,
        len(shown) < len(counts),
        len(counts),
    )


def show_count(counted: Group) -> Shown:
    """Show a protected count, or withhold it. A sum of small cells is shown only if it certainly is
    not small itself.

    >>> show_count(group([15])).value
    15
    >>> show_count(group([5])).withheld, show_count(group([5, 5])).withheld
    ('small', 'small')
    """
    if counted.policy == PUBLIC:
        return Shown(counted.protected)
    certain = counted.surely > SMALL[-1]
    if counted.policy == SUPPRESSED:
        shown = not counted.hidden and (certain or counted.protected == 0)
        return Shown(counted.protected) if shown else Shown(None, "suppressed")
    return (
        Shown(counted.protected)
        if counted.protected >= FEWEST_SHOWN and certain
        else Shown(None, "small")
    )


def show_share(numerator: Group, complement: Group, *, harmless: bool = False) -> Shown:
    """A share of protected counts. It is withheld if the group is small, or if it is nearly all or
    none of the group and that is not `harmless`.

    >>> shares = [(40, 10), (5, 5), (50, 0), (5, 45)]
    >>> [show_share(group([a]), group([b])).withheld or a / (a + b) for a, b in shares]
    [0.8, 'small_base', 'all_or_none', 'all_or_none']
    """
    base = numerator.protected + complement.protected
    if numerator.policy == PUBLIC and base:
        return Shown(numerator.protected / base)
    if base < FEWEST_IN_BASE:
        return Shown(None, "small_base")
    if numerator.hidden or complement.hidden:
        return Shown(None, "suppressed")
    if not harmless and (show_count(numerator).withheld or show_count(complement).withheld):
        return Shown(None, "all_or_none")
    return Shown(numerator.protected / base)


def show_rate(counted: Group, population: int | None) -> Shown:
    """A protected count divided by a public count of the population.

    >>> show_rate(group([30]), 300)
    Shown(value=0.1, withheld='')
    >>> show_rate(group([30]), None).withheld, show_rate(group([5]), 300).withheld
    ('no_population', 'small')
    """
    if population is None or population < counted.protected:
        return Shown(None, "no_population")
    if population < FEWEST_IN_BASE:
        return Shown(None, "small_base")
    shown = show_count(counted)
    return Shown(counted.protected / population) if not shown.withheld else shown


def show_mean(total: float, base: int) -> Shown:
    """A mean over protected counts of bands. It is withheld if the group is small.

    >>> show_mean(600.0, 50), show_mean(60.0, 15).withheld
    (Shown(value=12.0, withheld=''), 'small_base')
    """
    return Shown(total / base) if base >= FEWEST_IN_BASE else Shown(None, "small_base")


RULES: Final[dict[str, str]] = {
    "shown": (
        f"The count is shown. Its protected figure is a multiple of {BASE} and is off by at most"
        f" {LARGEST_ERROR}. It is at least {FEWEST_SHOWN}, and the true count is certainly not"
        f" {SMALL[0]} to {SMALL[-1]}."
    ),
    "public": "The count is shown as its source gives it. It is not of linked people.",
    "small": (
        f"The count is withheld. Its protected figure is under {FEWEST_SHOWN}, or the true count"
        f" could be {SMALL[0]} to {SMALL[-1]}. The true count may also be 0."
    ),
    "suppressed": (
        f"The count is withheld: it is {SMALL[0]} to {SMALL[-1]}, or it would reveal a count of"
        f" {SMALL[0]} to {SMALL[-1]}. The sign is the same for both."
    ),
    "not_collected": (
        "Nothing is shown, because no partner has sent the data for it. That is not zero."
    ),
    "estimate shown": (
        f"shown, because the group is at least {FEWEST_IN_BASE}, and neither nearly all nor nearly"
        " none of it is counted."
    ),
    "estimate small": "withheld, because the count is withheld.",
    "estimate suppressed": "withheld, because a count that it needs is withheld.",
    "estimate small_base": f"withheld, because the group is under {FEWEST_IN_BASE}.",
    "estimate all_or_none": (
        "withheld, because nearly all or nearly none of the group are counted. The figure would"
        " reveal something about everyone in the group."
    ),
    "estimate not_collected": "not collected.",
    "estimate no_population": (
        "not given, because there is no public count of the group's population."
    ),
}
"""The explanations of shown and withheld figures, for `--explain`."""
