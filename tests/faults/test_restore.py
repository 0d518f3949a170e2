"""Backup and restore, as described in docs/how-to/back-up-and-restore.md. Both stores are dumped in
the middle of a stream, lost later, and restored into empty databases. The streams go on; no person
is lost, doubled or changed; withdrawals hold.
"""

import subprocess
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from childlink_analytics.releasing.store import tables as analytics_tables
from childlink_ingest.spool import open_spool
from childlink_linker.store import tables as linker_tables

from tests.faults.conftest import (
    assert_all_accounted_for,
    assert_as_undisturbed,
    new_database,
    somebody,
)
from tests.support.postgres import pg_tool

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "back-up-and-restore.md"

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(400)]


def dump(url, file):
    with file.open("wb") as output:
        subprocess.run(
            [pg_tool("pg_dump", url), "--no-owner", libpq(url)], stdout=output, check=True
        )


def restore(file, server, name):
    url = new_database(server, name)
    with file.open("rb") as dumped:
        psql = [pg_tool("psql", url), "-q", "-v", "ON_ERROR_STOP=1", libpq(url)]
        subprocess.run(psql, stdin=dumped, check=True, stdout=subprocess.DEVNULL)
    return url


def libpq(url):
    return url.replace("postgresql+psycopg:", "postgresql:")


def persons(deployment):
    """Person and family of every subject."""
    engine = sa.create_engine(deployment.layout.linker.database)
    s, p = linker_tables.subject.c, linker_tables.person.c
    with engine.connect() as tx:
        found = tx.execute(
            sa.select(s.partner, s.link_reference, p.person_id, p.family_id).join_from(
                linker_tables.subject, linker_tables.person, p.person_id == s.person_id
            )
        ).all()
    engine.dispose()
    return {(row.partner, row.link_reference): (row.person_id, row.family_id) for row in found}


def sizes(rows):
    """Number of subjects of each person, sorted. Linker and analytics must agree on it, although
    they share no reference.
    """
    counted: dict[object, int] = {}
    for person in rows:
        counted[person] = counted.get(person, 0) + 1
    return sorted(counted.values())


def sizes_at_analytics(deployment):
    engine = sa.create_engine(deployment.layout.store.database)
    with engine.connect() as tx:
        rows = tx.execute(sa.select(analytics_tables.link.c.person)).scalars().all()
    engine.dispose()
    return sizes(person for person in rows if person is not None)


def test_stores_restored_from_dumps_made_in_the_middle_of_a_stream_end_as_an_undisturbed_run(
    small, undisturbed, postgres_server, tmp_path
):
    shaken = small("restored")
    partners = list(shaken.layout.ingest)
    first = shaken.extracts[0].partner
    later = [partner for partner in partners if partner != first]
    deadline = time.monotonic() + 200
    shaken.stage(first)
    shaken.settle(first, deadline)
    shaken.stage(later[0])
    shaken.send(later[0])
    # The linker is reading batches of the second partner now.
    dump(shaken.layout.linker.database, tmp_path / "linker.sql")
    dump(shaken.layout.store.database, tmp_path / "analytics.sql")
    shaken.settle(later[0], deadline)
    shaken.withdraw(shaken.extracts[0], somebody(shaken.extracts[0]))
    shaken.settle(first, deadline)
    shaken.wait_for_links(deadline)
    before = persons(shaken)

    shaken.kill_all()
    shaken.layout.linker.database = restore(
        tmp_path / "linker.sql", postgres_server, "restored_linker"
    )
    shaken.layout.store.database = restore(
        tmp_path / "analytics.sql", postgres_server, "restored_analytics"
    )
    known = persons(shaken)
    assert len(known) > 0
    follow_the_page(shaken)
    for service in shaken.services:
        shaken.start(service)

    for partner in later[1:]:
        shaken.stage(partner)
    for partner in partners:
        assert_all_accounted_for(shaken.settle(partner, deadline))
        with open_spool(shaken.layout.ingest[partner].spool) as spool:
            assert not spool.incidents()
    shaken.wait_for_links(deadline)
    after = persons(shaken)
    kept = [key for key in known if key in after and before.get(key) == known[key]]
    # As more partners send, parents are found through their children, and families join.
    assert len(kept) > 0.8 * len(known)
    moved = [key for key in kept if after[key][0] != known[key][0]]
    assert len(moved) <= len(partners), (
        "identifiers in the dump still belong to the same people; others may have joined an"
        " older one since"
    )
    assert sizes_at_analytics(shaken) == sizes(person for person, _ in after.values()), (
        "analytics joins the same people"
    )
    assert_as_undisturbed(shaken, undisturbed)
    assert shaken.cut() == undisturbed.cut(), "and the same release, byte for byte"
    shaken.stop()


def follow_the_page(deployment):
    """The how-to's steps between the restore and the start."""
    page = HOW_TO.read_text(encoding="utf-8")
    for service in ("linker", "analytics"):
        assert f"childlink-{service} restored" in page
        done = deployment.command(service, "restored")
        assert done.wait(timeout=60) == 0, deployment.logs()
