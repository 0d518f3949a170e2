"""The disk of the linker's database is full for a while. A batch that does not fit is not stored in
part, and when there is room, processing continues.
"""

import os
import shutil
import subprocess
from datetime import date
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from tests.support.people import NHS, LinkerUnderTest, open_linker
from tests.support.postgres import Postgres
from tests.support.real import unavailable

pytestmark = [pytest.mark.real]
DISK = "24m"
PEOPLE = 40


@pytest.fixture
def small_disk(tmp_path):
    """A small file system. Needs root."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0777", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        unavailable("a small file system", "it cannot be mounted (not root?)")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def url_on_small_disk(small_disk):
    """A database of a real PostgreSQL that already has its tables."""
    server = Postgres()
    place = small_disk / "tables"
    place.mkdir()
    data = Path(sa.make_url(server.url).query["host"])
    shutil.chown(place, data.stat().st_uid, data.stat().st_gid)
    for part in [*place.parents][: len(place.parents) - 2]:
        part.chmod(part.stat().st_mode | 0o011)
    admin = sa.create_engine(server.url, isolation_level="AUTOCOMMIT")
    with admin.connect() as tx:
        tx.exec_driver_sql(f"CREATE TABLESPACE small LOCATION '{place}'")
        tx.exec_driver_sql("CREATE DATABASE linker TABLESPACE small")
    admin.dispose()
    yield sa.make_url(server.url).set(database="linker").render_as_string(hide_password=False)
    server.close()


def test_a_full_disk_stops_the_linker_and_room_on_it_lets_it_go_on(
    partnership, url_on_small_disk, small_disk, tmp_path
):
    people = [
        partnership.subject(
            "trust-a",
            f"{n}",
            nhs=NHS[n % 8] if n < 8 else "",
            given=f"Given{n}",
            surname=f"Sur{n}",
            born=date(2019, 1 + n % 12, 1 + n % 28),
            sex="f",
            postcode="SW9 8JJ",
        )
        for n in range(PEOPLE)
    ]
    messages = [partnership.message("trust-a", people[n : n + 4]) for n in range(0, PEOPLE, 4)]
    calm = open_linker(partnership, tmp_path)
    calm.put("trust-a", *messages)
    calm.run()

    shaken = LinkerUnderTest(partnership, url_on_small_disk)
    shaken.put("trust-a", *messages[:3])
    shaken.run()
    before = shaken.partition()
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(os.urandom(4096))
            except OSError:
                break
    # Until the free pages in the tables are used up too.
    full = False
    sent = 3
    while sent < len(messages) and not full:
        shaken.put("trust-a", messages[sent])
        sent += 1
        try:
            shaken.run()
            before = shaken.partition()
        except (sa.exc.OperationalError, psycopg.OperationalError) as error:
            full = "No space left" in str(error)
    assert full
    assert shaken.partition() == before, "no part of the batch that did not fit is stored"
    assert shaken.receipts("trust-a")[-1].sequence < sent, "and it has no receipt"

    filler.unlink()
    shaken.put("trust-a", *messages[sent:])
    shaken.run()
    assert shaken.partition() == calm.partition()
    assert [r.sequence for r in shaken.receipts("trust-a")] == list(range(1, len(messages) + 1)), (
        "each answered once"
    )
    shaken.close()
    calm.close()
