"""Doctests of the source are tests too; migrations are run by the migration tests, not imported. Fuzzers are run by hand."""

import os

collect_ignore_glob = ["*/migrations/*", "proto/*", "tests/bench/*", "tests/fuzz/*"]
# The compose stack needs a Docker engine and images: `make test-stack` provides them and sets this.
if not os.environ.get("CHILDLINK_TEST_STACK"):
    collect_ignore_glob.append("tests/stack/*")
