"""The extracts, their mappings and the truth, as files."""

import csv
import random
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from tests.bench.second_world.habits import Habit
from tests.bench.second_world.observe import Observer
from tests.bench.second_world.people import EXTRACTED, Person, Population
from tests.bench.second_world.places import at

TRUTH: Final = (
    "partner",
    "local_id",
    "role",
    "person",
    "mother",
    "born",
    "ethnicity",
    "name_tradition",
    "deprivation",
)
STRAY_SPACE: Final = 0.004  # of the cells of an extract have a space before or after the value

_CATEGORIES: Final = {
    "english": "A",
    "irish": "B",
    "polish": "C",
    "portuguese": "C",
    "turkish": "C",
    "ukrainian": "C",
    "caribbean": "M",
    "nigerian_yoruba": "N",
    "ghanaian": "N",
    "somali": "N",
    "eritrean": "N",
    "bengali": "K",
    "pakistani": "J",
    "punjabi_sikh": "H",
    "chinese": "R",
    "vietnamese": "L",
}


def ethnic_category(person: Person, rng: random.Random) -> str:
    """The NHS's ethnic category code; Z if it is not stated."""
    if rng.random() < 0.08:
        return "Z"
    return "G" if person.ethnicity == "mixed" else _CATEGORIES.get(person.tradition, "S")


@dataclass
class Extract:
    """One file of a partner, with the mapping that reads it."""

    partner: str
    dataset: str
    mapping: str
    rows: list[dict[str, str]] = field(default_factory=list)


class World:
    """The population, and what the partners have written about it so far."""

    def __init__(self, children: int, seed: int, errors: float) -> None:
        self.seed, self.errors = seed, errors
        self.population = Population(children, seed)
        self.extracts: list[Extract] = []
        self._truth: dict[tuple[str, str, str], Person] = {}
        self._taken: set[tuple[str, str]] = set()

    def rng(self, *parts: object) -> random.Random:
        """Random numbers that depend on the seed and on `parts` only."""
        return random.Random("/".join(str(part) for part in (self.seed, *parts)))

    def observer(self, habit: Habit, local_id: str) -> Observer:
        """The same errors for a local id in each of a partner's extracts."""
        return Observer(habit, self.errors, self.rng(habit.partner, local_id))

    def new_id(self, partner: str, make: Callable[[], str]) -> str:
        """An id that the partner has not used."""
        while (partner, local := make()) in self._taken:
            pass
        self._taken.add((partner, local))
        return local

    def know(self, partner: str, local_id: str, role: str, person: Person) -> None:
        """Note who a local id is."""
        key = (partner, local_id, role)
        if self._truth.setdefault(key, person) is not person:
            raise AssertionError(f"{key} stands for two people")

    def write(self, folder: Path) -> None:
        """Write all files."""
        folder.mkdir(parents=True, exist_ok=True)
        listed = []
        for extract in self.extracts:
            name = f"{extract.partner}-{extract.dataset}"
            rng = self.rng("spaces", name)
            header = list(extract.rows[0])
            rng.shuffle(extract.rows)
            rows = [[_spaced(row[column], rng) for column in header] for row in extract.rows]
            _write(folder / f"{name}.csv", header, rows)
            (folder / f"{name}.toml").write_text(_mapping(extract, header), encoding="utf-8")
            listed.append([extract.partner, f"{name}.csv", f"{name}.toml"])
        _write(folder / "extracts.csv", ["partner", "file", "mapping"], listed)
        truth = [
            [*key, *_truth_of(person, key[2])]
            for key, person in sorted(self._truth.items(), key=lambda i: i[0])
        ]
        _write(folder / "truth.csv", list(TRUTH), truth)


def in_use(child: Person, day: date) -> date | None:
    """The day on which a contact planned for `day` meets this identity, or None if it ended."""
    if day < child.since:
        day = child.since + timedelta(60)
    return day if day < min(child.until, EXTRACTED) else None


def british(day: date | None) -> str:
    """DD/MM/YYYY."""
    return f"{day:%d/%m/%Y}" if day else ""


def iso(day: date | None) -> str:
    """YYYY-MM-DD."""
    return day.isoformat() if day else ""


def _truth_of(person: Person, role: str) -> list[str]:
    mother = person.family.mother.id if role == "child" and person.family else ""
    return [
        person.id,
        mother,
        person.born.isoformat(),
        person.ethnicity,
        person.tradition,
        str(at(person.homes, EXTRACTED).quintile),
    ]


def _spaced(text: str, rng: random.Random) -> str:
    if not text or rng.random() >= STRAY_SPACE:
        return text
    return rng.choice((f" {text}", f"{text} ", f"{text}  "))


def _mapping(extract: Extract, header: list[str]) -> str:
    used: set[str] = set()
    for value in tomllib.loads(extract.mapping)["columns"].values():
        column = value["column"] if isinstance(value, dict) else value
        used.update(column if isinstance(column, list) else [column])
    ignored = ", ".join(f'"{column}"' for column in header if column not in used)
    return (
        f'dataset = "{extract.dataset}"\nopt_out_exempt = "made-up people"\n'
        f"ignore = [{ignored}]\n{extract.mapping.strip()}\n"
    )


def _write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
