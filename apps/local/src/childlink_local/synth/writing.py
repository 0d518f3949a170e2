"""Writes extracts and their mappings."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

Row = list[str]
ETHNIC_WORDS: Final = {
    "asian": "Asian or Asian British",
    "black": "Black or Black British",
    "mixed": "Mixed",
    "white": "White",
    "other": "Other",
}
WARDS: Final = {"area": "E05000001", "borough": "E05000002", "outside": "E05000003"}


def write_rows(
    path: Path,
    header: Row,
    rows: Iterable[Iterable[str]],
    encoding: str = "utf-8",
    delimiter: str = ",",
) -> None:
    """Write a CSV file. A character that the encoding lacks becomes a question mark."""
    with path.open("w", newline="", encoding=encoding, errors="replace") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows(rows)


def write_mapping(
    path: Path,
    dataset: str,
    top: Mapping[str, str],
    columns: Mapping[str, Any],
    *,
    areas: bool = False,
) -> None:
    """Write a mapping. The value of a column is a header, (header, date format) or (header, codes).
    With `areas`, deprivation and residence are derived from the postcode.
    """

    def quote(value: object) -> str:
        return str(value).lower() if isinstance(value, bool) else f'"{value}"'

    lines = [
        f'dataset = "{dataset}"',
        *(f'{key} = "{value}"' for key, value in top.items()),
        "",
        "[columns]",
    ]
    for name, source in columns.items():
        match source:
            case str():
                lines.append(f'{name} = "{source}"')
            case (column, str(form)):
                lines.append(f'{name} = {{ column = "{column}", format = "{form}" }}')
            case (column, dict(codes)):
                inside = ", ".join(f'"{code}" = {quote(value)}' for code, value in codes.items())
                lines.append(f'{name} = {{ column = "{column}", codes = {{ {inside} }} }}')
    if areas:
        lines += ["", "[area]", f'area = ["{WARDS["area"]}"]', f'borough = ["{WARDS["borough"]}"]']
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
