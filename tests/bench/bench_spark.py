"""Re-linkage on Spark compared with the ordinary `relink`, on the same growing store of a real
PostgreSQL. Prints one JSON line per run.

Synthetic people as in `bench_linker`, each in two sources. Each run is a separate process. The
ordinary run re-links in a transaction that is rolled back. Spark (local[2]) exports, compares and
clusters as for a proposal. Memory is the peak of the process and all its children, with shared
pages counted once (PSS). Processor time covers the same processes, without the database. The last
line extrapolates to ten million records from a curve fitted to processor time, which other work on
the machine does not change.

    make bench-spark
    python -m tests.bench.bench_spark [records ...]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from childlink_bus.database import migrate, open_database
from childlink_bus.stream_processor import OpenedBatch
from childlink_core.profiles import get_profile
from childlink_linker.clustering.evidence import verdicts_of
from childlink_linker.matching.parameters import load_parameters
from childlink_linker.relinking.changes import find_changes
from childlink_linker.relinking.relink import relink
from childlink_linker.relinking.repartition import repartition
from childlink_linker.store.snapshot import one_moment
from childlink_linker.store.store import Store
from childlink_linker.store.vault import Vault

from tests.bench.bench_linker import batches, handler
from tests.support.postgres import postgres

_SIZES = (50_000, 100_000, 200_000, 400_000)
_MICRO_BATCH = 32
_VAULT_KEY = b"v" * 32
_TEN_MILLION = 10_000_000
_NIGHT_S = 8 * 3600


class Watch:
    """What this process and its children use: peak memory, and processor time including that of
    ended children.
    """

    def __init__(self) -> None:
        self.memory_mb, self.cpu_s = 0, 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @contextmanager
    def measured(self) -> Iterator["Watch"]:
        """Measure while the block runs."""
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            processes = family()
            self.memory_mb = max(self.memory_mb, sum(map(_pss_kb, processes)) // 1024)
            self.cpu_s = max(self.cpu_s, sum(map(_cpu_s, processes)))


def family() -> set[int]:
    """This process and all that it started."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int(
                    (folder / "stat").read_text().rpartition(")")[2].split()[1]
                )
            except OSError:
                continue
    family = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    except (OSError, StopIteration):
        return 0


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0


def run_ordinary(url: str) -> dict[str, float]:
    """Run `relink` and roll it back."""
    engine = open_database(url)
    start = time.perf_counter()
    with engine.connect() as tx:
        outcome = relink(Store(tx, Vault(_VAULT_KEY)), get_profile(), load_parameters())
        tx.rollback()
    return {"seconds": time.perf_counter() - start, "changes": len(outcome.linked)}


def run_spark(url: str) -> dict[str, float]:
    """Export, cluster again, and list what would change."""
    from childlink_linker.relinking.spark_engine import SparkEngine, spark_session
    from childlink_linker.relinking.spark_tasks import Rules
    from childlink_linker.store.sealed_export import read_export, write_export

    profile, times = get_profile(), [time.perf_counter()]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "export"
        with one_moment(open_database(url)) as tx:
            write_export(tx, folder, profile)
        snapshot = read_export(folder, profile)
        times.append(time.perf_counter())
        rules = Rules(profile, load_parameters(), verdicts_of(snapshot.decisions), _VAULT_KEY)
        with spark_session("local[2]", {}) as session:
            times.append(time.perf_counter())
            engine = SparkEngine(session, folder, snapshot, rules)
            edges = sum(len(part.weights) for part in engine.edges())
            times.append(time.perf_counter())
            changes = find_changes(snapshot, repartition(engine))
            times.append(time.perf_counter())
    export, start, comparing, clustering = np.diff(times).tolist()
    return {
        "seconds": times[-1] - times[0],
        "export_s": export,
        "start_s": start,
        "edges_s": comparing,
        "clusters_s": clustering,
        "edges": edges,
        "changes": len(changes),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("records", type=int, nargs="*", default=_SIZES)
    parser.add_argument("--one", choices=["ordinary", "spark"])
    parser.add_argument("--database", default="")
    options = parser.parse_args()
    if options.one:
        with Watch().measured() as used:
            found = {"ordinary": run_ordinary, "spark": run_spark}[options.one](options.database)
        print(json.dumps({**found, "memory_mb": used.memory_mb, "cpu_s": used.cpu_s}))
        return
    with postgres() as url:
        measure(options.database or url, options.records)


def measure(url: str, sizes: list[int]) -> None:
    """Grow the store, and run both at each size."""
    engine = open_database(url)
    migrate(engine, "childlink_linker.store")
    handle, waiting, held = handler(), list[OpenedBatch](), 0
    found: dict[str, list[dict[str, float]]] = {"ordinary": [], "spark": []}
    arriving = batches(max(sizes) // 2 + 10_000, 1)
    for size in sizes:
        while held < size:
            waiting = [opened for opened, _ in zip(arriving, range(_MICRO_BATCH), strict=False)]
            with engine.begin() as tx:
                handle(tx, waiting)
            held += 300 * len(waiting)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
            tx.exec_driver_sql("ANALYZE")
        for what, runs in found.items():
            command = [
                sys.executable,
                "-m",
                "tests.bench.bench_spark",
                "--one",
                what,
                "--database",
                url,
            ]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            runs.append({"records": held, **json.loads(done.stdout.splitlines()[-1])})
            line = {name: round(value, 1) for name, value in runs[-1].items()}
            print(
                json.dumps(
                    {
                        "bench": "spark",
                        "engine": what,
                        **line,
                        "records_per_s": round(held / runs[-1]["seconds"]),
                    }
                ),
                flush=True,
            )
        ratio = found["ordinary"][-1]["seconds"] / found["spark"][-1]["seconds"]
        print(
            json.dumps({"bench": "spark", "records": held, "times_ordinary": round(ratio, 2)}),
            flush=True,
        )
    if len(sizes) > 2:
        print(json.dumps(plan(found["spark"])), flush=True)


def plan(runs: list[dict[str, float]]) -> dict[str, object]:
    """Ten million records, from the fitted curve: a fixed cost, a cost per record, and a cost per
    pair that shares a key.
    """
    n = np.array([run["records"] for run in runs]) / 1e6
    seconds = np.array([run["cpu_s"] for run in runs])
    # Weighted, so that small stores count as much as large ones. None of the three costs can be
    # negative.
    design = np.stack([np.ones_like(n), n, n**2], axis=1) / seconds[:, None]
    best: tuple[float, np.ndarray] = (np.inf, np.zeros(3))
    for used in ([0, 1, 2], [0, 1], [1, 2], [1]):
        terms, *_ = np.linalg.lstsq(design[:, used], np.ones_like(n), rcond=None)
        error = float(((design[:, used] @ terms - 1) ** 2).sum())
        if (terms >= 0).all() and error < best[0]:
            best = (error, np.zeros(3))
            best[1][used] = terms
    a, b, c = best[1].tolist()
    target = _TEN_MILLION / 1e6
    core_seconds = a + b * target + c * target**2
    slope = max(np.polyfit(n, [run["memory_mb"] for run in runs], 1)[0], 0.0)
    return {
        "bench": "spark-plan",
        "records": _TEN_MILLION,
        "start_cpu_s": round(a, 1),
        "cpu_s_per_million": round(b, 1),
        "cpu_s_per_million_squared": round(c, 1),
        "core_hours": round(core_seconds / 3600, 1),
        "cores_for_a_night": int(np.ceil(core_seconds / _NIGHT_S)),
        "memory_mb_per_million": round(slope),
    }


if __name__ == "__main__":
    main()
