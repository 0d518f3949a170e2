"""Doctests of the source are tests too; migrations are run by the migration tests, not imported. Fuzzers are run by hand, what needs
PySpark by `make test-spark`."""

import os
from importlib.util import find_spec

collect_ignore_glob = ["*/migrations/*", "proto/*", "tests/bench/*", "tests/fuzz/*"]
if find_spec("pyspark") is None:
    collect_ignore_glob += ["*/spark_relink.py", "tests/spark/*"]
# The compose stack needs a Docker engine, the charts need helm: `make test-stack` and `make check-helm` provide them and set these.
for _variable, _tests in (("CHILDLINK_TEST_STACK", "tests/stack/*"), ("CHILDLINK_HELM", "tests/helm/*")):
    if not os.environ.get(_variable):
        collect_ignore_glob.append(_tests)
