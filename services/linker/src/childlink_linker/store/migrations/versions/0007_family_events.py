"""what happens to families is an event, too; those that there are begin with one"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OLD = "assigned, withdrawn"


def upgrade() -> None:
    with op.batch_alter_table("event") as event:
        event.alter_column("subject_id", existing_type=_ID, nullable=True)
        event.alter_column("kind", comment="assigned, withdrawn, family, anchored, ended")
        event.add_column(sa.Column("family_id", sa.String(length=16), nullable=True))
        event.create_index(op.f("ix_event_family_id"), ["family_id"])
    op.execute(
        "INSERT INTO event (at_ms, kind, person_id, family_id) SELECT 0, 'anchored',"
        " anchor_person_id, family_id FROM family"
    )
    op.execute(
        "INSERT INTO event (at_ms, kind, person_id, family_id) "
        "SELECT 0, 'family', person_id, family_id FROM person WHERE family_id IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DELETE FROM event WHERE subject_id IS NULL")
    with op.batch_alter_table("event") as event:
        event.drop_index(op.f("ix_event_family_id"))
        event.drop_column("family_id")
        event.alter_column("kind", comment=_OLD)
        event.alter_column("subject_id", existing_type=_ID, nullable=False)
