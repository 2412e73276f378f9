"""Migrations: once, whoever starts them; and the refusal to work on another schema."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest

from devstack.postgres import Postgres
from ocs.db.migrate import migrate
from ocs.db.schema import SCHEMA_VERSION, require_current
from ocs.errors import SchemaBehind
from ocs.runtime import Runtime


def test_two_migrators_at_once_do_it_once(postgres: Postgres) -> None:
    name = f"twice_{uuid4().hex}"
    url = postgres.create_database(name)
    with ThreadPoolExecutor(2) as both:
        list(both.map(migrate, [url, url]))
    with psycopg.connect(url) as connection:
        assert connection.execute("select version_num from alembic_version").fetchall() == [(SCHEMA_VERSION,)]
    postgres.drop_database(name)


async def test_a_schema_that_is_behind_is_refused_with_what_to_do(runtime: Runtime) -> None:
    async with runtime.pool.transaction() as connection:
        await connection.execute("update alembic_version set version_num = '0000'")
    with pytest.raises(SchemaBehind, match=r"is 0000.*python -m ocs migrate"):
        await require_current(runtime.pool)


async def test_an_empty_database_is_refused_with_what_to_do(runtime: Runtime) -> None:
    async with runtime.pool.transaction() as connection:
        await connection.execute("drop table alembic_version")
    with pytest.raises(SchemaBehind, match=r"is none.*python -m ocs migrate"):
        await require_current(runtime.pool)
