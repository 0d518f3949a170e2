"""Reads the CLKs that another tool made at this site (clkutil, anonlink-client), by local id."""

import base64
import binascii
import csv
import json
from pathlib import Path

from childlink_core.profiles import Clk, Profile

from childlink_ingest.errors import ExtractError


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
    names, clks = _ids_of(ids), _clks_of(file, item.clk)
    if len(clks) != len(names):
        raise ExtractError(
            f"{file.name} has {len(clks):,} CLKs, and {ids.name} has {len(names):,} ids.",
            "Give one id for each CLK, in the same order.",
        )
    found = dict(zip(names, clks, strict=True))
    if len(found) < len(names):
        raise ExtractError(
            f"{ids.name} names {len(names) - len(found):,} ids twice.", "Give one CLK for each id."
        )
    return found


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


def _clks_of(path: Path, clk: Clk) -> list[bytes]:
    try:
        texts = json.loads(path.read_text(encoding="utf-8"))["clks"]
        found = [base64.b64decode(text, validate=True) for text in texts]
    except (OSError, ValueError, KeyError, TypeError, binascii.Error):
        raise ExtractError(
            f"{path.name} is not a file of CLKs.",
            'Give the JSON file that clkutil or anonlink-client writes: {"clks": [...]}.',
        ) from None
    for number, made in enumerate(found, start=1):
        if problem := clk.problem_with(made):
            raise ExtractError(
                f"{path.name}: CLK {number} {problem}.",
                "Make the CLKs with the partnership's schema: childlink-ingest clk-kit FOLDER.",
            )
    return found
