"""Tests on Spark run in a separate environment with PySpark: `make test-spark`."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

if find_spec("pyspark") is None:
    collect_ignore_glob = ["test_*.py", "engines.py"]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder where Spark writes its files."""
    return tmp_path_factory.mktemp("spark")


@pytest.fixture(scope="module")
def session(scratch: Path) -> Iterator[object]:
    """Spark on two cores of this machine."""
    from childlink_linker.relinking.spark_engine import spark_session

    with spark_session("local[2]", {"spark.local.dir": str(scratch)}) as session:
        yield session
