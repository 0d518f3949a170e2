"""What every service with a store shows of its own workings (extra `sql`)."""

from typing import Final

import sqlalchemy as sa

from childlink_bus.stream_state import StreamState

BATCH_AGES: Final = (1, 5, 15, 60, 300, 900, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600)
"""Buckets of a batch's age in seconds: from at once to a site that was cut off for a week."""


def database_connections(engine: sa.Engine) -> dict[str, int]:
    """Connections of the pool: in use now, and how many there may be."""
    pool = engine.pool
    if not isinstance(pool, sa.QueuePool):
        return {}
    return {"in_use": pool.checkedout(), "at_most": pool.size() + pool._max_overflow}


def waiting_messages(tx: sa.Connection, stream_state: StreamState) -> int:
    """Messages that the broker has not taken yet."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(stream_state.outbox)).scalar_one())
