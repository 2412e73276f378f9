"""Staff: sign-in and grants, audit, alerts, credentials, casework, status, and row-level security: one file a room."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run the rooms' files in the order of their numbers."""
    for file in sorted(Path(__file__).with_name("v0003").glob("*.sql")):
        # The driver looks for parameters behind per cent signs, which format() in Postgres uses too.
        op.get_bind().exec_driver_sql(file.read_text(encoding="utf-8").replace("%", "%%"))
