"""Alembic's entry: runs the versions on the connection that `idp.migrations` holds."""

from alembic import context

from idp.db import all_metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=all_metadata(),
    compare_type=True,
    render_as_batch=True,
    transaction_per_migration=False,
    transactional_ddl=False,  # the caller's transaction holds everything
)
context.run_migrations()
