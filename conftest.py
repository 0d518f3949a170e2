"""Doctests of the source are tests too; migrations are run by the migration tests, not imported. Fuzzers are run by hand, and what
needs PySpark by `make test-spark`."""

import os

collect_ignore_glob = [
    "*/migrations/*",
    "proto/*",
    "tests/bench/*",
    "tests/fuzz/*",
    "*/spark_relink.py",
    "*/spark_tasks.py",
]
# The compose stack needs a Docker engine, the charts need helm: `make test-stack` and `make check-helm` provide them and set these.
for _variable, _tests in (("CHILDLINK_TEST_STACK", "tests/stack/*"), ("CHILDLINK_HELM", "tests/helm/*")):
    if not os.environ.get(_variable):
        collect_ignore_glob.append(_tests)
