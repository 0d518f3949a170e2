"""Settings of Python's garbage collector."""

import gc
from typing import Final

_OBJECTS_BETWEEN_COLLECTIONS: Final = 50_000


def relax_garbage_collection() -> None:
    """Collect garbage after 50,000 new objects instead of Python's 700.

    Rows, records and edges number in the millions, live as long as their batch, and contain no
    cycles. Searching them for cycles took between a quarter and two fifths of the time to cluster
    600,000 records (docs/explanation/speed.md). Python still collects real cycles, after a few more
    megabytes.
    """
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
