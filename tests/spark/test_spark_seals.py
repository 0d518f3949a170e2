"""No unsealed data is on a disk, in an argument or in another process's environment, while Spark
works or afterwards.
"""

from contextlib import suppress
from pathlib import Path

import pytest
from childlink_core.profiles import get_profile
from childlink_linker.clustering.evidence import verdicts_of
from childlink_linker.errors import SparkError
from childlink_linker.matching.parameters import load_parameters
from childlink_linker.relinking.repartition import repartition
from childlink_linker.relinking.spark_engine import SparkEngine, spark_session, task_errors
from childlink_linker.relinking.spark_tasks import Rules
from childlink_linker.store.sealed_export import read_export
from childlink_linker.store.store import Store
from childlink_linker.store.vault import VaultError

from tests.bench.bench_spark import family
from tests.spark.engines import VAULT_KEY, spark_engine
from tests.support.people import NHS, VAULT


@pytest.fixture
def known(linker, child):
    """A linker with a few people, and what one of their records looks like opened and sealed."""
    linker.send("trust-a", *(child("trust-a", str(n), nhs=NHS[n]) for n in range(5)))
    linker.send("council-b", *(child("council-b", str(n), nhs=NHS[n]) for n in range(5)))
    with linker.engine.connect() as tx:
        opened = Store(tx, VAULT).records_after(0, 1)[0].encoding
        sealed = tx.exec_driver_sql("SELECT encoding FROM record ORDER BY record_id").scalar()
    return linker.engine, opened, sealed


def files_with(folder: Path, *wanted: bytes) -> tuple[int, set[bytes]]:
    """The number of bytes in a folder, and which of the wanted byte strings are among them."""
    contents = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return sum(map(len, contents)), {
        each for each in wanted if any(each in content for content in contents)
    }


def pieces(opened: bytes) -> list[bytes]:
    """All eight-byte parts of a row that are tokens or segments, without those that are all
    zeros.
    """
    return [
        opened[at : at + 8]
        for at in range(9, len(opened) - 8, 4)
        if opened[at : at + 8].count(0) < 4
    ]


def test_an_export_holds_every_record_and_opens_none(known, session, tmp_path):
    database, opened, sealed = known
    spark_engine(session, database, tmp_path / "export")
    assert len(pieces(opened)) > 20
    # The sealed row is found, which shows that an opened row would be found.
    assert files_with(tmp_path / "export", sealed, VAULT_KEY, *pieces(opened))[1] == {sealed}
    assert (tmp_path / "export").stat().st_mode & 0o777 == 0o700


def test_an_export_says_what_was_decided_and_not_who_decided_it(linker, child, session, tmp_path):
    linker.send("trust-a", child("trust-a", "1", nhs=NHS[0]))
    linker.send("council-b", child("council-b", "1", nhs=NHS[1], postcode="SE24 0AA"))
    desk = linker.desk()
    [case] = desk.cases("N. Steward")
    desk.decide("N. Steward", [(case.doubts[0].pair, "same")], "spoke to both", asks_second=True)
    snapshot = spark_engine(session, linker.engine, tmp_path / "export").snapshot
    assert [(item.verdict, item.steward, item.asks_second) for item in snapshot.decisions] == [
        ("same", "1", True)
    ]
    assert files_with(tmp_path / "export", b"Steward", b"spoke to both")[1] == set()


def test_sparks_own_files_hold_neither_sealed_nor_opened_rows_nor_the_key(
    known, session, scratch, tmp_path
):
    database, opened, sealed = known
    engine = spark_engine(session, database, tmp_path / "export")
    assert len(repartition(engine).doubts) == 0
    assert sum(len(part.weights) for part in engine.edges()) >= 5
    written, found = files_with(scratch, sealed, VAULT_KEY, *pieces(opened))
    assert written > 10_000
    assert found == set()


def test_no_argument_and_no_environment_holds_the_key(known, session, tmp_path):
    database, _, _ = known
    assert list(spark_engine(session, database, tmp_path / "export").edges())
    processes = family()
    assert len(processes) > 2
    told = []
    for pid in processes:
        # A worker may end in the meantime.
        with suppress(OSError):
            told += [Path(f"/proc/{pid}/{what}").read_bytes() for what in ("cmdline", "environ")]
    assert any(b"java" in each for each in told)
    assert not any(VAULT_KEY in each or VAULT_KEY.hex().encode() in each for each in told)
    assert VAULT_KEY.decode() not in repr(engine_rules())


def engine_rules() -> Rules:
    return Rules(get_profile(), load_parameters(), {}, VAULT_KEY)


def test_another_linkers_key_opens_nothing_and_the_error_says_so(known, session, tmp_path):
    database, _, _ = known
    spark_engine(session, database, tmp_path / "export")
    snapshot = read_export(tmp_path / "export", get_profile())
    rules = Rules(get_profile(), load_parameters(), verdicts_of(snapshot.decisions), b"w" * 32)
    with pytest.raises(VaultError, match="token key"), task_errors():
        list(SparkEngine(session, tmp_path / "export", snapshot, rules).edges())


def test_encryption_cannot_be_turned_off():
    with (
        pytest.raises(SparkError, match="encryption"),
        spark_session("local[1]", {"spark.io.encryption.enabled": "false"}),
    ):
        pass


def test_an_export_that_is_not_whole_or_not_empty_is_refused(known, session, tmp_path):
    database, _, _ = known
    spark_engine(session, database, tmp_path / "export")
    with pytest.raises(SparkError, match="not empty"):
        spark_engine(session, database, tmp_path / "export")
    (tmp_path / "export" / "manifest.json").unlink()
    with pytest.raises(SparkError, match="not a complete export"):
        read_export(tmp_path / "export", get_profile())
