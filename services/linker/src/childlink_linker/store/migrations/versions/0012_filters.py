"""encodings anew: profile cl-2026e carries Bloom filters

Partners' next runs send every record again. Subjects, persons and families stay, so identifiers do
too.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _forget_records()


def downgrade() -> None:
    _forget_records()


def _forget_records() -> None:
    for table in ("review_pair", "carer", "edge", "block_key", "record"):
        op.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
