"""Links know the parameters that made them; a cut knows whether the links of its observations have
come.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("link") as link:
        link.add_column(
            sa.Column(
                "parameter_version",
                sa.String(length=64),
                nullable=False,
                server_default="",
                comment="of the match parameters",
            )
        )
    op.create_table(
        "progress",
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="needed, linked"),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("partner", "kind"),
    )


def downgrade() -> None:
    op.drop_table("progress")
    with op.batch_alter_table("link") as link:
        link.drop_column("parameter_version")
