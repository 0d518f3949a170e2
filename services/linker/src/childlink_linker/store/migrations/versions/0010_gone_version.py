"""the greatest link version of those who are gone is remembered"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# Of those who are gone already nobody knows the version. It was the time of their arrival and one
# more for each event since, so it was no greater than the latest time and the number of all events.
_BOUND = sa.text(
    "INSERT INTO gone_version (version) SELECT max(at_ms) + count(*) FROM event HAVING count(*) > 0"
)


def upgrade() -> None:
    op.create_table(
        "gone_version",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.execute(_BOUND)


def downgrade() -> None:
    op.drop_table("gone_version")
