"""How Python looks after the memory of our processes."""

import gc
from typing import Final

_OBJECTS_BETWEEN_COLLECTIONS: Final = 50_000


def relax_garbage_collection() -> None:
    """Collect garbage after 50,000 new objects instead of Python's 700.

    Rows, records and edges are made by the million, live as long as their batch, and hold no
    cycles: of the time that it takes to assign 600,000 records, a quarter to two fifths went into
    looking for some (docs/explanation/speed.md). What does hold cycles is collected all the same, a
    few megabytes later.
    """
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
