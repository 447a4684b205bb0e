"""Run migrations on the connection that the ledger passes in."""

from alembic import context

from node.ledger.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()
