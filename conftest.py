"""Collection rules. Doctests of the source count as tests. The migration tests run the migrations,
so pytest does not import them. Fuzzers are run by hand, and tests that need PySpark by `make
test-spark`.
"""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

_LONGEST_FIRST = ("faults", "integration", "attacks", "browser", "contract", "property", "spec")

collect_ignore_glob = ["*/migrations/*", "proto/*", "tests/bench/*", "tests/fuzz/*"]
if find_spec("pyspark") is None:
    collect_ignore_glob += ["*/spark_engine.py", "tests/spark/*"]
# The compose stack needs a Docker engine, and the charts need helm. `make test-stack` and `make
# check-helm` provide them and set these variables.
for _variable, _tests in (
    ("CHILDLINK_TEST_STACK", "tests/stack/*"),
    ("CHILDLINK_HELM", "tests/helm/*"),
):
    if not os.environ.get(_variable):
        collect_ignore_glob.append(_tests)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the kinds with the slowest files first, so that no worker is left with one of them at the
    end.
    """
    items.sort(key=lambda item: _rank(item.path))


def _rank(path: Path) -> int:
    kinds = [kind for kind in _LONGEST_FIRST if kind in path.parts]
    return _LONGEST_FIRST.index(kinds[0]) if kinds else len(_LONGEST_FIRST)
