"""Helpers for tests of proposals, with any engine."""

from dataclasses import replace

import sqlalchemy as sa
from childlink_core.profiles import get_profile
from childlink_linker.matching.parameters import (
    Thresholds,
    load_parameters,
    parse_parameters,
    render_parameters,
)
from childlink_linker.relinking import proposals
from childlink_linker.relinking.relink import relink
from childlink_linker.relinking.repartition import Engine, OrdinaryEngine, repartition
from childlink_linker.relinking.write_proposal import propose
from childlink_linker.store import tables
from childlink_linker.store.snapshot import one_moment, read_snapshot
from childlink_linker.store.store import Store

from tests.support.people import VAULT, LinkerUnderTest

SAME_AS_NOW = render_parameters(load_parameters(), "Those in use.")
LENIENT = render_parameters(
    replace(load_parameters(), version="lenient", thresholds=Thresholds(-4.0, -4.0, -9.0)),
    "Joins whom it can.",
)
STRICT = render_parameters(
    replace(load_parameters(), version="strict", thresholds=Thresholds(45.0, 45.0, -1.0)),
    "Hardly joins anybody.",
)


def propose_ordinary(linker: LinkerUnderTest, parameters: str) -> int:
    """Propose, as `relink --propose` does."""
    with one_moment(linker.engine) as tx:
        engine = OrdinaryEngine(
            Store(tx, VAULT), read_snapshot(tx), get_profile(), parse_parameters(parameters)
        )
        new = repartition(engine)
    with linker.engine.begin() as tx:
        return propose(Store(tx, VAULT), engine, new, get_profile(), parameters)


def approve(linker: LinkerUnderTest, number: int) -> proposals.Approved:
    """Approve, as `proposals approve` does, but without sending the links."""
    with linker.engine.begin() as tx:
        return proposals.approve(Store(tx, VAULT), number, "N. Steward", get_profile())


def relinked(linker: LinkerUnderTest, parameters: str) -> "State":
    """The result of an ordinary `relink` of the store. Changes nothing."""
    with linker.engine.connect() as tx:
        relink(Store(tx, VAULT), get_profile(), parse_parameters(parameters))
        state = state_of(tx)
        tx.rollback()
    return state


State = tuple[set[frozenset[int]], set[tuple[int, int, float]], set[tuple[int, int, float]]]


def state_of(tx: sa.Connection) -> State:
    """All that linkage decides: persons as sets of subjects, clerical review pairs, edges."""
    persons: dict[str, set[int]] = {}
    for row in tx.execute(sa.select(tables.subject.c.subject_id, tables.subject.c.person_id)):
        persons.setdefault(row.person_id, set()).add(row.subject_id)
    # The time since when a pair waits is not part of it.
    pairs, edges = (
        {tuple(row)[:3] for row in tx.execute(sa.select(table))}
        for table in (tables.review_pair, tables.edge)
    )
    return {frozenset(members) for members in persons.values()}, pairs, edges


def partition_of(engine: Engine) -> set[frozenset[int]]:
    """Persons that an engine finds, as sets of subjects."""
    members: dict[int, set[int]] = {}
    for subject_id, cluster in zip(
        engine.snapshot.subjects.tolist(), repartition(engine).clusters.tolist(), strict=True
    ):
        members.setdefault(cluster, set()).add(subject_id)
    return {frozenset(each) for each in members.values()}
