"""The content of the linker's store for a synthetic partnership: real files, mapped, split and
encoded by the project's code.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.keys import SecretKey
from childlink_core.profiles import Profile, get_profile
from childlink_core.references import ReferenceKeys
from childlink_ingest import app
from childlink_ingest.mapping.apply import RowMapper
from childlink_ingest.model.rows import Row
from childlink_ingest.pseudonymise.encoder import Encoder
from childlink_ingest.pseudonymise.split import Subject, split
from childlink_ingest.readers import Record
from childlink_local.demo import find_extracts
from childlink_local.synth import synthesise

from tests.attacks.population import secret


@dataclass(frozen=True)
class WithheldRow:
    """A record as the linker holds it and, for scoring only, the person it came from."""

    partner: str
    subject: Subject
    record: wire.EncodedRecord

    def tokens(self) -> list[tuple[str, bytes]]:
        """Its tokens with their kind. The linker hashes them again, which does not change which
        records share them.
        """
        nhs = [("nhs", self.record.nhs_token)] if self.record.HasField("nhs_token") else []
        return nhs + [(f"pass {item.pass_number}", item.block_token) for item in self.record.passes]


def everyone(profile: Profile) -> Profile:
    """The hypothetical profile that issues every pass to every record."""
    return replace(profile, passes=tuple(replace(item, only_without=()) for item in profile.passes))


def subjects_of(folder: Path, children: int, seed: int = 1) -> list[tuple[str, Subject]]:
    """Every partner's subjects, one for each dataset that they are in."""
    synthesise(folder, seed, children)
    found: dict[tuple[str, bytes, bytes], Subject] = {}
    for extract in find_extracts(folder):
        mapping = app.load_mapping(extract.mapping)
        keys = ReferenceKeys.of(
            SecretKey(extract.partner, 1, extract.partner.encode().ljust(32, b"."))
        )
        mapper = RowMapper(mapping, date(2025, 1, 1))
        with app.open_mapped(extract.path, mapping) as opened:
            for row in _rows(opened, mapper):
                for subject in split(row, mapping, keys)[:2]:
                    if subject:
                        found[extract.partner, subject.link_reference, subject.facet] = subject
    return [(partner, subject) for (partner, _, _), subject in found.items()]


def _rows(opened: Iterator[object], mapper: RowMapper) -> Iterator[Row]:
    for record in opened:
        row = mapper(record.number, record.values) if isinstance(record, Record) else None
        if isinstance(row, Row) and not row.deleted:
            yield row


def hold(
    subjects: Sequence[tuple[str, Subject]], profile: Profile | None = None
) -> list[WithheldRow]:
    """Encode subjects. Subjects without anything to link by are not sent."""
    encoder = Encoder(profile or get_profile(), secret(1))
    records = encoder.encode([subject for _, subject in subjects])
    held = [
        WithheldRow(partner, subject, record)
        for (partner, subject), record in zip(subjects, records, strict=True)
    ]
    return [item for item in held if item.record.passes or item.record.HasField("nhs_token")]


def holders(held: Sequence[WithheldRow], kind: str) -> dict[bytes, list[int]]:
    """The records that hold each token of a kind."""
    found: dict[bytes, list[int]] = {}
    for index, item in enumerate(held):
        for what, token in item.tokens():
            if what == kind:
                found.setdefault(token, []).append(index)
    return found


def issued(held: Sequence[WithheldRow]) -> dict[str, float]:
    """Share of records with each kind of token."""
    kinds = Counter(
        itertools.chain.from_iterable({kind for kind, _ in item.tokens()} for item in held)
    )
    return {kind: round(count / len(held), 4) for kind, count in sorted(kinds.items())}
