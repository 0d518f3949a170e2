"""childlink without its envelope: the real encoder, intake and linking rules, on an in-memory
database. No broker and no sealing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

import sqlalchemy as sa
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_bus.database import migrate, open_database
from childlink_bus.stream_processor import OpenedBatch
from childlink_core.keys import SecretKey
from childlink_core.profiles import DEFAULT_PROFILE, Profile, get_profile
from childlink_ingest.pseudonymise.encoder import Encoder
from childlink_linker.linking.intake import TokenHasher, read_batches
from childlink_linker.linking.link import link
from childlink_linker.matching.parameters import Parameters, load_parameters
from childlink_linker.relinking.relink import estimate_parameters, relink
from childlink_linker.store import tables
from childlink_linker.store.store import Store
from childlink_linker.store.vault import Vault

from tests.bench.linkage_data import Key, Population

LINKAGE = SecretKey("partnership", 1, b"L" * 32)
_VAULT = Vault(b"v" * 32)
_MICRO_BATCH = 10_000
_CERTAIN = math.log2(99)


@dataclass
class Linked:
    """The linker's result for a population."""

    population: Population
    engine: sa.Engine
    parameters: Parameters
    profile: Profile

    def persons(self) -> dict[Key, str]:
        """The identifier of every record."""
        with self.engine.connect() as tx:
            columns = tables.subject.c
            rows = tx.execute(sa.select(columns.partner, columns.link_reference, columns.person_id))
            return {
                self.population.keys[row.partner, row.link_reference]: row.person_id for row in rows
            }

    def certain(self) -> tuple[int, int]:
        """Linked pairs of records whose weight says at least 99 to 1, and how many are right."""
        record, edge = tables.record.c, tables.edge.c
        with self.engine.connect() as tx:
            subject = tables.subject.c
            rows = tx.execute(
                sa.select(
                    subject.subject_id, subject.partner, subject.link_reference, subject.person_id
                )
            ).all()
            key = {
                row.subject_id: self.population.keys[row.partner, row.link_reference]
                for row in rows
            }
            person = {row.subject_id: row.person_id for row in rows}
            of_record = dict(
                tx.execute(sa.select(record.record_id, record.subject_id)).tuples().all()
            )
            sure = sa.select(edge.smaller, edge.larger).where(edge.weight >= _CERTAIN)
            pairs = {
                tuple(sorted((of_record[a], of_record[b]))) for a, b in tx.execute(sure).tuples()
            }
        linked = [(a, b) for a, b in pairs if person[a] == person[b]]
        truth = self.population.truth
        right = sum(truth[key[a]].person == truth[key[b]].person for a, b in linked)
        return len(linked), right

    def estimate_and_relink(self) -> None:
        """Estimate and link again, as `childlink-linker estimate` and `relink` do."""
        with self.engine.begin() as tx:
            store = Store(tx, _VAULT)
            self.parameters = estimate_parameters(
                store, self.profile, self.parameters, "bench"
            ).parameters
            relink(store, self.profile, self.parameters)

    def close(self) -> None:
        """Close the database."""
        self.engine.dispose()


def encode(population: Population, profile: Profile) -> list[OpenedBatch]:
    """Every partner's records, as the linker finds them in an opened envelope, one micro-batch
    after another.
    """
    encoder = Encoder(profile, LINKAGE)
    batches = []
    for partner, items in groupby(population.subjects.items(), key=lambda item: item[0][0]):
        subjects = [subject for _, subject in items]
        for at in range(0, len(subjects), _MICRO_BATCH):
            # Ingest rejects who cannot be linked under the profile. They count as alone.
            records = [
                record
                for record in encoder.encode(subjects[at : at + _MICRO_BATCH])
                if record.nhs_token or record.passes
            ]
            for record in records:
                record.capsule = b"bench"
            batch = wire.EncodedBatch(
                profile_id=profile.id,
                profile_fingerprint=profile.fingerprint,
                key_version=LINKAGE.version,
                sealed_capsule_key=b"bench",
                records=records,
            )
            batches.append(OpenedBatch(partner, "encodings", batch.SerializeToString()))
    return batches


def run(
    population: Population,
    progress: Callable[[str], None] = lambda _what: None,
    profile_id: str = DEFAULT_PROFILE,
    profile: Profile | None = None,
) -> Linked:
    """Encode and link a population, with the default parameters of the linker. `profile` may be one
    that does not come with childlink.
    """
    profile, parameters = profile or get_profile(profile_id), load_parameters()
    engine = open_database("sqlite://")
    migrate(engine, "childlink_linker.store")
    hasher = TokenHasher(b"t" * 32)
    for batch in encode(population, profile):
        progress(f"childlink: linking {batch.sender}")
        arrivals, [result] = read_batches([batch], profile, {LINKAGE.version}, hasher)
        if result.reason or result.refused:
            raise RuntimeError(f"the linker refuses {result.reason or result.refused[:3]}")
        with engine.begin() as tx:
            link(Store(tx, _VAULT), arrivals, profile, parameters)
    return Linked(population, engine, parameters, profile)
