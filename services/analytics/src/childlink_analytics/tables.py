"""Analytics' tables. No encoding, no link reference, no capsule: observations, and which reference is which person."""

import sqlalchemy as sa
from childlink_bus.ledger import Ledger

metadata = sa.MetaData()
ledger = Ledger(metadata)

# The attribute half of one row of one partner.
observation = sa.Table(
    "observation", metadata,
    sa.Column("partner", sa.String(64), primary_key=True),
    sa.Column("row_reference", sa.LargeBinary(16), primary_key=True),
    sa.Column("dataset", sa.String(64), nullable=False, index=True),
    sa.Column("month", sa.String(7), nullable=False, comment="month of the event, YYYY-MM"),
    sa.Column("child_reference", sa.LargeBinary(16), nullable=True, index=True),
    sa.Column("adult_reference", sa.LargeBinary(16), nullable=True, index=True),
    sa.Column("attributes", sa.Text, nullable=False, comment="JSON object, keys sorted"),
)  # fmt: skip

# Which person and family a reference belongs to, as the linker says. person NULL: withdrawn.
link = sa.Table(
    "link", metadata,
    sa.Column("partner", sa.String(64), primary_key=True),
    sa.Column("reference", sa.LargeBinary(16), primary_key=True),
    sa.Column("role", sa.SmallInteger, nullable=False),
    sa.Column("person", sa.LargeBinary(16), nullable=True),
    sa.Column("family", sa.LargeBinary(16), nullable=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("parameter_version", sa.String(64), nullable=False, server_default="", comment="of the match parameters"),
)  # fmt: skip

# How far each partner's encodings had got when its latest observations were sent, and how far the linker says it has read them.
progress = sa.Table(
    "progress", metadata,
    sa.Column("partner", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True, comment="needed, linked"),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
)  # fmt: skip
