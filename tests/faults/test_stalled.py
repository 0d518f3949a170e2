"""A lock that somebody holds on one table stops the linker's loop. Its heartbeat stands still, so
the alert ServiceStalled sees it, and goes on when the lock is gone.
"""

import threading
import time

import pytest
import sqlalchemy as sa

from tests.support.people import LinkerUnderTest

pytestmark = pytest.mark.real


def wait_for(happened, seconds=20.0):
    until = time.monotonic() + seconds
    while not happened() and time.monotonic() < until:
        time.sleep(0.02)
    assert happened()


def test_a_lock_on_a_table_stops_the_heartbeat_and_its_end_lets_it_go_on(
    partnership, postgres_url, child
):
    subjects = [child("trust-a", str(number)) for number in (1, 2)]
    linker = LinkerUnderTest(partnership, postgres_url)
    stop = threading.Event()
    loop = threading.Thread(
        target=linker.processor.run, args=[stop.is_set, lambda _subscriber: None], daemon=True
    )
    beat = linker.metrics.last_step._value.get
    loop.start()
    try:
        first = beat()
        wait_for(lambda: beat() > first)
        with linker.engine.connect() as other:
            other.execute(sa.text("LOCK TABLE record IN ACCESS EXCLUSIVE MODE"))
            linker.put("trust-a", partnership.message("trust-a", subjects[:2]))
            waiting = sa.text(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            )
            with linker.engine.connect() as look:
                wait_for(lambda: look.execute(waiting).scalar())
            stuck = beat()
            time.sleep(1.0)
            assert beat() == stuck, "the loop has not come round"
            other.rollback()
        wait_for(lambda: beat() > stuck)
        wait_for(lambda: None not in linker.persons(*subjects[:2]))
    finally:
        stop.set()
        loop.join(10)
        linker.close()
