"""No route of staff makes a number of queries that grows with rows: the bench's own past, small, and its own count."""

import psycopg
import pytest

from bench.staff.history import Past, make_past
from bench.staff.plans import plans_of
from bench.staff.routes import ROUTES, samples

PAST = Past(lines=6000, stores=30, tenants=3, days=5, items=20)


@pytest.fixture
def past(database_url: str) -> str:
    """Give a database with some history in it."""
    make_past(database_url.replace("//ocs:", "//postgres:"), PAST)
    return database_url


def test_the_past_is_one_that_the_app_could_have_left(past: str) -> None:
    """Every store's numbers without a gap, every accepted line in its batch, and sales until a moment ago."""
    with psycopg.connect(past) as connection:

        def value(query: str) -> object:
            row = connection.execute(query.encode()).fetchone()
            return None if row is None else row[0]

        gapless = (
            "select bool_and(lines = last and first = 1) from "
            "(select count(*) as lines, max(sequence) as last, min(sequence) as first "
            "from event_lines group by store_id)"
        )
        assert value(gapless)
        assert value("select count(*) from event_lines") == PAST.lines
        lost = (
            "select count(*) from outbox o left join delivery_batches b on b.batch_id = o.batch_id "
            "and b.store_id = o.store_id and o.sequence between b.first_sequence and b.last_sequence "
            "where o.state = 'accepted' and b.batch_id is null"
        )
        assert value(lost) == 0
        assert value("select max(recorded_at) > now() - interval '10 min' from event_lines")
        dropped = (
            "select count(*) from pg_constraint where conrelid = 'event_lines'::regclass and contype in ('p', 'u')"
        )
        assert value(dropped) == 2, "what was left out while the rows were made is there again"


@pytest.mark.usefixtures("settings")
def test_every_route_answers_with_a_fixed_number_of_queries(past: str) -> None:
    """A page of a hundred rows makes as many queries as one of five; plans_of raises where it does not."""
    found = plans_of(past, ROUTES, samples(past, 20)[0])
    assert [plans.name for plans in found] == [route.name for route in ROUTES]
    assert {plans.name: plans.queries for plans in found if not 1 <= plans.queries <= 20} == {}


@pytest.mark.usefixtures("settings")
def test_a_plan_that_reads_a_whole_table_is_seen(past: str) -> None:
    """The newest calls in the audit, once their index is gone: the proof that the bench would tell."""
    (route,) = (route for route in ROUTES if route.name == "audit, newest")
    (one,) = samples(past, 1)
    (before,) = plans_of(past, (route,), one)
    with psycopg.connect(past) as connection:
        connection.execute("drop index audit_calls_at")
    (after,) = plans_of(past, (route,), one)
    assert [read.partition(" ")[0] for read in (*before.whole_reads, *after.whole_reads)] == ["audit_calls"]
