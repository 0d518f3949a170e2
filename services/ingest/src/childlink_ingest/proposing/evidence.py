"""What speaks for a column being what it is taken for: how full it is, how many different values it
has, and their shapes. Never shows a value. No I/O.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from childlink_ingest.eligibility.contradictions import shape_of
from childlink_ingest.mapping.dates import DATE_FORMATS, parse_date
from childlink_ingest.standardise import normalise

_SHAPES: Final = 3
_LONGEST_SHAPE: Final = 24


def evidence(values: Sequence[str]) -> str:
    """Evidence in words, from all values of a column.

    >>> evidence(["9990000018", "9990000026", ""])
    '67% filled, 100% different, 100% NHS numbers; 9999999999'
    """
    filled = [value for value in values if value]
    if not filled:
        return "empty"
    said = [
        f"{len(filled) / len(values):.0%} filled",
        f"{len(set(filled)) / len(filled):.0%} different",
    ]
    for what, test in (
        ("NHS numbers", normalise.nhs_number),
        ("postcodes", normalise.postcode),
        ("dates", lambda text: parse_date(text, (*DATE_FORMATS, "%d.%m.%Y"))),
    ):
        share = sum(1 for value in filled if test(value)) / len(filled)
        if share >= 0.05:
            said.append(f"{share:.0%} {what}")
    shapes = Counter(_short(shape_of(value)) for value in filled)
    return ", ".join(said) + "; " + ", ".join(shape for shape, _ in shapes.most_common(_SHAPES))


def _short(shape: str) -> str:
    shape = re.sub(r"\s+", " ", shape)
    return shape if len(shape) <= _LONGEST_SHAPE else shape[:_LONGEST_SHAPE] + "..."
