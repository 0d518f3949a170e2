"""Composition root of proposals: which engine, on which view of the store. See `app` for the rest of the linker."""

import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

from childlink_core.profiles import get_profile

from childlink_linker.app import open_store, vault_key_of, vault_of
from childlink_linker.clustering.evidence import verdicts_of
from childlink_linker.matching.parameters import parse_parameters, read_parameters
from childlink_linker.relinking.repartition import Engine, OrdinaryEngine, Repartition, repartition
from childlink_linker.relinking.write_proposal import propose
from childlink_linker.settings import LinkerSettings
from childlink_linker.store.snapshot import one_moment, read_snapshot
from childlink_linker.store.store import Store


def export(settings: LinkerSettings, folder: Path) -> int:
    """Write the store as it is now, sealed, into an empty folder. Returns how many records there are."""
    # Only here and below: PyArrow and PySpark are extras.
    from childlink_linker.store.sealed_export import write_export

    with one_moment(open_store(settings)) as tx:
        return write_export(tx, folder, get_profile(settings.profile))


def propose_ordinary(settings: LinkerSettings, parameters: str) -> int:
    """Propose what the ordinary engine finds under parameters (a file's text). Returns the proposal's number."""
    profile = get_profile(settings.profile)
    with one_moment(open_store(settings)) as tx:
        engine = OrdinaryEngine(Store(tx, vault_of(settings)), read_snapshot(tx), profile, parse_parameters(parameters))
        new = repartition(engine)
    return _propose(settings, engine, new, parameters)


def propose_on_spark(
    settings: LinkerSettings, parameters: str, exported: Path | None, master: str, options: Mapping[str, str]
) -> int:
    """Propose what Spark finds in an export, or in one made for it now. Returns the proposal's number."""
    from childlink_linker.relinking.spark_engine import SparkEngine, spark_session
    from childlink_linker.relinking.spark_tasks import Rules
    from childlink_linker.store.sealed_export import read_export

    profile = get_profile(settings.profile)
    scratch = nullcontext() if exported else tempfile.TemporaryDirectory(prefix="childlink-export-")
    with scratch as made:
        folder = exported or Path(str(made))
        if exported is None:
            export(settings, folder)
        snapshot = read_export(folder, profile)
        rules = Rules(profile, parse_parameters(parameters), verdicts_of(snapshot.decisions), vault_key_of(settings))
        with spark_session(master, options) as session:
            engine = SparkEngine(session, folder, snapshot, rules)
            return _propose(settings, engine, repartition(engine), parameters)


def text_of(settings: LinkerSettings, parameters: Path | None) -> str:
    """The text of a parameter file, or of the parameters in use."""
    return read_parameters(str(parameters) if parameters else settings.parameters)


def _propose(settings: LinkerSettings, engine: Engine, new: Repartition, parameters: str) -> int:
    with open_store(settings).begin() as tx:
        return propose(Store(tx, vault_of(settings)), engine, new, get_profile(settings.profile), parameters)
