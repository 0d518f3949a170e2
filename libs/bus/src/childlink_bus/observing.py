"""Metrics that every service with a store has (extra `sql`)."""

import sqlalchemy as sa

from childlink_bus.stream_state import StreamState


def database_connections(engine: sa.Engine) -> dict[str, int]:
    """Connections of the pool: in use now, and the limit. Empty if the engine has no pool."""
    pool = engine.pool
    if not isinstance(pool, sa.QueuePool):
        return {}
    return {"in_use": pool.checkedout(), "at_most": pool.size() + pool._max_overflow}


def waiting_messages(tx: sa.Connection, stream_state: StreamState) -> int:
    """Number of messages that the broker has not accepted yet."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(stream_state.outbox)).scalar_one())
