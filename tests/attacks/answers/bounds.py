"""Linear and integer bounds (HiGHS) on true counts, from protected counts and all public knowledge.

This attacker knows more than the one in `childlink_analytics.releasing.protection.attack`:

* what the public views imply and the catalogue does not declare. Examples: a child in the most
  deprived fifth is in the priority population; a user of one service is counted in one service
  only; the next service is never the first one; before the first quarter everybody is new
* populations that are part of others
* the largest error and the numbers of rows that `DescribeRelease` gives
* a partner's own rows
* several releases together.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np
from childlink_analytics.releasing.protection.rounding import Programme, inequalities, load
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.cubes import Cell, LinkedCells

from tests.attacks.answers.world import DOMAINS, SERVICES

At = tuple[str, Cell]
"""A population and one of its cells."""
Line = tuple[float, float, dict[At, float]]
"""least <= weighted sum <= most."""


@dataclass
class Claim:
    """An interval that certainly contains the count, if the attacker's assumptions hold."""

    low: int
    high: int

    @property
    def width(self) -> int:
        """Zero: found exactly. Up to 4: one guess is certainly within 2."""
        return self.high - self.low


@dataclass
class Knowledge:
    """Everything that an attacker takes for certain."""

    intervals: dict[At, tuple[int, int]] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)

    def add_release(
        self,
        linked: Mapping[str, LinkedCells],
        known: Mapping[str, Mapping[Cell, int]],
        largest_error: int,
        attendances: Container[str] = (),
    ) -> None:
        """What the protected counts of a release tell."""
        for population, cells in linked.items():
            for cell in cells.counts:
                protected = known[population].get(cell)
                if population in attendances:
                    shown = disclosure.HIDDEN if protected is None else protected
                    low, high = disclosure.possible_when_suppressed(shown)
                else:
                    low, high = possible(protected, largest_error)
                self.narrow((population, cell), low, high)
            for margin, parts in cells.sums:
                self.lines.append(
                    (
                        0.0,
                        0.0,
                        {(population, margin): 1.0, **{(population, part): -1.0 for part in parts}},
                    )
                )
            order = {cell: at for at, cell in enumerate(cells.counts)}
            names = list(cells.counts)
            for low_, high_, columns, weights in inequalities(cells, order):
                line: dict[At, float] = {}
                for column, weight in zip(columns, weights, strict=True):
                    line[population, names[column]] = (
                        line.get((population, names[column]), 0.0) + weight
                    )
                self.lines.append((low_, high_, line))

    def narrow(self, at: At, low: float, high: float) -> None:
        """One more known fact about a count."""
        least, most = self.intervals.get(at, (0, 10**9))
        self.intervals[at] = (max(least, int(low)), min(most, int(high)))

    def bound(self, targets: Iterable[At], *, whole_below: int = 6) -> dict[At, Claim]:
        """Bounds of each target. Bounds narrower than `whole_below` are tightened with whole
        numbers.
        """
        names = list(self.intervals)
        order = {at: n for n, at in enumerate(names)}
        rows = [
            (low, high, [order[at] for at in line], list(line.values()))
            for low, high, line in self.lines
            if all(at in order for at in line)
        ]

        def programme(*, whole: bool) -> Programme:
            return Programme(
                np.zeros(len(names)),
                np.array([float(self.intervals[at][0]) for at in names]),
                np.array([float(self.intervals[at][1]) for at in names]),
                np.full(len(names), whole),
                rows,
            )

        linear = load(programme(whole=False), 20.0)
        claims = {}
        for at in targets:
            claim = _ends(linear, order[at]) or Claim(*self.intervals[at])
            if claim.width < whole_below and claim.width > 0:
                claim = _ends(load(programme(whole=True), 5.0), order[at]) or claim
            claims[at] = claim
        return claims


def possible(
    protected: int | None, largest_error: int = disclosure.LARGEST_ERROR
) -> tuple[int, int]:
    """The possible values of a count under the public rule. A count that could not be unmasked was
    less than ten.
    """
    if protected is None:
        return 0, possible(disclosure.BASE, largest_error)[1]
    low, high = disclosure.possible_counts(protected)
    return max(low, protected - largest_error), min(high, protected + largest_error)


_CHILD, _FAMILY, _ASQ3, _EVERYONE, _ATTENDED = (
    f"{view} WHERE TRUE"
    for view in ("reached_child", "reached_family", "asq3_child", "linked_child", "attended")
)
_SESSIONS = {"1": 1, "2_to_3": 2, "4_to_6": 4, "7_to_11": 7, "12_or_more": 12}
# People in the first category are always in one of the others: (column, category) -> (column,
# categories).
_WITHIN = {
    ("imd_quintile", "1"): ("priority", ("priority",)),
    ("priority", "others"): ("imd_quintile", ("2", "3", "4", "5", "not_recorded")),
    ("sessions", "1"): ("services", ("1",)),
    ("services", "5_or_more"): ("sessions", ("4_to_6", "7_to_11", "12_or_more")),
}


def public_facts(linked: Mapping[str, LinkedCells]) -> list[Line]:
    """What the public views imply and the catalogue does not declare."""
    lines = [*_services_of_families(), *_domains(linked), *_attendances(linked)]
    lines += [*_people(linked), *_of_whole_populations(linked)]
    for population in {_CHILD, _FAMILY} & linked.keys():
        for cell in linked[population].counts:
            lines += _of_a_cell(population, cell)
    # A child in any count was recorded by a partner. A child who engaged before a review was
    # reached.
    for population in linked:
        others = ("change", "scored", "linked", "attended")
        others += ("reached_family", "reached_adult", "reached_person", "known_family")
        if not population.startswith(others) and _EVERYONE in linked:
            lines += [
                _at_most((population, cell), (_EVERYONE, cell)) for cell in linked[_EVERYONE].counts
            ]
        engaged = [
            cell for cell in linked[population].counts if dict(cell).get("engaged") == "engaged"
        ]
        for cell in engaged:
            lines.append(
                _at_most(
                    (population, cell),
                    (_CHILD, tuple(pair for pair in cell if pair[0] != "engaged")),
                )
            )
    return [
        line
        for line in lines
        if all(at[0] in linked and at[1] in linked[at[0]].counts for at in line[2])
    ]


def _people(linked: Mapping[str, LinkedCells]) -> list[Line]:
    """People are children and adults."""
    whole, children, adults = (f"reached_{one} WHERE TRUE" for one in ("person", "child", "adult"))
    return [
        (0.0, 0.0, {(whole, cell): 1.0, (children, cell): -1.0, (adults, cell): -1.0})
        for cell in (linked[whole].counts if whole in linked else ())
    ]


def _of_whole_populations(linked: Mapping[str, LinkedCells]) -> list[Line]:
    """Who has a row in a dataset is who another population counts."""
    lines: list[Line] = []
    for name, column, category, other in (
        ("linked_child", "in_attendance", "reached", "reached_child"),
        ("linked_child", "in_asq3", "reviewed", "asq3_child"),
        ("known_family", "in_attendance", "reached", "reached_family"),
    ):
        one, two = f"{name} WHERE TRUE", f"{other} WHERE TRUE"
        for cell in linked[one].counts if one in linked else ():
            if (column, category) in cell:
                rest = tuple(pair for pair in cell if pair[0] != column)
                lines.append((0.0, 0.0, {(one, cell): 1.0, (two, rest): -1.0}))
    return lines


def _of_a_cell(population: str, cell: Cell) -> list[Line]:
    pairs = dict(cell)
    lines: list[Line] = []
    for column, category in cell:
        other, categories = _WITHIN.get((column, category), ("", ()))
        if other and other not in pairs:
            parts = {(population, _with(cell, column, other, each)): 1.0 for each in categories}
            lines.append((0.0, np.inf, {**parts, (population, cell): -1.0}))
    nobody = (pairs.get("quarter"), pairs.get("participation")) == ("earlier", "returning") or (
        "first_service" in pairs and pairs["first_service"] == pairs.get("next_service")
    )
    return [*lines, (0.0, 0.0, {(population, cell): 1.0})] if nobody else lines


def _services_of_families() -> list[Line]:
    """Families, weighted by their number of services, add up to the families of all services."""
    lines: list[Line] = []
    for number, (least, most) in {
        "1": (1, 1),
        "2_to_4": (2, 4),
        "5_or_more": (5, len(SERVICES)),
    }.items():
        whole = (_FAMILY, (("services", number),))
        parts = [(_FAMILY, (("service", service), ("services", number))) for service in SERVICES]
        lines.append((0.0, np.inf, {**dict.fromkeys(parts, 1.0), whole: -float(least)}))
        lines.append((0.0, np.inf, {**dict.fromkeys(parts, -1.0), whole: float(most)}))
    return lines


def _attendances(linked: Mapping[str, LinkedCells]) -> list[Line]:
    """People who came to a service attended it. In total they attended at least as often as their
    sessions say.
    """
    if _ATTENDED not in linked or _CHILD not in linked:
        return []
    bands = {(_CHILD, (("sessions", band),)): -float(least) for band, least in _SESSIONS.items()}
    return [
        (0.0, np.inf, {(_ATTENDED, ()): 1.0, **bands}),
        *(_at_most((_CHILD, cell), (_ATTENDED, cell)) for cell in linked[_ATTENDED].counts),
    ]


def _domains(linked: Mapping[str, LinkedCells]) -> list[Line]:
    """A child below the level in a domain is below overall, and a child below overall is below in
    some domain.
    """
    lines: list[Line] = []
    for cell in linked[_ASQ3].counts if _ASQ3 in linked else ():
        if ("overall", "below") in cell:
            parts = [(_ASQ3, _with(cell, "overall", domain, "below")) for domain in DOMAINS]
            lines.append((0.0, np.inf, {**dict.fromkeys(parts, 1.0), (_ASQ3, cell): -1.0}))
            lines += [_at_most(part, (_ASQ3, cell)) for part in parts]
    return lines


def _at_most(part: At, whole: At) -> Line:
    return (0.0, np.inf, {whole: 1.0, part: -1.0})


def _with(cell: Cell, column: str, other: str, category: str) -> Cell:
    return tuple(sorted([*(pair for pair in cell if pair[0] != column), (other, category)]))


def _ends(solver: object, target: int) -> Claim | None:
    """The least and the greatest value of a column; None if there was no time."""
    solver.changeColCost(target, 1.0)  # type: ignore[attr-defined]
    ends = []
    for sense in (highspy.ObjSense.kMinimize, highspy.ObjSense.kMaximize):
        solver.changeObjectiveSense(sense)  # type: ignore[attr-defined]
        solver.run()  # type: ignore[attr-defined]
        status = solver.getModelStatus()  # type: ignore[attr-defined]
        if status == highspy.HighsModelStatus.kInfeasible:
            raise ValueError("what the attacker takes for certain contradicts itself")
        if status != highspy.HighsModelStatus.kOptimal:
            break
        ends.append(solver.getInfo().objective_function_value)  # type: ignore[attr-defined]
    solver.changeColCost(target, 0.0)  # type: ignore[attr-defined]
    if len(ends) < 2:
        return None
    return Claim(int(np.ceil(ends[0] - 1e-6)), int(np.floor(ends[1] + 1e-6)))


@dataclass(frozen=True)
class Score:
    """The result of an attack. Only certain claims count: a guess needs no attack."""

    targets: int
    exact: int
    within_2: int
    wrong: int
    narrowest: int

    @property
    def broken(self) -> bool:
        """Whether the attack succeeded, so that the release fails the audit."""
        return bool(self.exact or self.within_2)


def score(claims: Mapping[At, Claim], truth: Callable[[At], int]) -> Score:
    """Score claims about small counts (true 1 to 7) against the truth."""
    small = [(claim, truth(at)) for at, claim in claims.items() if truth(at) in disclosure.SMALL]
    return Score(
        len(small),
        sum(1 for claim, true in small if claim.width == 0 and claim.low == true),
        sum(
            1
            for claim, true in small
            if claim.width < disclosure.NARROWEST_INTERVAL and claim.low <= true <= claim.high
        ),
        sum(1 for claim, true in small if not claim.low <= true <= claim.high),
        min((claim.width for claim, _ in small), default=99),
    )


def joint(intervals: Sequence[tuple[int, int]]) -> Claim:
    """What all constraints together say."""
    return Claim(max(low for low, _ in intervals), min(high for _, high in intervals))
