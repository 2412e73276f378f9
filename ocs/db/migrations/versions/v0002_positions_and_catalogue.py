"""Positions, the levels of every moment, the item catalogue, shipping notices and reading back: one file a room."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Run the rooms' files in the order of their numbers."""
    for file in sorted(Path(__file__).with_name("v0002").glob("*.sql")):
        op.get_bind().exec_driver_sql(file.read_text(encoding="utf-8"))
