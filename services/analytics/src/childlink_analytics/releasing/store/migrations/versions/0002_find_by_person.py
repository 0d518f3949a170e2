"""Observations are found by the people they are about, so that withdrawals do not read the whole
table.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        op.f("ix_observation_child_reference"), "observation", ["child_reference"], unique=False
    )
    op.create_index(
        op.f("ix_observation_adult_reference"), "observation", ["adult_reference"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_observation_adult_reference"), table_name="observation")
    op.drop_index(op.f("ix_observation_child_reference"), table_name="observation")
