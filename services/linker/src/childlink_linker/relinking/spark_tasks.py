"""The work of Spark's workers on Arrow batches: the linker's own rules. Encodings are decrypted
only here.

The vault's key arrives inside the pickled task, in memory. Decrypted data never leaves a task: the
output holds only blinded keys, ids and weights.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from childlink_core.garbage_collection import relax_garbage_collection
from childlink_core.profiles import Profile
from numpy.typing import NDArray

from childlink_linker.clustering.partition import is_edge, partition
from childlink_linker.matching.blocking import keys, pairs_in_parts
from childlink_linker.matching.comparison import compare
from childlink_linker.matching.encodings import from_rows
from childlink_linker.matching.parameters import Parameters
from childlink_linker.records import StoredRecord, Subject
from childlink_linker.store.vault import Vault

KEYS: Final = "key long, record_id long, subject_id long"
PAIRS: Final = "smaller long, larger long"
EDGES: Final = "smaller long, larger long, subject_id long, weight double"
CLUSTERS: Final = "one long, other long, doubt boolean, weight double"
_PAIRS_AT_A_TIME: Final = 2_000_000
Batches = Iterator[Any]


@dataclass(frozen=True)
class Rules:
    """The rules and parameters of a run, and the key of the encodings."""

    profile: Profile
    parameters: Parameters
    verdicts: Mapping[tuple[int, int], int]
    vault_key: bytes = field(repr=False)

    def find_keys(self, batches: Batches) -> Batches:
        """Turn records into blinded keys."""
        vault = Vault(self.vault_key)
        for batch in batches:
            found, at = keys(
                from_rows(map(vault.open, batch["encoding"].to_pylist()), self.profile),
                self.profile,
            )
            yield _batch(
                key=vault.blind(found),
                record_id=_ids(batch, "record_id")[at],
                subject_id=_ids(batch, "subject_id")[at],
            )

    def compare_pairs(self, batches: Batches) -> Batches:
        """Compare pairs, given with both sealed encodings, and keep those that are edges."""
        vault = Vault(self.vault_key)
        for batch in batches:
            ends = np.stack([_ids(batch, "smaller"), _ids(batch, "larger")])
            # Records recur: decrypt each one once.
            _, first, at = np.unique(ends, return_index=True, return_inverse=True)
            sealed = pa.concat_arrays([batch["one"], batch["other"]]).take(pa.array(first))
            encodings = from_rows(map(vault.open, sealed.to_pylist()), self.profile)
            left, right = at.reshape(ends.shape)
            result = compare(encodings, left, right, self.profile, self.parameters)
            keep = is_edge(result, self.parameters)
            yield _batch(
                smaller=ends[0][keep],
                larger=ends[1][keep],
                subject_id=_ids(batch, "subject_id")[keep],
                weight=result.weight[keep],
            )

    def cluster(self, held: Any, edges: Any) -> Any:
        """Cluster a bucket of whole components. Returns its clusters (one: a subject, other: the
        least subject of its cluster) and its doubtful pairs.
        """
        relax_garbage_collection()
        vault = Vault(self.vault_key)
        rows = held.to_pylist()
        records = [
            StoredRecord(
                row["record_id"],
                row["subject_id"],
                row["facet"],
                row["key_version"],
                row["digest"],
                vault.open(row["encoding"]),
            )
            for row in rows
        ]
        subjects = {
            row["subject_id"]: Subject(
                row["subject_id"], row["partner"], row["link_reference"], row["role"]
            )
            for row in rows
        }
        verdicts = {pair: verdict for pair, verdict in self.verdicts.items() if pair[0] in subjects}
        ends = zip(edges["smaller"].to_pylist(), edges["larger"].to_pylist(), strict=True)
        found = partition(subjects, records, ends, verdicts, self.profile, self.parameters)
        members = [(subject, min(each), False, 0.0) for each in found.clusters for subject in each]
        out = [*members, *((a, b, True, weight) for a, b, weight in found.doubtful)]
        one, other, doubt, weight = zip(*out, strict=True)
        return pa.table(
            {
                "one": pa.array(one, pa.int64()),
                "other": pa.array(other, pa.int64()),
                "doubt": pa.array(doubt, pa.bool_()),
                "weight": pa.array(weight, pa.float64()),
            }
        )


def find_pairs(batches: Batches) -> Batches:
    """Turn a partition's keys into pairs of records of different subjects. All entries of a key
    must be in one partition.
    """
    columns = [(_ids(b, "key"), _ids(b, "record_id"), _ids(b, "subject_id")) for b in batches]
    if not columns:
        return
    held, records, subjects = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    ids, first = np.unique(records, return_index=True)
    subject_of = subjects[first]
    for pairs in pairs_in_parts(held, records, _PAIRS_AT_A_TIME):
        owners = subject_of[np.searchsorted(ids, pairs)]
        apart = pairs[owners[:, 0] != owners[:, 1]]
        yield _batch(smaller=apart[:, 0], larger=apart[:, 1])


def _ids(batch: Any, name: str) -> NDArray[np.int64]:
    ids: NDArray[np.int64] = batch[name].to_numpy()
    return ids


def _batch(**columns: Iterable[Any]) -> Any:
    return pa.RecordBatch.from_pydict({name: pa.array(values) for name, values in columns.items()})
