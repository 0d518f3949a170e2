"""Writes wrong pairs with both records in plain text, so that a developer sees the cause. For
synthetic people only.
"""

import csv
import random
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from itertools import combinations
from pathlib import Path

from tests.bench.linkage_data import LINKABLE_FIELDS, Key, Plain, Population

MOST_OF_A_KIND = 200


def wrong_pairs(
    keys: Iterable[Key], found: Mapping[Key, Hashable], true: Mapping[Key, str]
) -> dict[str, list[tuple]]:
    """Linked pairs of two people ("false"), and unlinked pairs of one person ("missed")."""
    by_found: dict[Hashable, list[Key]] = defaultdict(list)
    by_true: dict[str, list[Key]] = defaultdict(list)
    for key in keys:
        by_true[true[key]].append(key)
        if key in found:
            by_found[found[key]].append(key)
    return {
        "false": [
            pair
            for members in by_found.values()
            for pair in combinations(members, 2)
            if len({true[k] for k in pair}) > 1
        ],
        "missed": [
            (a, b)
            for members in by_true.values()
            for a, b in combinations(members, 2)
            if a not in found or found[a] != found.get(b)
        ],
    }


def cause(population: Population, pair: tuple[Key, Key], kind: str, twins: Collection[str]) -> str:
    """What is special about a wrong pair, in a few words: the first reason that holds."""
    (one, a), (other, b) = ((population.truth[key], population.plain.get(key)) for key in pair)
    if a is None or b is None:
        return "a record that ingest rejects"
    x, y = a.identity, b.identity
    numbers = {x.nhs_number, y.nhs_number} - {""}
    if kind == "false":
        relation = "strangers"
        if one.mother and one.mother == other.mother:
            relation = "twins" if one.born == other.born else "siblings"
        how = (
            "same number" if x.nhs_number and x.nhs_number == y.nhs_number else "different numbers"
        )
        how = (
            how if len(numbers) == 2 or x.nhs_number == y.nhs_number != "" else "not both numbered"
        )
        return f"{relation}, {how}"
    said = []
    if x.nhs_number and y.nhs_number:
        said.append("same number" if len(numbers) == 1 else "different numbers")
    if not x.given_name or not y.given_name:
        said.append("no given name")
    elif x.given_name.split()[0] != y.given_name.split()[0]:
        said.append("other given name")
    if x.surname != y.surname:
        related = set(x.surname.split()) & set(y.surname.split())
        said.append("part of the surname" if related else "other surname")
    if x.date_of_birth != y.date_of_birth:
        said.append(
            "other date of birth" if x.date_of_birth and y.date_of_birth else "no date of birth"
        )
    if x.postcode != y.postcode:
        said.append("other postcode")
    if {x.sex, y.sex} == {"f", "m"}:
        said.append("other sex")
    if one.person in twins:
        said.append("has a twin")
    return ", ".join(said) or "all alike"


def write_errors(
    population: Population, found: Mapping[Key, Hashable], path: Path, system: str
) -> dict[str, int]:
    """Write a sample of wrong pairs. Returns the number of pairs for each cause."""
    true = {key: person.person for key, person in population.truth.items()}
    counts: dict[str, int] = defaultdict(int)
    twins = _twins(population)
    fresh = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if fresh:
            whose = ("system", "setting", "role", "kind", "cause")
            writer.writerow([*whose, *(f"{name} {side}" for side in "ab" for name in _columns())])
        for role in population.roles():
            of_role = [key for key in population.truth if key[2] == role]
            for kind, pairs in wrong_pairs(of_role, found, true).items():
                named = [(cause(population, pair, kind, twins), pair) for pair in pairs]
                for why, _ in named:
                    counts[f"{role} {kind}: {why}"] += 1
                chosen = random.Random(1).sample(named, min(MOST_OF_A_KIND, len(named)))
                for why, (a, b) in sorted(chosen):
                    writer.writerow(
                        [
                            system,
                            population.name,
                            role,
                            kind,
                            why,
                            *_row(population, a),
                            *_row(population, b),
                        ]
                    )
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _columns() -> list[str]:
    mother = ("mother nhs_number", "mother given_name", "mother date_of_birth")
    return ["partner", "local_id", "person", *LINKABLE_FIELDS, *mother]


def _row(population: Population, key: Key) -> list[object]:
    plain = population.plain.get(key) or Plain(identity=None)  # type: ignore[arg-type]
    own = [getattr(plain.identity, name, "") for name in LINKABLE_FIELDS]
    mother = [
        getattr(plain.mother, name, "") for name in ("nhs_number", "given_name", "date_of_birth")
    ]
    return [key[0], key[1], population.truth[key].person, *own, *mother]


def _twins(population: Population) -> set[str]:
    """People with a twin among the recorded people."""
    births: dict[tuple[str, object], set[str]] = defaultdict(set)
    for person in population.truth.values():
        if person.mother:
            births[person.mother, person.born].add(person.person)
    return {name for names in births.values() if len(names) > 1 for name in names}
