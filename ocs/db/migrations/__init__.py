"""The migrations, run by Alembic; forward only."""
