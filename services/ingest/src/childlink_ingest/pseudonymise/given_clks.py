"""CLKs that another tool made at this site, in place of our own. Rule: rows in, rows out.

A file of CLKs says nothing of whom it holds, so it cannot be taken in as it is: the opt-out, a
withdrawal or a placeholder could not be applied. The ids beside it tie each CLK to a row of the
extract, and only the CLKs of rows that may be sent are sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Final

from childlink_ingest.errors import ExtractError
from childlink_ingest.model.rows import Rejection, Role, Row

LEAST_LIKE_OURS: Final = 0.7
"""Median similarity, below which another schema or secret made the CLKs. CLKs of one person under
two secrets have no more in common than chance gives.
"""


def with_clks(row: Row, clks: Mapping[str, bytes], columns: Mapping[Role, str]) -> Row | Rejection:
    """The row with the CLK of its child, or of its adult if it names no child. Who has none is not
    sent. `columns` are the extract's id columns.
    """
    person = row.child or row.adult
    if person is None:
        return row
    clk = clks.get(person.person_id)
    if clk is None:
        return Rejection(
            row.number,
            columns["child" if row.child else "adult"],
            "has no CLK in the file",
            "Make a CLK of this person with the others, or leave --clks out.",
            row.row_id,
        )
    if row.child:
        return replace(row, child=replace(row.child, clk=clk))
    return replace(row, adult=replace(person, clk=clk))


def check_like_ours(theirs: Sequence[bytes], ours: Sequence[bytes]) -> None:
    """Check the CLKs of a file against those that childlink makes of the same rows. Raises
    ExtractError if most are unlike: then another schema or secret made them.
    """
    alike = [_dice(a, b) for a, b in zip(theirs, ours, strict=True)]
    if alike and median(alike) < LEAST_LIKE_OURS:
        raise ExtractError(
            f"The CLKs of the file are not those of the extract's rows: their median similarity is"
            f" {median(alike):.2f}.",
            "The ids are in another order, or another schema or secret made them. Use those of"
            " childlink-ingest clk-kit.",
        )


def _dice(one: bytes, other: bytes) -> float:
    a, b = int.from_bytes(one, "big"), int.from_bytes(other, "big")
    return 2 * (a & b).bit_count() / max(a.bit_count() + b.bit_count(), 1)
