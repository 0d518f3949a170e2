"""CLKs that another tool made at this site (clkutil, anonlink-client), by local id.

A file of CLKs says nothing of whom it holds, so it cannot be taken in as it is: the opt-out, a
withdrawal or a placeholder could not be applied. The ids beside it tie each CLK to a row of the
extract, and only the CLKs of rows that may be sent are sent.
"""

import base64
import binascii
import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Final

from childlink_core.profiles import Clk, Profile

from childlink_ingest.errors import ExtractError
from childlink_ingest.model.rows import Rejection, Role, Row

LEAST_LIKE_OURS: Final = 0.7
"""Median similarity, below which CLKs were made by another schema or secret. CLKs of one person
under two secrets are about .45 alike, as those of strangers."""


def read_clks(file: Path, ids: Path | None, profile: Profile) -> dict[str, bytes]:
    """Read a file {"clks": [base64, ...]} and the local id of each, in the same order. Raises
    ExtractError.
    """
    item = profile.clk_pass
    if item is None or item.clk is None:
        raise ExtractError(
            f"The partnership's profile is {profile.id}, and {file.name} holds CLKs.",
            "A store holds CLKs or hardened encodings, never both. Leave --clks out.",
        )
    if ids is None:
        raise ExtractError(
            f"{file.name} does not say whom it holds, so the opt-out and withdrawals cannot be"
            " applied.",
            "Give the local id of each CLK, in the same order: --clk-ids IDS.csv, with the column"
            " id.",
        )
    found = list(zip(_ids_of(ids), _clks_of(file, ids, item.clk), strict=True))
    clks = dict(found)
    if len(clks) < len(found):
        raise ExtractError(
            f"{ids.name} names {len(found) - len(clks):,} ids twice.", "Give one CLK for each id."
        )
    return clks


def _ids_of(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if "id" not in (reader.fieldnames or ()):
                raise ExtractError(
                    f"{path.name} has no column id.",
                    "Give a CSV file with that column in its header.",
                )
            ids = [(row["id"] or "").strip() for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ExtractError(
            f"{path.name} cannot be read ({type(error).__name__}).", "Use a CSV file in UTF-8."
        ) from None
    if "" in ids:
        raise ExtractError(f"{path.name}, line {ids.index('') + 2} has no id.", "Fill it in.")
    return ids


def _clks_of(path: Path, ids: Path, clk: Clk) -> list[bytes]:
    try:
        texts = json.loads(path.read_text(encoding="utf-8"))["clks"]
        found = [base64.b64decode(text, validate=True) for text in texts]
    except (OSError, ValueError, KeyError, TypeError, binascii.Error):
        raise ExtractError(
            f"{path.name} is not a file of CLKs.",
            'Give the JSON file that clkutil or anonlink-client writes: {"clks": [...]}.',
        ) from None
    count = len(_ids_of(ids))
    if len(found) != count:
        raise ExtractError(
            f"{path.name} has {len(found):,} CLKs, and {ids.name} has {count:,} ids.",
            "Give one id for each CLK, in the same order.",
        )
    for number, made in enumerate(found, start=1):
        if problem := clk.problem_with(made):
            raise ExtractError(
                f"{path.name}: CLK {number} {problem}.",
                "Make the CLKs with the partnership's schema: childlink-ingest clk-kit FOLDER.",
            )
    return found


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
