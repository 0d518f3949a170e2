"""Releases as files: one folder each, written whole or not at all, checked by hash when read. Adapter.

`release.json` holds the protected cells, canonical so that the same inputs give the same bytes; `manifest.json` holds its
SHA-256 and what a reader should know of how it was made.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from childlink_analytics.errors import ReleaseError
from childlink_analytics.measures import Dimension, Measure

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Published:
    """A measure in a release: its declaration and its protected counts."""

    measure: Measure
    cells: Mapping[tuple[tuple[str, str], ...], int]


@dataclass(frozen=True)
class Release:
    """A frozen release."""

    release_id: str
    number: int
    manifest: Mapping[str, Any]
    measures: Mapping[str, Published]


def write_release(folder: Path, release_id: str, content: Mapping[str, Any], manifest: Mapping[str, Any]) -> Path:
    """Write a release; it appears whole or not at all. Never overwrites one."""
    check_release_name(release_id)
    target = folder / release_id
    if target.exists():
        raise ReleaseError(
            f"Release {release_id} exists already.", "A release is never edited; give the next one another name."
        )
    body = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    whole = {**manifest, "release_id": release_id, "content_sha256": hashlib.sha256(body).hexdigest()}
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".cutting-", dir=folder))
    try:
        for name, data in (
            ("release.json", body),
            ("manifest.json", json.dumps(whole, sort_keys=True, indent=1).encode()),
        ):
            with (draft / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        draft.chmod(0o755)
        draft.rename(target)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise ReleaseError(
            f"Release {release_id} could not be written ({error.strerror}).", "Nothing was published."
        ) from None
    return target


def check_release_name(release_id: str) -> str:
    """Return a name that a release may have (it becomes a folder's name), else raise ReleaseError."""
    if not _NAME.fullmatch(release_id):
        raise ReleaseError(
            f"{release_id!r} cannot be a release's name.",
            "Use letters, digits, dots and hyphens, for example '2026-Q3'.",
        )
    return release_id


def release_ids(folder: Path) -> list[str]:
    """Names of the releases there are, in the order of their numbers."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if (path / "manifest.json").is_file() and not path.name.startswith(".")]
    return [
        path.name for path in sorted(found, key=lambda path: (_read_json(path / "manifest.json")["number"], path.name))
    ]


def read_release(folder: Path, release_id: str) -> Release:
    """Read a release, or raise ReleaseError when it is damaged."""
    path = folder / release_id
    try:
        body = (path / "release.json").read_bytes()
    except OSError:
        raise ReleaseError(f"Release {release_id} has no content.", "Restore its folder from backup.") from None
    manifest = _read_json(path / "manifest.json")
    if hashlib.sha256(body).hexdigest() != manifest.get("content_sha256"):
        raise ReleaseError(
            f"Release {release_id} is damaged: its content is not what was cut.", "Restore its folder from backup."
        )
    content = json.loads(body)
    measures = {item["measure"]["id"]: _published(item) for item in content["measures"]}
    return Release(release_id, manifest["number"], manifest, measures)


def measure_content(published: Published) -> dict[str, Any]:
    """A measure as `release.json` keeps it."""
    cells = [[dict(cell), count] for cell, count in sorted(published.cells.items())]
    return {"measure": published.measure.to_json(), "cells": cells}


def _published(item: Mapping[str, Any]) -> Published:
    raw = item["measure"]
    dimensions = {
        name: Dimension(value["id"], value["title"], dict(value["categories"]), dict(value["midpoints"]) or None)
        for name, value in raw["dimensions"].items()
    }
    measure = Measure(
        **{
            **raw,
            "cubes": tuple(tuple(cube) for cube in raw["cubes"]),
            "dimensions": dimensions,
            "share": tuple(raw["share"]) if raw["share"] else None,
        }
    )
    return Published(measure, {tuple(sorted(cell.items())): count for cell, count in item["cells"]})


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise ReleaseError(f"{path} cannot be read.", "Restore the release's folder from backup.") from None
