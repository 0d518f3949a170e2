"""Reads the lists that decide who may be sent: permitted NHS numbers and objections."""

import csv
from array import array
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from childlink_ingest.eligibility.rules import Objections, PermittedList
from childlink_ingest.errors import PermitError
from childlink_ingest.standardise.normalise import nhs_number

_SECONDS_A_DAY: Final = 86_400


def read_permitted_list(path: Path | None, max_age_days: float, now: datetime) -> PermittedList:
    """Read the answer of the checking service: one NHS number per line, optionally followed by a
    comma (MESH).

    Raises PermitError if the list is missing, too old, or not such a list.
    """
    if path is None or not path.is_file():
        where = f"{path} does not exist" if path else "none is set"
        raise PermitError(
            f"This dataset needs the list of permitted NHS numbers, and {where}.",
            "Write the request with `childlink-ingest opt-out request`, send it to the checking"
            " service, and set `permitted_list` to its answer. If the opt-out does not apply, state"
            ' the reason in the mapping: opt_out_exempt = "..."',
        )
    age = (now.timestamp() - path.stat().st_mtime) / _SECONDS_A_DAY
    if age > max_age_days:
        raise PermitError(
            f"The list of permitted NHS numbers is {age:.1f} days old; at most {max_age_days:g} are"
            " allowed.",
            "Nothing was sent. Have the numbers checked again.",
        )
    return PermittedList(array("q", sorted({int(number) for number in _numbers(path)})))


def read_objections(path: Path | None) -> Objections:
    """Read the site's own objections: a CSV file with the columns nhs_number, role and local_id.

    nhs_number or local_id may be empty. Raises PermitError.
    """
    if path is None:
        return Objections()
    numbers, ids = set(), set()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not {"nhs_number", "role", "local_id"} <= set(reader.fieldnames or ()):
                raise PermitError(
                    f"{path} lacks a column.", "The header must be: nhs_number,role,local_id"
                )
            for line, row in enumerate(reader, start=2):
                number = nhs_number(row["nhs_number"] or "")
                if (row["nhs_number"] or "").strip() and not number:
                    raise PermitError(
                        f"{path}, line {line}: the NHS number fails its check.",
                        "Correct it. Nothing was sent.",
                    )
                if number:
                    numbers.add(number)
                if local := (row["local_id"] or "").strip():
                    if row["role"] not in ("child", "adult"):
                        raise PermitError(
                            f"{path}, line {line}: role must be child or adult.",
                            "Correct it. Nothing was sent.",
                        )
                    ids.add((row["role"], local))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PermitError(
            f"{path} cannot be read ({type(error).__name__}).", "Correct `objections`."
        ) from None
    return Objections(frozenset(numbers), frozenset(ids))


def read_objection_tokens(path: Path | None, held: Collection[int]) -> frozenset[str]:
    """Read partnership-wide objections: one token per line, VERSION:HEX.

    `held` are the versions of the linkage secret that this site has. A token without a version is
    from an earlier release of childlink and counts as version 1. Raises PermitError if a token is
    of another version, since the person it stands for could not be recognised, and would be sent.
    """
    if path is None:
        return frozenset()
    try:
        lines = path.read_text(encoding="ascii").split()
        parts = [line.rpartition(":") for line in lines]
        tokens = {(int(version or 1), bytes.fromhex(token).hex()) for version, _, token in parts}
    except (OSError, ValueError) as error:
        raise PermitError(
            f"{path} cannot be read ({type(error).__name__}).",
            "Fetch the partnership's list again.",
        ) from None
    unknown = [version for version, _ in tokens if version not in held]
    if unknown:
        raise PermitError(
            f"{path} holds {len(unknown):,} objections under version {min(unknown)} of the linkage"
            f" secret. This site holds version {' and '.join(map(str, held))}, so it cannot"
            " recognise these people.",
            "Nothing was sent. Fetch the partnership's present list. If there is none, each partner"
            " runs `childlink-ingest objections export` again, and the files replace the old list.",
        )
    return frozenset(f"{version}:{token}" for version, token in tokens)


def read_nhs_numbers(path: Path) -> list[str]:
    """Read a file of NHS numbers, one per line. Raises PermitError."""
    return list(dict.fromkeys(_numbers(path)))


def _numbers(path: Path) -> Iterable[str]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line, text in enumerate(file, start=1):
                stripped = text.strip().rstrip(",").strip()
                if not stripped or (line == 1 and not any(c.isdigit() for c in stripped)):
                    continue
                number = nhs_number(stripped)
                if not number:
                    raise PermitError(
                        f"{path.name}, line {line} is not a valid NHS number.",
                        "Use the unchanged file of the checking service, with one number per line.",
                    )
                yield number
    except (OSError, UnicodeDecodeError) as error:
        raise PermitError(
            f"{path} cannot be read ({type(error).__name__}).", "Check the path."
        ) from None
