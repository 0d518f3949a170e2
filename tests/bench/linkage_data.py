"""The populations on which systems are compared: who is recorded where, as ingest reads it, and who
is the same person in truth.

A record here is what one partner knows of one person. Its key is (partner, local id, role), as in
the truth file.
"""

import csv
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path

from childlink_core.keys import SecretKey
from childlink_core.profiles import get_profile
from childlink_core.references import ReferenceKeys
from childlink_ingest.app import load_mapping, open_mapped
from childlink_ingest.mapping.apply import RowMapper
from childlink_ingest.mapping.definition import Mapping
from childlink_ingest.model.rows import Identity, Rejection, Row
from childlink_ingest.pseudonymise.split import Subject, split
from childlink_ingest.runs.prepare import without_unlinkable
from childlink_local.demo import find_extracts
from childlink_local.pilot import Extract
from childlink_local.synth import synthesise
from childlink_local.synth.lives import Lives

from tests.support.public_sets import PUBLIC_SETS, digest

Key = tuple[str, str, str]
LINKABLE_FIELDS = (
    "nhs_number",
    "given_name",
    "surname",
    "date_of_birth",
    "sex",
    "postcode",
    "birth_order",
)


@dataclass(frozen=True)
class Setting:
    """The settings of a synthetic population: errors and shares of NHS numbers, as multiples of the
    usual ones.
    """

    error_times: float = 1.0
    nhs_times: float = 1.0


SETTINGS = {
    "usual": Setting(),
    "errors-x2": Setting(error_times=2.0),
    "nhs-x0.75": Setting(nhs_times=0.75),
    "nhs-x0.5-errors-x2": Setting(error_times=2.0, nhs_times=0.5),
    "no-nhs": Setting(nhs_times=0.0),
    "no-nhs-errors-x2": Setting(error_times=2.0, nhs_times=0.0),
}


@dataclass(frozen=True)
class Person:
    """A person according to the truth. "" and None if the data set does not say."""

    person: str
    mother: str = ""
    born: date | None = None
    ethnicity: str = ""
    imd_quintile: str = ""
    name_tradition: str = ""
    relation: str = ""
    """Of an adult: mother, father or carer."""


@dataclass(frozen=True)
class Plain:
    """What a partner knows of a person, normalised by ingest: the last value of each field in its
    extracts.
    """

    identity: Identity
    mother: Identity | None = None


@dataclass
class Population:
    """A data set, the same for every system."""

    name: str
    truth: dict[Key, Person]
    plain: dict[Key, Plain] = field(default_factory=dict)
    subjects: dict[tuple[str, bytes, bytes], Subject] = field(default_factory=dict)
    """What childlink encodes, by (partner, facet, link reference): the last record of each feed, as
    it would be sent.
    """
    keys: dict[tuple[str, bytes], Key] = field(default_factory=dict)
    """Keys by (partner, link reference)."""
    rejected: int = 0
    lives: Lives | None = None
    """The true events in a synthetic population."""
    digest: str = ""
    """SHA-256 of a public data set."""

    def roles(self) -> list[str]:
        """The roles in the data."""
        return [role for role in ("child", "adult") if any(key[2] == role for key in self.truth)]


def synthetic(name: str, children: int, seed: int) -> Population:
    """A synthetic partnership under one of SETTINGS, read through the real mappings without
    permitted lists.
    """
    setting = SETTINGS[name]
    with tempfile.TemporaryDirectory() as folder:
        lives = synthesise(Path(folder), seed, children, setting.error_times, setting.nhs_times)
        people = _people(lives)
        truth = {
            (row["partner"], row["local_id"], row["role"]): people[row["person"]]
            for row in _rows(Path(folder) / "truth.csv")
        }
        population = Population(name, truth, lives=lives)
        for extract in find_extracts(Path(folder)):
            _read(population, extract)
        return population


def second(children: int, seed: int, errors: float = 1.0) -> Population:
    """A partnership of the second generator, written by somebody who had not read the first."""
    from tests.bench.second_world import generate

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder, children, seed, errors)
        rows = list(_rows(folder / "truth.csv"))
        mothers = {row["mother"] for row in rows}
        of_mothers = {True: "mother", False: "father or carer"}
        truth = {
            (row["partner"], row["local_id"], row["role"]): Person(
                row["person"],
                row["mother"],
                date.fromisoformat(row["born"]),
                row["ethnicity"],
                row["deprivation"],
                row["name_tradition"],
                of_mothers[row["person"] in mothers] if row["role"] == "adult" else "",
            )
            for row in rows
        }
        population = Population("second" if errors == 1.0 else f"second-errors-x{errors:g}", truth)
        for row in _rows(folder / "extracts.csv"):
            extract = Extract(row["partner"], folder / row["file"], folder / row["mapping"])
            _read(population, extract)
        return population


def public(name: str) -> Population:
    """One of PUBLIC_SETS."""
    with tempfile.TemporaryDirectory() as folder:
        extracts = PUBLIC_SETS[name](Path(folder))
        truth = {
            (row["partner"], row["local_id"], row["role"]): Person(row["person"])
            for row in _rows(Path(folder) / "truth.csv")
        }
        population = Population(name, truth, digest=digest(extracts))
        for extract in extracts:
            _read(population, extract)
        return population


def _people(lives: Lives) -> dict[str, Person]:
    """Everyone in the synthetic lives, by the truth file's person id."""
    people = {}
    for family in lives.families:
        mother = f"P{family.mother.person:06d}"
        about = partial(Person, ethnicity=family.ethnicity, imd_quintile=str(family.imd_quintile))
        for child in family.children:
            name = f"P{child.person:06d}"
            people[name] = about(name, mother, child.born)
        for adult, relation in (
            (family.mother, "mother"),
            (family.father, "father"),
            (family.carer, "carer"),
        ):
            if adult is not None:
                name = f"P{adult.person:06d}"
                people[name] = about(name, "", adult.born, relation=relation)
    return people


def _read(population: Population, extract: Extract) -> None:
    """Map every row of an extract as ingest does, and keep what it says about people."""
    mapping = load_mapping(extract.mapping)
    keys = ReferenceKeys.of(
        SecretKey(extract.partner, 1, extract.partner.encode().ljust(32, b".")[:32])
    )
    for row in _mapped(extract, mapping, population):
        for subject in split(row, mapping, keys)[:2]:
            if subject:
                key = (extract.partner, subject.identity.person_id, subject.role)
                population.keys[extract.partner, subject.link_reference] = key
                population.plain[key] = _merged(population.plain.get(key), subject)
        sent = without_unlinkable(row, get_profile())
        if isinstance(sent, Rejection):
            population.rejected += 1
            continue
        for subject in split(sent, mapping, keys)[:2]:
            if subject:
                population.subjects[extract.partner, subject.facet, subject.link_reference] = (
                    subject
                )


def _mapped(extract: Extract, mapping: Mapping, population: Population) -> Iterator[Row]:
    mapper = RowMapper(mapping, date.today())
    with open_mapped(extract.path, mapping) as opened:
        for record in opened:
            row = record if isinstance(record, Rejection) else mapper(record.number, record.values)
            if isinstance(row, Rejection):
                population.rejected += 1
            else:
                yield row


def _merged(before: Plain | None, subject: Subject) -> Plain:
    if before is None:
        return Plain(subject.identity, subject.mother)
    return Plain(_later(before.identity, subject.identity), subject.mother or before.mother)


def _later(before: Identity, after: Identity) -> Identity:
    said = {
        name: value for name in LINKABLE_FIELDS if (value := getattr(after, name)) not in ("", None)
    }
    return replace(before, **said)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
