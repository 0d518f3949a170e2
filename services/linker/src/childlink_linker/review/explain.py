"""The use cases of `explain`, `history` and `quality`: why records are one person, how an
identifier changed, and how well linkage works without known truth. Read-only. Shows what agrees and
its weight, never a token, a reference or a partner's name.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import sqlalchemy as sa
from childlink_core.ids import is_valid
from childlink_core.profiles import Profile
from numpy.typing import NDArray

from childlink_linker.clustering.evidence import columns
from childlink_linker.errors import UnknownIdentifierError
from childlink_linker.matching.comparison import Codes, Indexes, compare
from childlink_linker.matching.density import ChildrenOfADate, Density
from childlink_linker.matching.encodings import Encodings
from childlink_linker.matching.parameters import Parameters, RoleWeights
from childlink_linker.matching.similarity import LEVELS, in_words
from childlink_linker.matching.weights import VARIABLES, Weigher, prior_bits
from childlink_linker.records import StoredRecord
from childlink_linker.store import tables as t
from childlink_linker.store.store import Store

_RECORDS_AT_A_TIME: Final = 20_000
_OF_A_FILE: Final = re.compile(r"E[0-9]{7}")
"""Numbers of a file of links (`evaluate.export`)."""
_IN_WORDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "nhs": ("NHS number", ("same", "different", "different, not traced")),
    "dob": ("date of birth", ("same", "different")),
    "mother": ("mother (of children) or child (of adults)", ("same", "different")),
    "names": ("given name and surname", ("same", "different")),
    "sounds": ("both names as they sound", ("same", "different")),
    "part_of_given": (
        "surname, and part of the given name, another given name or a nickname",
        ("same", "different"),
    ),
    "part_of_surname": ("given name, and part of the surname", ("same", "different")),
    "given_place": ("given name and postcode", ("same", "alike", "different")),
    "surname_place": ("surname and postcode", ("same", "alike", "different")),
    "initial_place": ("initial and postcode", ("same", "different")),
    "given_area": ("given name and district", ("same", "different")),
    "alike": ("spelling of both names", ("much in common", "something in common", "different")),
    "place": ("postcode", ("same", "different")),
    "sex": ("sex", ("same", "different")),
    "given_and_date": ("given name and part of the date", ("same", "different")),
    "given": ("given name", ("same", "alike", "different")),
    "surname": ("surname", ("same", "alike", "different")),
    "date": ("parts of the date of birth", ("same", "the same in part", "different")),
    "part_of_date": (
        "month or year of birth, where no more is known",
        ("same month", "same year", "different"),
    ),
    "similarity": ("similarity of the CLKs (Dice)", tuple(map(in_words, range(1, LEVELS)))),
    "guessed": ("a date that is a guess", ("yes",)),
    "nameless": ("a record without a given name", ("yes",)),
    "multiple": ("a twin without a given name", ("yes",)),
}


@dataclass(frozen=True)
class Finding:
    """What two records agree or disagree on, and the weight of that alone, in bits."""

    what: str
    outcome: str
    bits: float


@dataclass(frozen=True)
class Comparison:
    """Two records of one person. Records are named by letters, whose order has no meaning."""

    one: str
    other: str
    weight: float
    findings: Sequence[Finding]


@dataclass(frozen=True)
class Explanation:
    """Why records are one person."""

    person_id: str
    family_id: str | None
    records: int
    sources: int
    comparisons: Sequence[Comparison]
    """All pairs of records that could be compared, greatest weight first."""


@dataclass(frozen=True)
class Change:
    """A change of an identifier."""

    at: datetime
    kind: str
    subject: str
    """A letter for each subject; "" for changes of a person or family."""
    before: str | None
    after: str | None
    family: str | None = None


@dataclass(frozen=True)
class Quality:
    """Linkage quality of the records of one dataset, under one version of the linkage secret."""

    dataset: str
    key_version: int
    records: int
    matched: float
    """Share whose person is also in another dataset."""
    doubtful: float
    """Share that waits for a data steward's decision."""
    numbered: float
    """Share with an NHS number."""
    passes: Mapping[str, float]
    """Share that carries each pass."""


@dataclass(frozen=True)
class Queue:
    """The pairs that wait for a data steward."""

    pairs: int
    expected_same: float
    """Share of them that is expected to be one person, by their weights. 0 if none waits."""


@dataclass(frozen=True)
class QualityReport:
    """Linkage quality, without known truth."""

    datasets: Sequence[Quality]
    queue: Queue
    children_of_a_date: Density | None
    """None if that does not matter under the profile, or no child has a date of birth."""


def explain(store: Store, person_id: str, profile: Profile, parameters: Parameters) -> Explanation:
    """Explain why the records of a person are one. Raises UnknownIdentifierError."""
    _check(person_id)
    person = store.persons([person_id]).get(person_id)
    subjects = store.subjects_of_persons([person_id])
    if person is None or not subjects:
        raise UnknownIdentifierError(
            f"No person has the identifier {person_id} now.",
            "`childlink-linker history` shows how it changed.",
        )
    records = store.records_of_subjects(subjects)
    records.sort(key=lambda record: record.digest)
    return Explanation(
        person_id,
        person.family_id,
        len(records),
        len({record.facet for record in records}),
        _comparisons(
            records,
            [letter(at) for at in range(len(records))],
            *np.triu_indices(len(records), k=1),
            person.role,
            profile,
            parameters,
        ),
    )


def compare_groups(
    one: Sequence[StoredRecord],
    other: Sequence[StoredRecord],
    role: int,
    profile: Profile,
    parameters: Parameters,
) -> list[Comparison]:
    """Compare the records of one group (A1, A2, ...) with those of another (B1, B2, ...). The order
    has no meaning.
    """
    groups = [sorted(group, key=lambda record: record.digest) for group in (one, other)]
    names = [
        f"{letter}{at}"
        for letter, group in zip("AB", groups, strict=True)
        for at in range(1, len(group) + 1)
    ]
    left, right = (ends.ravel() for ends in np.indices((len(one), len(other))))
    return _comparisons(
        [*groups[0], *groups[1]], names, left, right + len(one), role, profile, parameters
    )


def _comparisons(
    records: Sequence[StoredRecord],
    names: Sequence[str],
    left: Indexes,
    right: Indexes,
    role: int,
    profile: Profile,
    parameters: Parameters,
) -> list[Comparison]:
    result = compare(columns(records, profile), left, right, profile, parameters)
    weigher = Weigher(parameters.roles[role])
    found = [
        Comparison(
            names[int(left[at])],
            names[int(right[at])],
            float(result.weight[at]),
            findings_of(result.codes[at], weigher, parameters.roles[role]),
        )
        for at in np.flatnonzero(result.informative).tolist()
    ]
    return sorted(found, key=lambda item: -item.weight)


def findings_of(codes: Codes, weigher: Weigher, weights: RoleWeights) -> list[Finding]:
    """What the codes of one pair say, in words, with the weight of each alone. Greatest first."""
    known = np.flatnonzero(codes)
    alone = np.zeros((len(known), len(codes)), dtype=np.int8)
    alone[np.arange(len(known)), known] = codes[known]
    weighed, _ = weigher(alone)
    prior = float(prior_bits(weights)[0])
    findings = [
        Finding(
            *_words(VARIABLES[column], int(codes[column])),
            float(weight - prior) if np.isfinite(weight) else 0.0,
        )
        for column, weight in zip(known.tolist(), weighed.bits.tolist(), strict=True)
    ]
    return sorted(findings, key=lambda finding: -abs(finding.bits))


def _words(variable: str, code: int) -> tuple[str, str]:
    what, outcomes = _IN_WORDS[variable]
    return what, outcomes[code - 1]


def history(tx: sa.Connection, identifier: str) -> list[Change]:
    """All changes of an identifier, oldest first. Raises UnknownIdentifierError."""
    _check(identifier)
    event = t.event.c
    named = sa.or_(
        event.person_id == identifier,
        event.previous_person_id == identifier,
        event.family_id == identifier,
    )
    rows = tx.execute(sa.select(t.event).where(named).order_by(event.event_id)).all()
    if not rows:
        raise UnknownIdentifierError(
            f"This linker never assigned {identifier}.", "Check where it comes from."
        )
    subjects = dict.fromkeys(row.subject_id for row in rows if row.subject_id is not None)
    letters = {None: ""} | {subject: letter(at) for at, subject in enumerate(subjects)}
    return [
        Change(
            datetime.fromtimestamp(row.at_ms / 1000, UTC),
            row.kind,
            letters[row.subject_id],
            row.previous_person_id,
            None if row.kind == "withdrawn" else row.person_id,
            row.family_id,
        )
        for row in rows
    ]


def quality(store: Store, profile: Profile) -> QualityReport:
    """How well linkage works, without known truth."""
    dates = ChildrenOfADate(profile)
    datasets = _quality_of_datasets(store, profile, dates)
    return QualityReport(datasets, _queue(store), dates.density())


def children_of_a_date(store: Store, profile: Profile) -> Density | None:
    """How many children share a date of birth. Reads all records."""
    dates = ChildrenOfADate(profile)
    for chunk, encodings, persons in _chunks(store, profile):
        dates.add(encodings, [persons[record.subject_id] for record in chunk])
    return dates.density()


def _chunks(
    store: Store, profile: Profile
) -> Iterator[tuple[Sequence[StoredRecord], Encodings, Mapping[int, str | None]]]:
    """All records, some at a time, with their encodings and the persons of their subjects."""
    after = 0
    while chunk := store.records_after(after, _RECORDS_AT_A_TIME):
        after = chunk[-1].record_id
        found = store.subjects({record.subject_id for record in chunk})
        persons = {key: subject.person_id for key, subject in found.items()}
        yield chunk, columns(chunk, profile), persons


def _queue(store: Store) -> Queue:
    weights = np.array([row.weight for row in store.review_queue()], dtype=float)
    if not len(weights):
        return Queue(0, 0.0)
    return Queue(len(weights), expected_same(weights))


def expected_same(weights: NDArray[np.float64]) -> float:
    """The share of pairs that is expected to be one person, from match weights in bits."""
    return float((1.0 / (1.0 + np.exp2(-weights))).mean())


def _quality_of_datasets(store: Store, profile: Profile, dates: ChildrenOfADate) -> list[Quality]:
    """Match rate, doubtful pairs and passes by dataset and version of the linkage secret. Datasets
    are named by their opaque facets. `dates` counts along.
    """
    doubtful = store.subjects_in_review()
    known_in = store.datasets_of_persons()
    tallies: dict[tuple[bytes, int], Counter[str]] = {}
    for chunk, encodings, person_of in _chunks(store, profile):
        dates.add(encodings, [person_of[record.subject_id] for record in chunk])
        for at, record in enumerate(chunk):
            tally = tallies.setdefault((record.facet, record.key_version), Counter())
            tally["records"] += 1
            tally["matched"] += known_in.get(person_of[record.subject_id] or "", 0) > 1
            tally["doubtful"] += record.subject_id in doubtful
            tally["numbered"] += bool(encodings.nhs[at])
            tally.update(
                f"pass {number}" for number, item in encodings.passes.items() if item.tokens[at]
            )
    return [
        Quality(
            facet.hex(),
            version,
            tally["records"],
            tally["matched"] / tally["records"],
            tally["doubtful"] / tally["records"],
            tally["numbered"] / tally["records"],
            {item.name: tally[f"pass {item.number}"] / tally["records"] for item in profile.passes},
        )
        for (facet, version), tally in sorted(tallies.items())
    ]


def _check(identifier: str) -> None:
    if _OF_A_FILE.fullmatch(identifier):
        raise UnknownIdentifierError(
            f"{identifier} is a number of a file of links, which numbers people afresh.",
            "Give an identifier of the hub: `childlink-linker review show` names them.",
        )
    if not is_valid(identifier):
        raise UnknownIdentifierError(
            f"{identifier!r} is not an identifier: its check character is wrong.",
            "Check the spelling.",
        )


def letter(number: int) -> str:
    """Names for the records or people of a list: A, B, ..., Z, AA, AB, ..."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
