"""Which schema this code was written for, and the refusal to work on another."""

import psycopg

from ocs.db.pool import Pool
from ocs.db.queries import load
from ocs.errors import SchemaBehind

SCHEMA_VERSION = "0003"
"""The newest migration; tests/rules compares it with the folder."""

SQL = load(__file__)


async def require_current(pool: Pool) -> None:
    """Raise SchemaBehind unless the database carries exactly this code's schema."""
    try:
        async with pool.transaction() as connection:
            row = await (await connection.execute(SQL["schema_version"])).fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    found = row["version_num"] if row else "none"
    if found != SCHEMA_VERSION:
        raise SchemaBehind(
            f"the database's schema is {found}, this version of ocs needs {SCHEMA_VERSION}: "
            "run `python -m ocs migrate` (it only ever goes forward) or deploy the matching version"
        )
