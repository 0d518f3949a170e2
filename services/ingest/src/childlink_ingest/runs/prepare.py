"""Prepares records for sending: map, check eligibility, derive areas, split, encode. No I/O.

`Prepared` is plain data, so that several processes can prepare chunks.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as ValuesOf
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple, cast

from childlink.wire.v1 import observation_pb2
from childlink_catalogue.datasets import AREAS, ELSEWHERE, Area, Attribute, Dataset
from childlink_core.profiles import Profile
from childlink_core.references import ReferenceKeys

from childlink_ingest.eligibility.contradictions import Claims, claims_of
from childlink_ingest.eligibility.rules import OBJECTED, OPTED_OUT, Permissions
from childlink_ingest.geography.derive import AreaLookup, AreaSets
from childlink_ingest.mapping.apply import RowMapper
from childlink_ingest.mapping.definition import Mapping
from childlink_ingest.model.items import DELETED, StagedItem, StagedRow
from childlink_ingest.model.rows import Rejection, Row, WithheldRow
from childlink_ingest.pseudonymise.encoder import Encoder, is_linkable, varint
from childlink_ingest.pseudonymise.given_clks import check_like_ours, with_clks
from childlink_ingest.pseudonymise.split import Observation, Subject, split
from childlink_ingest.readers.record import Record
from childlink_ingest.spool.packing import Buckets, pack_items, pack_rows

_REMEMBERED_SUBJECTS: Final = 100_000
_CLKS_CHECKED: Final = 500
_NO_FACET: Final = b""
WITHDRAWN: Final = "withdrawn at the site"


@dataclass(frozen=True)
class EncodingPlan:
    """All settings that decide which data of an extract could be sent."""

    mapping: Mapping
    references: ReferenceKeys
    encoders: tuple[Encoder, ...]
    """One encoder; two while the linkage secret is being rotated."""
    today: date
    permissions: Permissions = field(default_factory=Permissions)
    areas: AreaLookup | None = None
    withdrawn: frozenset[bytes] = field(default=frozenset(), repr=False)
    """Link references and keyed NHS numbers of people whom the site has withdrawn permanently."""
    clks: ValuesOf[str, bytes] | None = field(default=None, repr=False)
    """The CLKs of a file of another tool, by local id. None: childlink makes them."""

    @property
    def profile(self) -> Profile:
        """The encoding profile. It is the same for every encoder."""
        return self.encoders[0].profile


class WithdrawalRequest(NamedTuple):
    """A request to withdraw a subject, if it was sent before; with a row reference, only that
    row.
    """

    why: str
    link_reference: bytes
    analytics_reference: bytes
    row_reference: bytes | None = None


@dataclass
class Prepared:
    """A prepared chunk. Rows, observations and subjects are packed to travel between processes."""

    records: int
    rows: Buckets
    observations: Buckets
    """In the order of the rows."""
    subjects: Buckets
    rejections: list[Rejection]
    present: list[bytes]
    """Row references of rejected rows with a readable id."""
    held: Counter[str]
    forget: list[WithdrawalRequest]
    notes: Counter[str]
    filled: Counter[str]
    """Rows with a usable value, by column of the mapping's `min_filled`."""
    claims: Claims
    """The values that the rows give for their ids. An id that several people share stops the
    run.
    """


class Preparer:
    """Prepares one chunk after another.

    Caches encodings, so that a child with forty attendances is encoded once.
    """

    def __init__(self, plan: EncodingPlan) -> None:
        self._plan = plan
        self._map = RowMapper(plan.mapping, plan.today)
        self._remembered: dict[bytes, tuple[int, list[StagedItem]]] = {}
        self._checked = False

    def __call__(self, chunk: Sequence[Record | Rejection]) -> Prepared:
        """Prepare a chunk."""
        plan = self._plan
        references, feed = plan.references, plan.mapping.feed
        rows, held, rejections = map_rows(chunk, self._map, plan)
        if not self._checked and plan.clks is not None:
            self._checked = check_clks(rows, plan)
        deleted = [row for row in rows if row.deleted]
        rows = [row for row in rows if not row.deleted]
        forget = [self._forget(item.why, item.row) for item in held]
        forget += [self._forget(DELETED, row, whole_row=True) for row in deleted]
        forget += [self._forget_adult(row) for row in rows if row.left_out]
        halves = [split(row, plan.mapping, references) for row in rows]
        # If several rows have one id, only the first is sent. What the others say about a person is
        # not sent either.
        first = {half[-1].row_reference: half for half in reversed(halves)}
        return Prepared(
            len(chunk),
            pack_rows(
                StagedRow(
                    row.number,
                    observation.row_reference,
                    child.link_reference if child else None,
                    adult.link_reference if adult else None,
                )
                for row, (child, adult, observation) in zip(rows, halves, strict=True)
            ),
            pack_items(
                stage_observation(observation, plan.mapping.dataset) for *_, observation in halves
            ),
            pack_items(self._encode(reversed(first.values()))),
            rejections,
            [
                references.row(feed, rejection.row_id)
                for rejection in rejections
                if rejection.row_id
            ],
            Counter([*(item.why for item in held), *(DELETED for _ in deleted)]),
            forget,
            Counter(note for row in rows for note in row.notes),
            count_filled(rows, plan.mapping),
            claims_of(rows),
        )

    def _forget(self, why: str, row: Row, *, whole_row: bool = False) -> WithdrawalRequest:
        child, adult, observation = split(row, self._plan.mapping, self._plan.references)
        main = cast("Subject", child or adult)
        return WithdrawalRequest(
            why,
            main.link_reference,
            main.analytics_reference,
            observation.row_reference if whole_row else None,
        )

    def _forget_adult(self, row: Row) -> WithdrawalRequest:
        alone = replace(row, child=None, adult=row.left_out)
        adult = cast("Subject", split(alone, self._plan.mapping, self._plan.references)[1])
        why = next(
            (w for w in (OPTED_OUT, OBJECTED, WITHDRAWN) if any(w in note for note in row.notes)),
            OBJECTED,
        )
        return WithdrawalRequest(why, adult.link_reference, adult.analytics_reference)

    def _encode(
        self, halves: Iterable[tuple[Subject | None, Subject | None, Observation]]
    ) -> list[StagedItem]:
        latest: dict[bytes, Subject] = {}
        for child, adult, _ in halves:
            if child:
                latest[child.link_reference] = child
            if adult:
                latest[adult.link_reference] = adult
        prints = {
            reference: hash(subject_content(subject)) for reference, subject in latest.items()
        }
        remembered = self._remembered
        fresh = [
            s
            for r, s in latest.items()
            if (known := remembered.get(r)) is None or known[0] != prints[r]
        ]
        made: dict[bytes, list[StagedItem]] = {subject.link_reference: [] for subject in fresh}
        for encoder in self._plan.encoders:
            facet = self._plan.references.facet(self._plan.mapping.feed, encoder.key_version)
            for subject, payload in zip(
                fresh, encoder.encode_to_bytes(_under(fresh, facet)), strict=True
            ):
                known_by = self._plan.references.nhs(subject.identity.nhs_number)
                made[subject.link_reference].append(
                    _staged(
                        subject.link_reference,
                        facet,
                        payload,
                        subject.analytics_reference,
                        known_by,
                    )
                )
        items = []
        for reference in latest:
            new = made.get(reference)
            if new is not None:
                remembered[reference] = (prints[reference], new)
            items += new if new is not None else remembered[reference][1]
        if len(remembered) > _REMEMBERED_SUBJECTS:
            remembered.clear()
        return items


def map_rows(
    chunk: Sequence[Record | Rejection], mapper: RowMapper, plan: EncodingPlan
) -> tuple[list[Row], list[WithheldRow], list[Rejection]]:
    """Map records to rows that may be sent, withheld rows and rejected rows."""
    rows: list[Row] = []
    held: list[WithheldRow] = []
    rejections: list[Rejection] = []
    derive = _derive(plan)
    ids = plan.mapping.id_columns
    for record in chunk:
        result: Row | WithheldRow | Rejection = (
            record if isinstance(record, Rejection) else mapper(record.number, record.values)
        )
        if isinstance(result, Row):
            result = _permitted(result, plan)
        if isinstance(result, Row) and not result.deleted:
            result = derive(result) if derive else result
            if plan.clks is not None:
                result = with_clks(result, plan.clks, ids)
        if isinstance(result, Row) and not result.deleted:
            result = without_unlinkable(result, plan.profile)
        if isinstance(result, Row):
            rows.append(result)
        elif isinstance(result, WithheldRow):
            held.append(result)
        else:
            rejections.append(result)
    return rows, held, rejections


def check_clks(rows: Sequence[Row], plan: EncodingPlan) -> bool:
    """Check the first CLKs of a file against those that childlink would make of the same rows.

    Returns whether there was any to check. Raises ExtractError.
    """
    held = [
        subject
        for row in rows[:_CLKS_CHECKED]
        for subject in split(row, plan.mapping, plan.references)[:2]
        if subject and subject.identity.clk
    ]
    own = [replace(s, identity=replace(s.identity, clk=b"")) for s in held]
    made = plan.encoders[0].encode(own)
    both = [
        (subject.identity.clk, record.passes[0].bloom_filters)
        for subject, record in zip(held, made, strict=True)
        if record.passes
    ]
    check_like_ours([theirs for theirs, _ in both], [ours for _, ours in both])
    return bool(both)


def _permitted(row: Row, plan: EncodingPlan) -> Row | WithheldRow:
    allowed = plan.permissions.apply(row)
    if not plan.withdrawn or isinstance(allowed, WithheldRow):
        return allowed
    child, adult, _ = split(allowed, plan.mapping, plan.references)
    if _is_withdrawn(cast("Subject", child or adult), plan):
        return WithheldRow(row.number, WITHDRAWN, row)
    if child and adult and _is_withdrawn(adult, plan):
        notes = (*allowed.notes, f"adult left out: {WITHDRAWN}")
        return replace(allowed, adult=None, relation=None, notes=notes, left_out=allowed.adult)
    return allowed


def _is_withdrawn(subject: Subject, plan: EncodingPlan) -> bool:
    number = plan.references.nhs(subject.identity.nhs_number)
    return subject.link_reference in plan.withdrawn or number in plan.withdrawn


def _derive(plan: EncodingPlan) -> Callable[[Row], Row] | None:
    """A function that fills in fields that the site derives; None if there are none."""
    wanted = [
        f for f in plan.mapping.dataset.fields if f.derive and f.name not in plan.mapping.columns
    ]
    if plan.areas is None:
        wanted = [field for field in wanted if field.derive not in AREAS]
    if not wanted:
        return None
    lookup, sets = plan.areas, plan.mapping.areas or AreaSets()

    def derive(row: Row) -> Row:
        postcode = (row.child.postcode if row.child else "") or (
            row.adult.postcode if row.adult else ""
        )
        found: dict[str, Attribute] = {}
        for item in wanted:
            value: Attribute | None = None
            if item.derive == "birth_year":
                born = row.child.date_of_birth if row.child else None
                value = born.year if born else None
            elif item.derive == "adult_role":
                value = row.relation if row.adult else None
            elif lookup:
                value = lookup.derive(cast("Area", item.derive), postcode, sets)
                if isinstance(value, str) and value not in item.codes and ELSEWHERE in item.codes:
                    value = ELSEWHERE
            if value is not None and item.problem_with(value) is None:
                found[item.name] = value
        return replace(row, attributes={**row.attributes, **found}) if found else row

    return derive


def count_filled(rows: Iterable[Row], mapping: Mapping) -> Counter[str]:
    """Rows with a usable value, by column of `min_filled`."""
    filled: Counter[str] = Counter()
    for row in rows if mapping.min_filled else ():
        for name in mapping.min_filled:
            role, _, what = name.partition("_")
            person = row.child if role == "child" else row.adult if role == "adult" else None
            if person is not None and hasattr(person, what):
                filled[name] += bool(getattr(person, what))
            else:
                filled[name] += name in row.attributes
    return filled


def too_empty(filled: Counter[str], rows: int, mapping: Mapping) -> str:
    """Which column has fewer values than `min_filled` asks for, in words; "" if none has."""
    for name, least in mapping.min_filled.items():
        if rows and filled[name] < least * rows:
            return (
                f"{name} has a usable value in {filled[name]:,} of {rows:,} rows"
                f" ({filled[name] / rows:.1%}). The mapping asks for {least:.0%}."
            )
    return ""


def without_unlinkable(row: Row, profile: Profile) -> Row | Rejection:
    """Remove the people who have too few identifiers to be linked.

    Returns a Rejection if no person is left.
    """
    mother = row.adult if row.relation == "mother" else None
    people: list[Subject] = []
    if row.child:
        people.append(Subject("child", row.child, b"", b"", b"", mother=mother))
    if row.adult:
        child = row.child if row.relation else None
        adult = Subject("adult", row.adult, b"", b"", b"", child=child, relation=row.relation)
        people.append(adult)
    lost = [subject.role for subject in people if not is_linkable(subject, profile)]
    if not lost:
        return row
    if len(lost) == len(people):
        return Rejection(
            row.number,
            f"{lost[0]}_...",
            "has too few identifiers to link the person",
            "Give a valid NHS number, or a date of birth with both names or a postcode.",
            row.row_id,
        )
    notes = tuple(f"{role} left out: too few identifiers to link them" for role in lost)
    return replace(
        row,
        child=None if "child" in lost else row.child,
        adult=None if "adult" in lost else row.adult,
        relation=None,
        notes=row.notes + notes,
    )


def subject_content(subject: Subject) -> tuple[object, ...]:
    """All values of a subject that determine its encoding."""
    return (
        subject.identity,
        subject.mother,
        subject.child,
        subject.carer,
        subject.relation,
        subject.one_id_each,
    )


def stage_observation(observation: Observation, dataset: Dataset) -> StagedItem:
    """The attribute half, ready to be batched.

    It is written directly in the wire format. The bytes of each value are cached.
    """
    child, adult, attributes = (
        observation.child_reference,
        observation.adult_reference,
        observation.attributes.get,
    )
    payload = b"".join(
        [
            _ROW_REFERENCE + observation.row_reference,
            _CHILD_REFERENCE + child if child else b"",
            _ADULT_REFERENCE + adult if adult else b"",
            *[_wire_bytes(attributes(field.name)) for field in dataset.fields],
        ]
    )
    return _staged(
        observation.row_reference, _NO_FACET, payload, child or adult, adult if child else None
    )


# Observation on the wire: tags and lengths of fields 1 to 3 (references of 16 bytes), and the tag
# of field 4.
_ROW_REFERENCE: Final = b"\x0a\x10"
_CHILD_REFERENCE: Final = b"\x12\x10"
_ADULT_REFERENCE: Final = b"\x1a\x10"
_VALUES: Final = b"\x22"


@lru_cache(maxsize=50_000, typed=True)
def _wire_bytes(value: Attribute | None) -> bytes:
    content = wire_value(value).SerializeToString()
    return _VALUES + varint(len(content)) + content


@lru_cache(maxsize=10_000, typed=True)
def wire_value(value: Attribute | None) -> observation_pb2.Value:
    """An attribute in the wire format; None becomes a value without a kind.

    The result is cached and shared: do not change it.
    """
    match value:
        case None:
            return observation_pb2.Value()
        case bool():
            return observation_pb2.Value(flag=value)
        case int():
            return observation_pb2.Value(integer=value)
        case float():
            return observation_pb2.Value(number=value)
        case str():
            return observation_pb2.Value(text=value)


def _under(subjects: list[Subject], facet: bytes) -> list[Subject]:
    """The subjects with the facet of one version of the linkage secret. Subjects with that facet
    already are returned unchanged.
    """
    if not subjects or subjects[0].facet == facet:
        return subjects
    return [replace(subject, facet=facet) for subject in subjects]


def _staged(
    reference: bytes,
    facet: bytes,
    payload: bytes,
    companion: bytes | None,
    also: bytes | None = None,
) -> StagedItem:
    return StagedItem(
        reference,
        facet,
        hashlib.blake2b(payload, digest_size=16).digest(),
        payload,
        companion,
        also,
    )
