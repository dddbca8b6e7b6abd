"""Schema changes, in the order of their dated file names (Alembic)."""
