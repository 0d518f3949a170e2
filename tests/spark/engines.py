"""Spark as an engine over a test linker."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from childlink_core.profiles import get_profile
from childlink_linker.clustering.evidence import verdicts_of
from childlink_linker.matching.parameters import parse_parameters
from childlink_linker.relinking.spark_engine import SparkEngine
from childlink_linker.relinking.spark_tasks import Rules
from childlink_linker.store.sealed_export import read_export, write_export
from childlink_linker.store.snapshot import one_moment

from tests.support.proposing import SAME_AS_NOW

VAULT_KEY = b"v" * 32


def spark_engine(
    session: Any, database: sa.Engine, folder: Path, parameters: str = SAME_AS_NOW
) -> SparkEngine:
    """An export of the store, and Spark on it."""
    with one_moment(database) as tx:
        write_export(tx, folder, get_profile())
    snapshot = read_export(folder, get_profile())
    rules = Rules(
        get_profile(), parse_parameters(parameters), verdicts_of(snapshot.decisions), VAULT_KEY
    )
    return SparkEngine(session, folder, snapshot, rules)
