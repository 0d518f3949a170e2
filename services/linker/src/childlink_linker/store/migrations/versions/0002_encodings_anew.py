"""encodings anew: those of profiles before cl-2026c cannot be compared with it, and were not
encrypted

Partners' next runs send every record again. Subjects, persons and families stay, so identifiers do
too.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _forget_records()


def downgrade() -> None:
    _forget_records()


def _forget_records() -> None:
    for table in ("review_pair", "carer", "edge", "token", "record"):
        op.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
