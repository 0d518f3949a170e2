"""Analytics' tables: observations, and the person of each reference. They hold no encodings, link
references or capsules.
"""

import json
from collections.abc import Mapping

import sqlalchemy as sa
from childlink_bus.audit import Audit
from childlink_bus.stream_state import StreamState

metadata = sa.MetaData()
stream_state = StreamState(metadata)
audit = Audit(metadata)

# The attribute half of one row of one partner.
observation = sa.Table(
    "observation",
    metadata,
    sa.Column("partner", sa.String(64), primary_key=True),
    sa.Column("row_reference", sa.LargeBinary(16), primary_key=True),
    sa.Column("dataset", sa.String(64), nullable=False, index=True),
    sa.Column("month", sa.String(7), nullable=False, comment="month of the event, YYYY-MM"),
    sa.Column("child_reference", sa.LargeBinary(16), nullable=True, index=True),
    sa.Column("adult_reference", sa.LargeBinary(16), nullable=True, index=True),
    sa.Column("attributes", sa.Text, nullable=False, comment="JSON object, keys sorted"),
)

# The person and family of a reference, from the linker. person NULL: withdrawn.
link = sa.Table(
    "link",
    metadata,
    sa.Column("partner", sa.String(64), primary_key=True),
    sa.Column("reference", sa.LargeBinary(16), primary_key=True),
    sa.Column("role", sa.SmallInteger, nullable=False),
    sa.Column("person", sa.LargeBinary(16), nullable=True),
    sa.Column("family", sa.LargeBinary(16), nullable=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column(
        "parameter_version",
        sa.String(64),
        nullable=False,
        server_default="",
        comment="of the match parameters",
    ),
)

# Two positions for each partner: how far its encodings had been sent when it sent its latest
# observations, and how far the linker has read them.
progress = sa.Table(
    "progress",
    metadata,
    sa.Column("partner", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True, comment="needed, linked"),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
)

# Traces of batches that no published release includes yet, if senders use tracing.
open_trace = sa.Table(
    "open_trace",
    metadata,
    sa.Column("traceparent", sa.String(55), primary_key=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
)

# Every release that was cut. It is a draft, then published, and may then be recalled. Names and
# numbers are never reused.
release = sa.Table(
    "release",
    metadata,
    sa.Column("release_id", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column(
        "state",
        sa.String(16),
        nullable=False,
        comment="draft, published, recalling, recalled, discarded",
    ),
    sa.Column("data_until", sa.String(10), nullable=False),
    sa.Column("content_sha256", sa.String(64), nullable=False),
    sa.Column("cut_by", sa.String(128), nullable=False),
    sa.Column("cut_at_ms", sa.BigInteger, nullable=False),
    sa.Column("published_by", sa.String(128), nullable=True),
    sa.Column("published_at_ms", sa.BigInteger, nullable=True),
    sa.Column("recall_asked_by", sa.String(128), nullable=True),
    sa.Column("recalled_by", sa.String(128), nullable=True),
    sa.Column("recall_why", sa.String(512), nullable=True),
)

# The true counts of a release's cells. A later release uses them to carry forward unchanged cells,
# and to be attacked together with this one. They never leave this database.
release_cells = sa.Table(
    "release_cells",
    metadata,
    sa.Column("release_id", sa.String(64), primary_key=True),
    sa.Column("population", sa.String(128), primary_key=True),
    sa.Column(
        "cells",
        sa.Text,
        nullable=False,
        comment="JSON: [[[column, category], ...], true, protected] of each cell",
    ),
)

Cells = Mapping[tuple[tuple[str, str], ...], int]


def to_json(counts: Cells, protected: Cells) -> str:
    """Encode the column `cells` of `release_cells`."""
    return json.dumps(
        [[cell, count, protected[cell]] for cell, count in sorted(counts.items())],
        separators=(",", ":"),
    )


def from_json(text: str) -> tuple[Cells, Cells]:
    """Decode true and protected counts by cell."""
    rows = [
        (tuple((column, category) for column, category in cell), *both)
        for cell, *both in json.loads(text)
    ]
    return {cell: true for cell, true, _ in rows}, {cell: protected for cell, _, protected in rows}
