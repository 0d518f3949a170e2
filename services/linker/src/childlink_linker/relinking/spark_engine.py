"""An engine for `repartition` on Apache Spark, which reads a sealed export. Adapter of PySpark
(extra `spark`).

Spark makes blinded keys from records, and pairs from keys. It compares the two sealed encodings of
each pair to find edges, and clusters buckets of whole components. The tasks apply the linker's own
rules (`spark_tasks`). The driver holds only ids, one slice of edges at a time.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from childlink_linker.errors import SparkError
from childlink_linker.relinking.repartition import Clusters, Edges, Places
from childlink_linker.store.sealed_export import path_of
from childlink_linker.store.snapshot import Snapshot
from childlink_linker.store.vault import VaultError

try:
    import pyarrow as pa
    from pyspark import StorageLevel
    from pyspark.errors import PySparkException
    from pyspark.sql import DataFrame, SparkSession
except ImportError:
    raise SparkError(
        "Re-linkage on Spark needs PySpark.",
        "Install it with: pip install 'childlink-linker[spark]' (400 MB), and Java 17 or later.",
    ) from None

from childlink_linker.relinking.spark_tasks import CLUSTERS, EDGES, KEYS, PAIRS, Rules, find_pairs

_RECORDS_A_PARTITION: Final = 50_000
_ROWS_A_SLICE: Final = 2_000_000
# Spark encrypts the files in its own folders (shuffles, spills, cached data) under a key that
# exists only in memory. It also encrypts the traffic between its processes. This is necessary
# because tasks hold the vault's key.
_OPTIONS: Final = {
    "spark.io.encryption.enabled": "true",
    "spark.authenticate": "true",
    "spark.network.crypto.enabled": "true",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.adaptive.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
# Defaults that --spark-option can change.
_DEFAULTS: Final = {"spark.driver.memory": "2g", "spark.driver.maxResultSize": "0"}


@contextmanager
def spark_session(master: str, options: Mapping[str, str]) -> Iterator[SparkSession]:
    """A session whose own files are encrypted. Raises SparkError if Spark does not start or
    fails.
    """
    weaker = {name for name in _OPTIONS if options.get(name, _OPTIONS[name]) != _OPTIONS[name]}
    if weaker:
        raise SparkError(f"{', '.join(sorted(weaker))} cannot be changed.", "Leave the option out.")
    builder = SparkSession.builder.appName("childlink relink").master(master)
    # Workers must use the same interpreter. On a cluster it must be at the same path on every node.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    for name, value in {**_DEFAULTS, **options, **_OPTIONS}.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except (PySparkException, RuntimeError, OSError) as error:
        raise SparkError(
            f"Spark does not start ({type(error).__name__}).",
            "It needs Java 17 or later (JAVA_HOME), and a reachable master.",
        ) from None
    session.sparkContext.setLogLevel("OFF")
    try:
        with task_errors():
            yield session
    finally:
        session.stop()


@contextmanager
def task_errors() -> Iterator[None]:
    """Turn a failure in a task into one sentence. Raises SparkError or VaultError."""
    try:
        yield
    except PySparkException as error:
        if "VaultError" in str(error):
            raise VaultError(
                "An encoding cannot be decrypted with this linker's token key.",
                "Check that the export was made from this linker's store.",
            ) from None
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise SparkError(
            f"Spark failed: {said[-1]}",
            "See the executors' logs. If memory was short, use --spark-option"
            " spark.driver.memory=4g.",
        ) from None


class SparkEngine:
    """See `repartition.Engine`."""

    name = "spark"

    def __init__(
        self, session: SparkSession, folder: Path, snapshot: Snapshot, rules: Rules
    ) -> None:
        self.snapshot = snapshot
        self._session, self._rules = session, rules
        cores = session.sparkContext.defaultParallelism
        self._partitions = max(2 * cores, len(snapshot.records) // _RECORDS_A_PARTITION)
        session.conf.set("spark.sql.shuffle.partitions", str(self._partitions))
        self._records = session.read.parquet(path_of(folder, "records"))
        self._subjects = session.read.parquet(path_of(folder, "subjects"))
        self._edges = self._find_edges().persist(StorageLevel.DISK_ONLY)

    def edges(self) -> Iterator[Edges]:
        """See `Engine`. Spark finds the edges once and keeps them, encrypted."""
        for table in self._in_slices(self._edges, "smaller"):
            ends = np.stack([table["smaller"].to_numpy(), table["larger"].to_numpy()], axis=1)
            yield Edges(ends, table["weight"].to_numpy())

    def clusters(self, buckets: Places) -> Iterator[Clusters]:
        """See `Engine`."""
        at = np.flatnonzero(buckets >= 0)
        if not len(at):
            return
        members = self._session.createDataFrame(
            pa.table({"subject_id": self.snapshot.subjects[at], "bucket": buckets[at]})
        )
        subjects = self._subjects.select("subject_id", "partner", "link_reference", "role")
        held = self._records.join(members, "subject_id").join(subjects, "subject_id")
        edges = self._edges.join(members.toDF("subject_id", "of"), "subject_id").select(
            "of", "smaller", "larger"
        )
        rules = self._rules

        def cluster(held: pa.Table, edges: pa.Table) -> pa.Table:
            # PySpark counts the arguments and would include a method's `self`.
            return rules.cluster(held, edges)

        found = held.groupBy("bucket").cogroup(edges.groupBy("of")).applyInArrow(cluster, CLUSTERS)
        kept = found.persist(StorageLevel.DISK_ONLY)
        for table in self._in_slices(kept, "one"):
            doubt = table["doubt"].to_numpy()
            one, other, weight = (table[name].to_numpy() for name in ("one", "other", "weight"))
            doubts = zip(
                one[doubt].tolist(), other[doubt].tolist(), weight[doubt].tolist(), strict=True
            )
            yield Clusters(one[~doubt], other[~doubt], list(doubts))
        kept.unpersist()

    def _find_edges(self) -> DataFrame:
        keys = self._records.select("record_id", "subject_id", "encoding").mapInArrow(
            self._rules.find_keys, KEYS
        )
        pairs = keys.repartition(self._partitions, "key").mapInArrow(find_pairs, PAIRS)
        # Partitioned as the join needs it, so that `distinct` costs no extra exchange.
        distinct = pairs.repartition(self._partitions, "smaller").distinct()
        one = self._records.selectExpr(
            "record_id as smaller", "subject_id", "encoding as one"
        ).hint("shuffle_hash")
        other = self._records.selectExpr("record_id as larger", "encoding as other").hint(
            "shuffle_hash"
        )
        return (
            distinct.join(one, "smaller")
            .join(other, "larger")
            .mapInArrow(self._rules.compare_pairs, EDGES)
        )

    def _in_slices(self, kept: DataFrame, column: str) -> Iterator[Any]:
        slices = kept.count() // _ROWS_A_SLICE + 1
        for number in range(slices):
            yield kept.where(f"pmod(hash({column}), {slices}) = {number}").toArrow()
