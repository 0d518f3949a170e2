"""What an analyst can learn from a release by asking: every protected count, including those shown
as <10.

The attacker knows the catalogue, the policy and how answers are built, and has a connection and
nothing else. To find a withheld count, the attacker asks for a total and for the total without that
cell. Tables that add up give the rest.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from childlink_analytics.shared.cubes import Cell, LinkedCells, cell_of, link_cells
from childlink_catalogue.measures import Measure
from childlink_client import Client, ClientError

Known = dict[Cell, int]
Where = Mapping[str, str | Sequence[str]]


@dataclass
class Analyst:
    """An analyst and the answers so far."""

    client: Client
    measures: Mapping[str, Measure]
    release: str = ""
    questions: int = 0
    known: dict[str, Known] = field(default_factory=dict)
    """Protected counts by population and cell (by column)."""
    linked: dict[str, LinkedCells] = field(default_factory=dict)
    """How the cells of each population depend on each other, according to the public catalogue. Its
    counts are all zero.
    """

    def __post_init__(self) -> None:
        self.attendances = attendances(self.measures)
        together: dict[str, list[Measure]] = {}
        for measure in self.measures.values():
            together.setdefault(measure.population, []).append(measure)
        for population, measures in together.items():
            self.linked[population] = link_cells(
                (m, cube, {}) for m in measures for cube in m.cubes
            )
            self.known[population] = {}

    def ask(
        self, measure: str, by: Sequence[str] = (), where: Where | None = None
    ) -> dict[tuple[str, ...], int | None]:
        """Counts by category as answered; None if withheld."""
        self.questions += 1
        answer = self.client.ask(measure, by, where, self.release)
        return {cell.categories: cell.count for cell in answer.cells}

    def unmask(self) -> None:
        """Find every protected count."""
        for measure in self.measures.values():
            for cube in measure.cubes:
                self._tables(measure, cube)
        # Attendances are rounded one by one, so tables of them do not add up.
        for measure in self.measures.values():
            for cube in measure.cubes if measure.population not in self.attendances else ():
                self._complements(measure, cube)
        for population in self.known.keys() - self.attendances:
            self._deduce(population)

    def _tables(self, measure: Measure, cube: tuple[str, ...]) -> None:
        known = self.known[measure.population]
        for by in _subsets(measure, cube):
            for categories, count in self.ask(measure.id, by).items():
                if count is not None:
                    known[self._cell(measure, by, categories)] = count

    def _complements(self, measure: Measure, cube: tuple[str, ...]) -> None:
        """Ask for all but one category of a dimension, and subtract."""
        known = self.known[measure.population]
        for by in _subsets(measure, cube):
            for name in set(cube) - set(by):
                dimension = measure.dimensions[name]
                if dimension.overlapping or (dimension.within and dimension.within not in by):
                    continue
                for category in dimension.categories:
                    others = [other for other in dimension.categories if other != category]
                    if all(
                        self._cell(measure, (*by, name), (*c, category)) in known
                        for c in itertools.product(*(measure.dimensions[b].categories for b in by))
                    ):
                        continue
                    for categories, count in self.ask(measure.id, by, {name: others}).items():
                        whole = known.get(self._cell(measure, by, categories))
                        if count is not None and whole is not None:
                            known[self._cell(measure, (*by, name), (*categories, category))] = (
                                whole - count
                            )

    def _deduce(self, population: str) -> None:
        """Tables add up: fill in each count that has only one possible value."""
        known, before = self.known[population], -1
        while len(known) > before:
            before = len(known)
            for margin, parts in self.linked[population].sums:
                unknown = [part for part in parts if part not in known]
                told = sum(known[part] for part in parts if part in known)
                if margin not in known:
                    if not unknown:
                        known[margin] = told
                elif known[margin] == told:
                    known.update(dict.fromkeys(unknown, 0))
                elif len(unknown) == 1:
                    known[unknown[0]] = known[margin] - told

    @staticmethod
    def _cell(measure: Measure, by: Sequence[str], categories: Sequence[str]) -> Cell:
        return cell_of([measure.columns.get(name, name) for name in by], categories)

    def expected(
        self, measure: Measure, by: Sequence[str], where: Mapping[str, Sequence[str]]
    ) -> list[int | None]:
        """The protected sums of an answer, if it uses the protected counts and nothing else; None
        where a count is unknown.
        """
        known = self.known[measure.population]
        sums: list[int | None] = []
        for categories in itertools.product(*(measure.dimensions[name].categories for name in by)):
            kept = {
                name: list(keep)
                for name, keep in where.items()
                if len(keep) < len(measure.dimensions[name].categories)
            }
            names = [*by, *kept]
            cells = [
                self._cell(measure, names, (*categories, *chosen))
                for chosen in itertools.product(*kept.values())
            ]
            sums.append(
                sum(known[cell] for cell in cells) if all(cell in known for cell in cells) else None
            )
        return sums

    def refused(self, *question: object) -> str:
        """The text with which a question is refused; empty if it is answered."""
        try:
            self.ask(*question)  # type: ignore[arg-type]
        except ClientError as error:
            return str(error)
        return ""


def attendances(measures: Mapping[str, Measure]) -> set[str]:
    """Populations that do not count people and are protected by the second policy."""
    return {measure.population for measure in measures.values() if measure.unit == "attendances"}


def _subsets(measure: Measure, cube: tuple[str, ...]) -> list[tuple[str, ...]]:
    found = []
    for size in range(len(cube) + 1):
        for by in itertools.combinations(cube, size):
            if all(
                not measure.dimensions[name].within or measure.dimensions[name].within in by
                for name in by
            ):
                found.append(by)
    return found
