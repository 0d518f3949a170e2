"""finer keys to find candidates by, and encodings as fixed-width rows

Partners' next runs send every record again. Subjects, persons and families stay, so identifiers do
too.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _forget_records("token")
    op.drop_table("token")
    op.create_table(
        "block_key",
        sa.Column("key", _ID, nullable=False),
        sa.Column("record_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("key", "record_id"),
    )
    op.create_index(op.f("ix_block_key_record_id"), "block_key", ["record_id"])
    with op.batch_alter_table("record") as record:
        record.alter_column("encoding", comment="encrypted; see encodings.py")


def downgrade() -> None:
    _forget_records("block_key")
    with op.batch_alter_table("record") as record:
        record.alter_column(
            "encoding", comment="EncodedRecord, its tokens hashed again under the linker's key"
        )
    op.drop_table("block_key")
    op.create_table(
        "token",
        sa.Column("token", sa.LargeBinary(length=16), nullable=False),
        sa.Column("record_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("token", "record_id"),
    )
    op.create_index(op.f("ix_token_record_id"), "token", ["record_id"])


def _forget_records(keys: str) -> None:
    for table in ("review_pair", "carer", "edge", keys, "record"):
        op.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
