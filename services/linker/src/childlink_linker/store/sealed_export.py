"""Exports the store as Parquet files for a batch engine. The encodings stay encrypted as in the
store. Adapter of PyArrow (extra `spark`).
"""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from childlink_core.profiles import Profile

from childlink_linker.errors import SparkError
from childlink_linker.store import tables as t
from childlink_linker.store.snapshot import Snapshot, Standing, in_batches, standing_decisions

try:
    import pyarrow as pa
    from pyarrow import parquet
except ImportError:
    raise SparkError(
        "Re-linkage on Spark needs PyArrow.",
        "Install it with: pip install 'childlink-linker[spark]'",
    ) from None

_FORMAT: Final = 2
_MANIFEST: Final = "manifest.json"
# The exported columns of each table, with their types. Not exported: stewards' names and reasons,
# capsules, keys and carers.
_FILES: Final[dict[str, tuple[sa.Table, dict[str, pa.DataType]]]] = {
    "records": (
        t.record,
        {
            "record_id": pa.int64(),
            "subject_id": pa.int64(),
            "facet": pa.binary(),
            "key_version": pa.int32(),
            "digest": pa.binary(16),
            "encoding": pa.binary(),
        },
    ),
    "subjects": (
        t.subject,
        {
            "subject_id": pa.int64(),
            "partner": pa.string(),
            "link_reference": pa.binary(),
            "role": pa.int16(),
            "person_id": pa.string(),
        },
    ),
    "decisions": (
        t.decision,
        {
            "decision_id": pa.int64(),
            "smaller_subject_id": pa.int64(),
            "larger_subject_id": pa.int64(),
            "verdict": pa.string(),
            "steward": pa.string(),
            "asks_second": pa.bool_(),
        },
    ),
    "doubts": (
        t.review_pair,
        {"smaller_subject_id": pa.int64(), "larger_subject_id": pa.int64(), "weight": pa.float64()},
    ),
}


def write_export(tx: sa.Connection, folder: Path, profile: Profile) -> int:
    """Write what `tx` sees into an empty folder that only its owner can open. Returns the number of
    records. Raises SparkError if the folder is not empty.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise SparkError(f"{folder} is not empty.", "Export into a new folder.")
    counts = {name: _write(tx, folder, name) for name in _FILES}
    # Written last: an export without a manifest is incomplete.
    manifest = {"format": _FORMAT, "profile": profile.id, "counts": counts}
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1))
    return counts["records"]


def _write(tx: sa.Connection, folder: Path, name: str) -> int:
    table, types = _FILES[name]
    schema = pa.schema([pa.field(column, kind) for column, kind in types.items()])
    if table is t.decision:
        statement = standing_decisions()
    else:
        statement = sa.select(*(table.c[column] for column in types)).order_by(
            *table.primary_key.columns
        )
    count = 0
    # Encrypted data has no repetition and cannot be compressed.
    with parquet.ParquetWriter(
        path_of(folder, name), schema, use_dictionary=False, compression="none"
    ) as writer:
        for rows in in_batches(tx, statement):
            columns = zip(*rows, strict=True)
            arrays = [
                pa.array(column, kind) for column, kind in zip(columns, types.values(), strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(rows)
    return count


def path_of(folder: Path, name: str) -> str:
    """Path of a table's file: records, subjects, decisions or doubts."""
    return str(folder / f"{name}.parquet")


def read_export(folder: Path, profile: Profile) -> Snapshot:
    """Read an export, without the encodings. Raises SparkError if the export is incomplete, or
    belongs to another profile or version.
    """
    try:
        manifest = json.loads((folder / _MANIFEST).read_text())
        if (manifest["format"], manifest["profile"]) != (_FORMAT, profile.id):
            raise SparkError(
                f"{folder} holds encodings of profile {manifest['profile']}, or was written by"
                " another version.",
                "Export again.",
            )
        subjects = _columns(folder, "subjects", "subject_id", "person_id")
        records = _columns(folder, "records", "record_id", "subject_id", "digest")
        decisions = _columns(folder, "decisions", *_FILES["decisions"][1])
        doubts = _columns(folder, "doubts", *_FILES["doubts"][1])
    except (OSError, ValueError, KeyError) as error:
        raise SparkError(
            f"{folder} is not a complete export ({type(error).__name__}).",
            "Export again: childlink-linker relink --export FOLDER",
        ) from None
    return Snapshot(
        subjects["subject_id"].to_numpy(),
        np.array(subjects["person_id"].fill_null("").cast(pa.binary()).to_numpy(), dtype="S16"),
        records["record_id"].to_numpy(),
        records["subject_id"].to_numpy(),
        _digests(records["digest"]),
        [Standing(**row) for row in decisions.to_pylist()],
        [tuple(row.values()) for row in doubts.to_pylist()],
    )


def _columns(folder: Path, name: str, *columns: str) -> Any:
    return parquet.read_table(path_of(folder, name), columns=list(columns)).combine_chunks()


def _digests(column: Any) -> np.ndarray:
    chunks = [
        np.frombuffer(chunk.buffers()[1], dtype=np.uint8).reshape(-1, 16) for chunk in column.chunks
    ]
    return np.concatenate([np.zeros((0, 16), dtype=np.uint8), *chunks])
