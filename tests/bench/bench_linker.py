"""How fast the linker takes records in, on a real PostgreSQL: records/s as the store grows,
restart, memory. Prints one JSON line per step.

Two sources hold every person. Half have moved between them and one name in fifty is misspelt. A
micro-batch takes the linker's own path from opened batch to links (intake, comparison, clustering,
writing), without sealing. Kafka and signatures are left out: `make demo` has them.

At the end it measures a restart on the full store. With --processes it measures how fast several
linkers are on one database, each with partners of its own, compared with one linker and as many
people in the same run.

    make bench-linker
    python -m tests.bench.bench_linker [people] [--processes N] [--database URL]
"""

import argparse
import json
import multiprocessing
import resource
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from itertools import islice
from multiprocessing.synchronize import Barrier

import numpy as np
import sqlalchemy as sa
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_bus.database import migrate, open_database
from childlink_bus.stream_processor import OpenedBatch
from childlink_core.garbage_collection import relax_garbage_collection
from childlink_core.keys import SecretKey
from childlink_core.profiles import get_profile
from childlink_core.references import keyed_hash
from childlink_ingest.pseudonymise.encoder import Encoder
from childlink_ingest.pseudonymise.split import Subject
from childlink_linker.linking.handler import LinkHandler
from childlink_linker.linking.intake import TokenHasher
from childlink_linker.matching.parameters import load_parameters
from childlink_linker.metrics import LinkerMetrics
from childlink_linker.store.vault import Vault

from tests.bench.bench_encode import people
from tests.support.postgres import postgres

_LINKAGE = SecretKey("partnership", 1, b"L" * 32)
_RECORDS_A_BATCH = 300
# The advice of docs/how-to/deploy-the-hub.md for the linker's database: memory for the indexes, and
# infrequent checkpoints.
SERVER = {
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "work_mem": "64MB",
}
_STEPS = 10


def handler() -> LinkHandler:
    """The linker's handler with fixed keys."""
    return LinkHandler(
        get_profile(),
        load_parameters(),
        frozenset({1}),
        TokenHasher(b"t" * 32),
        Vault(b"v" * 32),
        b"a" * 32,
        LinkerMetrics(),
    )


def batches(count: int, seed: int, number: int = 0) -> Iterator[OpenedBatch]:
    """Opened batches of both sources in turn. `number` distinguishes the partners of different
    linkers.
    """
    profile, rng = get_profile(), np.random.default_rng(seed)
    encoder = Encoder(profile, _LINKAGE)
    one, other = f"trust-a{number or ''}", f"council-b{number or ''}"
    waiting: dict[str, list[Subject]] = {one: [], other: []}
    for subject in people(count, seed, 2_000_000 * number):
        waiting[one].append(subject)
        waiting[other].append(as_known_elsewhere(subject, rng))
        if len(waiting[one]) == _RECORDS_A_BATCH:
            for partner, subjects in waiting.items():
                records = encoder.encode(subjects)
                for record in records:
                    record.capsule = b"capsule of 44 bytes, as the partner seals it"
                batch = wire.EncodedBatch(
                    profile_id=profile.id,
                    profile_fingerprint=profile.fingerprint,
                    key_version=1,
                    sealed_capsule_key=b"k" * 80,
                    records=records,
                )
                yield OpenedBatch(partner, f"encodings.{partner}", batch.SerializeToString())
                subjects.clear()


def as_known_elsewhere(subject: Subject, rng: np.random.Generator) -> Subject:
    """A person as the other source has them."""
    who = subject.identity
    if rng.random() < 0.5:
        who = replace(who, postcode=f"SW{rng.integers(1, 20)}{rng.integers(10)}AB")
    if rng.random() < 0.02 and len(who.given_name) > 4:
        who = replace(who, given_name=who.given_name[:2] + who.given_name[3:])
    if rng.random() < 0.1:
        who = replace(who, nhs_number="")
    reference = keyed_hash(b"other", who.person_id)
    return replace(subject, identity=who, link_reference=reference, facet=b"g" * 4)


def main() -> None:
    relax_garbage_collection()
    parser = argparse.ArgumentParser()
    parser.add_argument("people", type=int, nargs="?", default=100_000)
    parser.add_argument("--database", default="")
    parser.add_argument("--micro-batch", type=int, default=16)
    parser.add_argument("--processes", type=int, default=0)
    options = parser.parse_args()
    with nullcontext(options.database) if options.database else postgres(SERVER) as url:
        if options.processes:
            side_by_side(url, options.people, options.micro_batch, options.processes)
        else:
            run(url, options.people, options.micro_batch)


def side_by_side(url: str, count: int, micro_batch: int, processes: int) -> None:
    """Several linkers on one database, after one linker that does as much work."""
    engine = open_database(url)
    migrate(engine, "childlink_linker.store")
    engine.dispose()
    context = multiprocessing.get_context("spawn")
    rates = []
    for number, workers in enumerate((1, processes)):
        ready = context.Barrier(workers + 1)
        started = [
            context.Process(
                target=_work, args=(url, count // workers, micro_batch, 10 * number + k + 1, ready)
            )
            for k in range(workers)
        ]
        for process in started:
            process.start()
        ready.wait()
        start = time.perf_counter()
        for process in started:
            process.join()
        rates.append(2 * count / (time.perf_counter() - start))
    print(
        json.dumps(
            {
                "bench": "linkers_on_one_database",
                "processes": processes,
                "records": 2 * count,
                "records_per_s_of_one": round(rates[0]),
                "records_per_s_together": round(rates[1]),
                "times": round(rates[1] / rates[0], 2),
            }
        )
    )


def _work(url: str, count: int, micro_batch: int, number: int, ready: Barrier) -> None:
    relax_garbage_collection()
    engine, handle = open_database(url), handler()
    waiting = list(batches(count, number, number))
    ready.wait()
    for at in range(0, len(waiting), micro_batch):
        with engine.begin() as tx:
            handle(tx, waiting[at : at + micro_batch], {})
    engine.dispose()


def run(url: str, count: int, micro_batch: int) -> None:
    """Fill the store in steps, and report the speed of each."""
    engine = open_database(url)
    migrate(engine, "childlink_linker.store")
    handle = handler()
    waiting: list[OpenedBatch] = []
    done, busy, since = 0, 0.0, 0
    for opened in batches(count, 1):
        waiting.append(opened)
        if len(waiting) < micro_batch:
            continue
        start = time.perf_counter()
        with engine.begin() as tx:
            handle(tx, waiting, {})
        busy += time.perf_counter() - start
        done += _RECORDS_A_BATCH * len(waiting)
        waiting = []
        if done - since >= 2 * count / _STEPS:
            with engine.connect() as tx:
                persons = tx.execute(sa.text("SELECT count(*) FROM person")).scalar_one()
            print(
                json.dumps(
                    {
                        "bench": "linker",
                        "records": done,
                        "persons": persons,
                        "records_per_s": round((done - since) / busy),
                        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                    }
                ),
                flush=True,
            )
            busy, since = 0.0, done
    engine.dispose()
    start = time.perf_counter()
    engine = open_database(url)
    migrate(engine, "childlink_linker.store")
    with engine.begin() as tx:
        handler()(tx, list(islice(batches(2 * _RECORDS_A_BATCH, 2), 2)), {})
    print(
        json.dumps(
            {
                "bench": "linker_restart",
                "records": done,
                "seconds_to_first_batch": round(time.perf_counter() - start, 2),
            }
        )
    )
    engine.dispose()


if __name__ == "__main__":
    main()
