"""Doctests of the source are tests too; migrations are run by the migration tests, not imported. Fuzzers are run by hand; what needs
PySpark, by `make test-spark`."""

collect_ignore_glob = ["*/migrations/*", "proto/*", "tests/bench/*", "tests/fuzz/*", "*/spark_relink.py"]
