"""Registered purposes: who may see which datasets, why and until when. Also the retention periods
of rows.

Rule: text in, checked values out. Only `read_register` reads a file.

[[purpose]]
id = "service-improvement"
title = "Improving the programme's services"
lawful_basis = "Public task (UK GDPR Article 6(1)(e))"
datasets = ["attendance", "questionnaire"]
until = 2027-03-31

[retention_months]
attendance = 84
"""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from childlink_catalogue.catalogue import all_datasets
from childlink_catalogue.errors import CatalogueError


@dataclass(frozen=True)
class Purpose:
    """A reason for which people may see some datasets."""

    id: str
    title: str
    lawful_basis: str
    datasets: frozenset[str]
    until: date
    """The last day on which the purpose is valid."""


@dataclass(frozen=True)
class Register:
    """All purposes and retention periods."""

    purposes: Mapping[str, Purpose] = field(default_factory=dict)
    retention_months: Mapping[str, int] = field(default_factory=dict)

    def datasets_for(self, purposes: Iterable[str], today: date) -> list[frozenset[str]]:
        """For each of these purposes that is valid today, the datasets that may be seen and joined.
        Datasets may be joined only if a single purpose covers all of them.
        """
        return [
            self.purposes[name].datasets
            for name in purposes
            if name in self.purposes and today <= self.purposes[name].until
        ]

    def expired_before(self, today: date) -> dict[str, str]:
        """For each dataset with a retention period, the first month to keep ("YYYY-MM"). Delete the
        rows of earlier months.

        >>> Register(retention_months={"attendance": 12}).expired_before(date(2026, 3, 15))
        {'attendance': '2025-03'}
        """
        months = {
            name: today.year * 12 + today.month - 1 - kept
            for name, kept in self.retention_months.items()
        }
        return {name: f"{month // 12:04d}-{month % 12 + 1:02d}" for name, month in months.items()}


def parse_purposes(text: str, datasets: Collection[str], where: str) -> Register:
    """Parse the register. Raises CatalogueError that names the purpose and the problem."""
    try:
        content = tomllib.loads(text)
        purposes = [_parse(item, datasets, where) for item in content.get("purpose", [])]
        retention = dict(content.get("retention_months", {}))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise CatalogueError(
            f"{where} is not a register of purposes ({error}).",
            "Compare it with how-to/register-a-purpose.",
        ) from None
    unknown = sorted(set(retention) - set(datasets))
    wrong = sorted(
        name for name, months in retention.items() if not isinstance(months, int) or months < 1
    )
    if unknown or wrong:
        raise CatalogueError(
            f"{where}: retention_months of {', '.join(unknown + wrong)} is wrong.",
            f"Give a whole number of months, at least 1, for any of {', '.join(sorted(datasets))}.",
        )
    if len({purpose.id for purpose in purposes}) != len(purposes):
        raise CatalogueError(
            f"{where}: two purposes have the same id.", "Give each purpose its own id."
        )
    return Register({purpose.id: purpose for purpose in purposes}, retention)


def _parse(item: Mapping[str, Any], datasets: Collection[str], where: str) -> Purpose:
    unknown = sorted(set(item["datasets"]) - set(datasets))
    if unknown:
        raise CatalogueError(
            f"{where}, purpose {item['id']}: there is no dataset {', '.join(unknown)}.",
            f"Use: {', '.join(sorted(datasets))}.",
        )
    if not isinstance(item["until"], date):
        raise CatalogueError(
            f"{where}, purpose {item['id']}: until is not a date.",
            "Write until = 2027-03-31, without quotes.",
        )
    return Purpose(
        item["id"], item["title"], item["lawful_basis"], frozenset(item["datasets"]), item["until"]
    )


def read_register(path: Path) -> Register:
    """Read the register of purposes. Raises CatalogueError."""
    return parse_purposes(read_text(path), all_datasets(), str(path))


def read_text(path: Path) -> str:
    """Read a file's text. Raises CatalogueError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(
            f"{path} cannot be read ({type(error).__name__}).", "Correct the setting."
        ) from None
