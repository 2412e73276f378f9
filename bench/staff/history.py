"""Makes a past: tenants, stores and months of sales that were taken in, sent and accepted, in a fresh database.

Postgres makes the rows itself, in the order of time as the app would have, so that a store's lines lie scattered over
the table. What the tables check of each other is left out meanwhile, and indexes are made at the end.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from bench.scene.ground import progress

STATEMENTS = Path(__file__).with_name("history.sql")
BIG = ("event_lines", "outbox", "event_messages", "delivery_batches", "delivery_attempts", "audit_calls", "snapshots")
"""The tables that grow with history."""
LINES_A_SALE, SALES_A_BATCH = 2, 3
MEMORY = "512MB"
INDEXES: LiteralString = """
select i.indexrelid::regclass::text as name,
       case when c.oid is null then format('drop index %%s', i.indexrelid::regclass)
            else format('alter table %%s drop constraint %%I', i.indrelid::regclass, c.conname) end as dropped,
       case when c.oid is null then pg_get_indexdef(i.indexrelid)
            else format('alter table %%s add constraint %%I %%s', i.indrelid::regclass, c.conname,
                        pg_get_constraintdef(c.oid)) end as made
  from pg_index i
  left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('p', 'u')
 where i.indrelid = any(%(tables)s::regclass[])
   and not exists (select from pg_constraint f where f.conindid = i.indexrelid and f.contype = 'f')
"""


@dataclass(frozen=True)
class Past:
    """How much there is behind the stores; one in ten sells five times as much as most others do."""

    lines: int
    stores: int
    tenants: int
    days: int
    items: int = 400
    """Lines of a position."""

    @property
    def words(self) -> dict[str, int]:
        """The numbers by the names that the statements know them by."""
        return {
            "sales": self.lines // LINES_A_SALE,
            "stores": self.stores,
            "tenants": self.tenants,
            "days": self.days,
            "items": self.items,
            "batch": SALES_A_BATCH,
        }


@dataclass(frozen=True)
class Made:
    """What was made: rows by table, and the seconds that it took."""

    rows: dict[str, int]
    seconds: float


def make_past(url: str, past: Past) -> Made:
    """Fill a migrated and otherwise empty database; `url` is a superuser's, who may leave the checks out."""
    began = time.monotonic()
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("set synchronous_commit = off")
        connection.execute(sql.SQL("set maintenance_work_mem = {}").format(MEMORY))
        connection.execute(sql.SQL("set work_mem = {}").format(MEMORY))
        with _indexes_later(connection):
            for what, statement in _statements():
                progress(f"{past.lines:,} lines: {what}")
                connection.execute(statement, past.words)
        for table in BIG:
            progress(f"{past.lines:,} lines: looking {table} over")
            connection.execute(sql.SQL("vacuum (analyze) {}").format(sql.Identifier(table)))
        connection.execute("analyze")
        rows = {table: _count(connection, table) for table in BIG}
    return Made(rows, time.monotonic() - began)


def _statements() -> Iterator[tuple[str, LiteralString]]:
    """Give the statements of history.sql, each with what it makes."""
    for piece in STATEMENTS.read_text(encoding="utf-8").split("-- makes: ")[1:]:
        what, _, statement = piece.partition("\n")
        yield what, statement


@contextmanager
def _indexes_later(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Drop the big tables' indexes for the block, but those that other tables lean on; make them again at its end.

    Many rows are sorted into a new index in a fraction of the time that they take one by one.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        indexes = cursor.execute(INDEXES, {"tables": list(BIG)}).fetchall()
    for index in indexes:
        connection.execute(cast("LiteralString", index["dropped"]))
    yield
    for index in indexes:
        progress(f"making the index {index['name']}")
        connection.execute(cast("LiteralString", index["made"]))  # as Postgres itself wrote it


def _count(connection: psycopg.Connection[Any], table: str) -> int:
    row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table))).fetchone()
    return 0 if row is None else int(row[0])
