"""Alembic's entry point: runs the migrations on the connection that
`childlink_bus.database.migrate` passes.
"""

from alembic import context
from childlink_analytics.releasing.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
