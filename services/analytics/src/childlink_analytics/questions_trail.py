"""The trail of questions: who asked what, hash-chained, in a database of the answering process's own. Adapter.

Entries wait a moment and are written together by one thread, so that a question does not wait for a disk; what waits is written
when the process stops. Losing the last moments to a crash is a smaller evil than slow answers: no answer depends on the trail.
"""

import queue
import threading
from typing import Final

import sqlalchemy as sa
import structlog
from childlink_bus.audit import Audit, Entry, Head
from childlink_bus.database import open_database

log = structlog.get_logger()
_TOGETHER: Final = 500


class QuestionsTrail:
    """The trail. Close it, or use it in a `with`."""

    def __init__(self, url: str, key: bytes) -> None:
        self._engine, self._key = open_database(url), key
        metadata = sa.MetaData()
        self._audit = Audit(metadata)
        metadata.create_all(self._engine)
        self._waiting: queue.SimpleQueue[tuple[str, str, dict[str, str]] | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="questions trail", daemon=True)
        self._writer.start()

    def append(self, who: str, action: str, **detail: str) -> None:
        """Write a call down, soon."""
        self._waiting.put((who, action, detail))

    def read(self, after: int = 0) -> list[Entry]:
        """Entries in order."""
        with self._engine.connect() as tx:
            return list(self._audit.read(tx, after))

    def verify(self, noted: Head | None = None) -> Head:
        """Check every entry. Raises AuditBrokenError."""
        with self._engine.connect() as tx:
            return self._audit.verify(tx, self._key, noted)

    def close(self) -> None:
        """Write what waits, and let go of the database."""
        self._waiting.put(None)
        self._writer.join()
        self._engine.dispose()

    def _write(self) -> None:
        while (item := self._waiting.get()) is not None:
            together = [item]
            last = False
            while len(together) < _TOGETHER and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    last = True
                    break
                together.append(following)
            try:
                with self._engine.begin() as tx:
                    for who, action, detail in together:
                        self._audit.append(tx, self._key, who, action, **detail)
            except sa.exc.SQLAlchemyError as error:
                log.error("questions not written down", count=len(together), error_type=type(error).__name__)
            if last:
                return
