"""Several processes of a service on one PostgreSQL share its topics (extra `sql`).

A process holds a session-level advisory lock for each topic that it reads, and one that shows that
it is running. When it dies, its connection and locks end, and the other processes take over its
topics. Two processes may read the same topic if a connection is dead on one side only. The offsets
in the database then let only one of them continue: leases save work, but correctness does not
depend on them.
"""

import zlib
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

_WORKERS: Final = 0x636C_0001
_TOPICS: Final = 0x636C_0002
_MOST_WORKERS: Final = 256


class TopicLeases:
    """The topics that this process holds."""

    def __init__(self, engine: sa.Engine, topics: Sequence[str]) -> None:
        self._engine, self._topics = engine, sorted(topics)
        self._held: list[str] = []
        self._connection: sa.Connection | None = None

    def refresh(self) -> frozenset[str]:
        """Take free topics, or release some, so that each process has a fair share.

        Returns this process's topics.
        """
        if self._engine.dialect.name != "postgresql":
            return frozenset(self._topics)
        try:
            connection = self._connect()
            share = -(-len(self._topics) // max(1, self._workers(connection)))
            while len(self._held) > share:
                self._unlock(connection, self._held.pop())
            for topic in self._topics:
                if len(self._held) >= share:
                    break
                if topic not in self._held and _try(connection, _TOPICS, _number(topic)):
                    self._held.append(topic)
        except sa.exc.DBAPIError:
            self.close()
        return frozenset(self._held)

    def close(self) -> None:
        """Release all topics."""
        if self._connection is not None:
            # This ends the session and all its locks. A pooled connection would stay open.
            self._connection.invalidate()
            self._connection.close()
        self._connection, self._held = None, []

    def _connect(self) -> sa.Connection:
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            )
            next(slot for slot in range(_MOST_WORKERS) if _try(self._connection, _WORKERS, slot))
        return self._connection

    def _workers(self, connection: sa.Connection) -> int:
        query = sa.text(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = :workers AND"
            " granted AND database = (SELECT oid FROM pg_database WHERE datname ="
            " current_database())"
        )
        return int(connection.execute(query, {"workers": _WORKERS}).scalar_one())

    def _unlock(self, connection: sa.Connection, topic: str) -> None:
        connection.execute(
            sa.text("SELECT pg_advisory_unlock(:kind, :n)"), {"kind": _TOPICS, "n": _number(topic)}
        )


def _try(connection: sa.Connection, kind: int, number: int) -> bool:
    query = sa.text("SELECT pg_try_advisory_lock(:kind, :n)")
    return bool(connection.execute(query, {"kind": kind, "n": number}).scalar_one())


def _number(topic: str) -> int:
    return zlib.crc32(topic.encode()) - 2**31
