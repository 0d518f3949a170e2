"""A million records against a million: seconds for comparison and clustering on two cores, compared
with anonlink's brute force. Prints one JSON line.

Two sources hold every person. At the second source, half have moved, one in fifty is misspelt, one
in ten has no NHS number. childlink's rules run as in the linker and on Spark (keys, compare,
partition), without a database. anonlink compares a sample of the same people in the same run. Its
rate gives the time for all pairs on two cores. Its recall on the sample (best threshold, chosen
with the truth) is compared with childlink's on the same people.

    make bench-linkage-scale
    python -m tests.bench.bench_linkage_scale [people] [sample]
"""

import csv
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from childlink_core.garbage_collection import relax_garbage_collection
from childlink_core.keys import SecretKey
from childlink_core.profiles import get_profile
from childlink_ingest.pseudonymise.encoder import Encoder
from childlink_ingest.pseudonymise.split import Subject
from childlink_linker.clustering.partition import is_edge, label_components, partition
from childlink_linker.linking.intake import TokenHasher, hashed_again
from childlink_linker.matching.blocking import keys, pairs_of
from childlink_linker.matching.comparison import compare
from childlink_linker.matching.encodings import Encodings, row_type, to_columns
from childlink_linker.matching.parameters import load_parameters
from childlink_linker.records import StoredRecord
from childlink_linker.records import Subject as LinkedSubject

from tests.bench import linkage_peers
from tests.bench.bench_encode import people
from tests.bench.bench_linker import as_known_elsewhere

_LINKAGE = SecretKey("partnership", 1, b"L" * 32)
_CHUNK = 20_000
_WORKERS = 2
_PAIRS_AT_A_TIME = 500_000
_SUBJECTS_A_BUCKET = 20_000


@dataclass
class _Shared:
    """Data that forked workers find in memory."""

    rows: np.ndarray
    encodings: Encodings
    pairs: np.ndarray
    edges: np.ndarray
    edge_bucket: np.ndarray
    bucket: np.ndarray


_shared: _Shared


def records(span: tuple[int, int, int]) -> np.ndarray:
    """The rows of some people in both sources: first those of one source, then those of the
    other.
    """
    start, count, seed = span
    profile, hasher = get_profile(), TokenHasher(b"t" * 32)
    encoder, rng = Encoder(profile, _LINKAGE), np.random.default_rng(seed)
    here, there = [], []
    for subject in both_sides(start, count, seed, rng):
        here.append(subject[0])
        there.append(subject[1])
    sides = []
    for subjects in (here, there):
        rows = hashed_again(encoder.encode(subjects), 1, profile, hasher)
        sides.append(np.frombuffer(b"".join(rows), dtype=row_type(profile)))
    return np.stack(sides)


def both_sides(
    start: int, count: int, seed: int, rng: np.random.Generator
) -> Iterator[tuple[Subject, Subject]]:
    """People as the first source has them, and as the second."""
    for subject in people(count, seed, start):
        yield subject, as_known_elsewhere(subject, rng)


def weigh(span: tuple[int, int]) -> np.ndarray:
    """The pairs that are edges."""
    pairs = _shared.pairs[span[0] : span[1]]
    result = compare(_shared.encodings, pairs[:, 0], pairs[:, 1], get_profile(), load_parameters())
    return pairs[is_edge(result, load_parameters())]


def assign(bucket: int) -> list[list[int]]:
    """The clusters of a bucket's components."""
    at = np.flatnonzero(_shared.bucket == bucket)
    subjects = {
        int(n): LinkedSubject(
            int(n),
            "one" if n < len(_shared.rows) // 2 else "other",
            int(n).to_bytes(16, "big"),
            int(role),
        )
        for n, role in zip(at.tolist(), _shared.encodings.role[at].tolist(), strict=True)
    }
    size, joined = _shared.rows.dtype.itemsize, _shared.rows[at].tobytes()
    held = [
        StoredRecord(
            n, n, _shared.rows["source"][n].tobytes(), 1, b"", joined[k * size : (k + 1) * size]
        )
        for k, n in enumerate(at.tolist())
    ]
    edges = _shared.edges[_shared.edge_bucket == bucket].tolist()
    return partition(
        subjects, held, [tuple(edge) for edge in edges], {}, get_profile(), load_parameters()
    ).clusters


def link(rows: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
    """The cluster of every record, and the duration of each step."""
    global _shared  # noqa: PLW0603 - forked workers read it
    profile, took, n = get_profile(), {}, len(rows)
    started = time.perf_counter()
    encodings = to_columns(rows, profile)
    pairs = pairs_of(*keys(encodings, profile))
    # Either source may hold a person twice, so pairs within a source are candidates too.
    took["candidates"] = time.perf_counter() - started
    _shared = _Shared(rows, encodings, pairs, np.zeros(0), np.zeros(0), np.zeros(0))
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(_WORKERS, mp_context=context) as pool:
        spans = [(at, at + _PAIRS_AT_A_TIME) for at in range(0, len(pairs), _PAIRS_AT_A_TIME)]
        edges = np.concatenate(list(pool.map(weigh, spans)))
    took["comparison"] = time.perf_counter() - started - took["candidates"]
    components = label_components(n, edges.astype(np.int32))
    _, sizes_at = np.unique(components, return_inverse=True)
    bucket = sizes_at // max(1, _SUBJECTS_A_BUCKET // 2)
    _shared = _Shared(rows, encodings, pairs[:0], edges, bucket[edges[:, 0]], bucket)
    clusters = np.arange(n)
    with ProcessPoolExecutor(_WORKERS, mp_context=context) as pool:
        for found in pool.map(assign, range(int(bucket.max()) + 1)):
            for members in found:
                clusters[members] = members[0]
    took["assignment"] = time.perf_counter() - started - took["candidates"] - took["comparison"]
    return clusters, {**took, "pairs": len(pairs), "edges": len(edges)}


def anonlink(count: int, seed: int) -> dict[str, float]:
    """anonlink on the first people of the first chunk."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(
                ["partner", "person", "given", "surname", "dob", "sex", "postcode", "nhs"]
            )
            for pair, _ in zip(both_sides(0, _CHUNK, seed, rng), range(count), strict=False):
                for partner, subject in zip(("one", "other"), pair, strict=True):
                    who = subject.identity
                    born = who.date_of_birth.isoformat() if who.date_of_birth else ""
                    writer.writerow(
                        [
                            partner,
                            pair[0].identity.person_id,
                            who.given_name,
                            who.surname,
                            born,
                            who.sex,
                            who.postcode,
                            who.nhs_number,
                        ]
                    )
        run = subprocess.run(
            [linkage_peers.python(), "-W", "ignore", Path(__file__).parent / "peer_scale.py", path],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    return dict(json.loads(run.stdout))


def main() -> None:
    relax_garbage_collection()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    sample = min(int(sys.argv[2]) if len(sys.argv) > 2 else 10_000, _CHUNK, count)
    spans = [(start, min(_CHUNK, count - start), start) for start in range(0, count, _CHUNK)]
    with ProcessPoolExecutor(_WORKERS, mp_context=multiprocessing.get_context("fork")) as pool:
        made = list(pool.map(records, spans))
    rows = np.concatenate([side[0] for side in made] + [side[1] for side in made])
    rows["source"][count:] = 2
    clusters, took = link(rows)
    together = clusters[:count] == clusters[count:]
    linked, sizes = np.unique(clusters, return_counts=True)
    found_pairs = int((sizes * (sizes - 1) // 2).sum())
    seconds = took["candidates"] + took["comparison"] + took["assignment"]
    peer = anonlink(sample, 0)
    brute = count**2 / peer["pairs_per_s"] / _WORKERS
    print(
        json.dumps(
            {
                "bench": "linkage_scale",
                "people": count,
                **{k: round(v, 1) for k, v in took.items()},
                "seconds": round(seconds, 1),
                "recall": round(float(together.mean()), 5),
                "precision": round(float(together.sum()) / max(1, found_pairs), 5),
                "persons": len(linked),
                "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "anonlink_pairs_per_s_and_core": round(peer["pairs_per_s"]),
                "anonlink_hours_for_all": round(brute / 3600, 2),
                "times_anonlink": round(brute / seconds),
                "sample": sample,
                "recall_on_sample": round(float(together[:sample].mean()), 5),
                "anonlink_recall_on_sample": round(peer["recall"], 5),
                "share_of_anonlinks_recall": round(
                    float(together[:sample].mean()) / peer["recall"], 4
                ),
                "anonlink_precision_on_sample": round(peer["precision"], 5),
            }
        )
    )


if __name__ == "__main__":
    main()
