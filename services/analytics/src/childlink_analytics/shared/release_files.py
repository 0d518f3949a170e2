"""Releases as files, in one folder each. A release is written completely or not at all, and its
hash is checked when it is read. Adapter.

`release.json` holds the protected cells in canonical form, so that the same inputs give the same
bytes. `manifest.json` holds its SHA-256 and describes how the release was made.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from childlink_catalogue.measures import Measure
from pydantic import TypeAdapter

from childlink_analytics.errors import ReleaseError, RetractedError
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.cubes import Cell

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, eq=False)
class Published:
    """A measure in a release: its declaration and protected counts."""

    measure: Measure
    cells: Mapping[Cell, int]
    collected: bool = True
    """Whether any partner sends the data that the measure needs."""
    rounding_sd: float = 3.0
    """Root mean square error of the population's protected counts, rounded up to a half. Confidence
    intervals include it.
    """
    population: Mapping[Cell, int] = field(default_factory=dict)
    """Public counts of the people the measure could reach, for some of its groups."""
    policy: str = disclosure.ROUNDED
    """The policy that protects it."""
    not_collected_by: tuple[str, ...] = ()
    """Dimensions for which no partner sends what they need."""

    def asked(self, names: Collection[str]) -> "Published":
        """The same, as far as these dimensions were collected."""
        if set(names) & set(self.not_collected_by):
            return replace(self, collected=False)
        return self


_MEASURE: Final = TypeAdapter(Measure)


@dataclass(frozen=True)
class Release:
    """A frozen release."""

    release_id: str
    number: int
    manifest: Mapping[str, Any]
    measures: Mapping[str, Published]


def write_release(
    folder: Path, release_id: str, content: Mapping[str, Any], manifest: Mapping[str, Any]
) -> tuple[Path, str]:
    """Write a release, completely or not at all. Never overwrites an existing release. Returns its
    path and the SHA-256 of its content. Raises ReleaseError.
    """
    check_release_name(release_id)
    target = folder / release_id
    if target.exists():
        raise ReleaseError(
            f"Release {release_id} exists already.",
            "A release is never edited. Give the new one another name.",
        )
    # Not sorted by key, because the order of a dimension's categories matters.
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    whole = {
        **manifest,
        "release_id": release_id,
        "content_sha256": hashlib.sha256(body).hexdigest(),
    }
    _write_whole(
        target,
        {
            "release.json": body,
            "manifest.json": json.dumps(whole, sort_keys=True, indent=1).encode(),
        },
    )
    return target, whole["content_sha256"]


def publish_release(
    drafts: Path, folder: Path, release_id: str, approval: Mapping[str, str]
) -> Path:
    """Copy a draft, with the approval, into the served folder, completely or not at all. An already
    published copy stays. Raises ReleaseError if the draft is damaged.
    """
    read_release(drafts, release_id)
    target = folder / release_id
    if not target.exists():
        files = {
            name: (drafts / release_id / name).read_bytes()
            for name in ("release.json", "manifest.json")
        }
        _write_whole(
            target,
            files | {"published.json": json.dumps(approval, sort_keys=True, indent=1).encode()},
        )
    return target


def retract_release(folder: Path, release_id: str, approval: Mapping[str, str]) -> None:
    """Remove a release's content from the served folder. The manifest stays, with a note that the
    release was retracted and why.
    """
    path = folder / release_id
    _write_file(path / "recalled.json", json.dumps(approval, sort_keys=True, indent=1).encode())
    (path / "release.json").unlink(missing_ok=True)


def _write_whole(target: Path, files: Mapping[str, bytes]) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Remove what a killed process left of the same release.
        for left in target.parent.glob(f".cutting-{target.name}-*"):
            shutil.rmtree(left, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix=f".cutting-{target.name}-", dir=target.parent))
    except OSError as error:
        raise ReleaseError(
            f"{target.parent} cannot be written ({error.strerror}).", "Nothing was published."
        ) from None
    try:
        for name, data in files.items():
            _write_file(draft / name, data)
        draft.chmod(0o755)
        draft.rename(target)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise ReleaseError(
            f"Release {target.name} could not be written ({error.strerror}).",
            "Nothing was published.",
        ) from None


def _write_file(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def check_release_name(release_id: str) -> str:
    """Return the name if a release may have it, because it becomes the name of a folder. Otherwise
    raise ReleaseError.
    """
    if not _NAME.fullmatch(release_id):
        raise ReleaseError(
            f"{release_id!r} cannot be the name of a release.",
            "Use letters, digits, dots and hyphens, for example '2026-Q3'.",
        )
    return release_id


def release_ids(folder: Path) -> list[str]:
    """Names of the releases in a folder, including damaged ones."""
    if not folder.is_dir():
        return []
    found = [
        path
        for path in folder.iterdir()
        if (path / "manifest.json").is_file() and not path.name.startswith(".")
    ]
    return sorted(path.name for path in found)


def read_release(folder: Path, release_id: str) -> Release:
    """Read a release. Raises ReleaseError if it is damaged, and RetractedError if it was
    retracted.
    """
    path = folder / release_id
    if (path / "recalled.json").exists():
        said = _read_json(path / "recalled.json")
        raise RetractedError(
            f"Release {release_id} was retracted: {said.get('why', '')}", "Use another release."
        )
    try:
        body = (path / "release.json").read_bytes()
    except OSError:
        raise ReleaseError(
            f"Release {release_id} has no content.", "Restore its folder from backup."
        ) from None
    manifest = _read_json(path / "manifest.json")
    if hashlib.sha256(body).hexdigest() != manifest.get("content_sha256"):
        raise ReleaseError(
            f"Release {release_id} is damaged: its content has changed since it was cut.",
            "Restore its folder from backup.",
        )
    content = json.loads(body)
    measures = {item["measure"]["id"]: _published(item) for item in content["measures"]}
    return Release(release_id, manifest["number"], manifest, measures)


def read_manifest(folder: Path, release_id: str) -> dict[str, Any]:
    """What a release says about itself, without its counts. Raises ReleaseError."""
    return _read_json(folder / release_id / "manifest.json")


def measure_content(published: Published) -> dict[str, Any]:
    """A measure as stored in `release.json`."""
    cells = [[dict(cell), count] for cell, count in sorted(published.cells.items())]
    return {
        "measure": _MEASURE.dump_python(published.measure, mode="json"),
        "cells": cells,
        "collected": published.collected,
        "policy": published.policy,
        "not_collected_by": list(published.not_collected_by),
        "rounding_sd": published.rounding_sd,
        "population": [[dict(cell), count] for cell, count in sorted(published.population.items())],
    }


def _published(item: Mapping[str, Any]) -> Published:
    cells, population = (
        {tuple(sorted(cell.items())): count for cell, count in item[key]}
        for key in ("cells", "population")
    )
    return Published(
        _MEASURE.validate_python(item["measure"]),
        cells,
        item["collected"],
        item["rounding_sd"],
        population,
        item["policy"],
        tuple(item.get("not_collected_by", ())),
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise ReleaseError(
            f"{path} cannot be read.", "Restore the release's folder from backup."
        ) from None
