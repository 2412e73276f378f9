"""Measures the staff's routes over HTTP with little and with much history behind them, in one run."""

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import httpx
import psycopg

from bench.report import keep, percentile
from bench.scene.ground import FOLDER, BenchError, progress
from bench.staff.history import Made, Past, make_past
from bench.staff.plans import Plans, plans_of
from bench.staff.routes import ROUTES, Route, Sample, samples
from devstack.sign_in.people import PEOPLE
from devstack.stack import Host, Stack
from ocs.db.migrate import migrate

PARTS = ("azurite", "vault", "sign_in", "postgres")
NEVER = "0 0 0 1 1 *"
SCHEDULES = ("SWEEP", "POSITIONS", "CATALOGUE", "SHIPPING", "ALERTS")
WARM_UP = 3
SECONDS_A_ROUTE = 20.0
"""After so long a slow route has been asked often enough."""
MORE_HISTORY = 10
STORES_A_TENANT = 30
DAYS = 90


@dataclass(frozen=True)
class Asked:
    """One route, asked many times: milliseconds of the median and of the slowest one in twenty."""

    name: str
    times: int
    p50: float
    p95: float


@dataclass(frozen=True)
class Sight:
    """What staff see with so much behind them."""

    past: Past
    made: Made
    asked: list[Asked]
    plans: list[Plans]


def run(lines: int, stores: int, asks: int) -> list[Sight]:
    """Measure with a tenth of the history and with all of it, and keep the results; raises BenchError."""
    tenants = max(1, stores // STORES_A_TENANT)
    pasts = [Past(lines // part, stores, tenants, max(1, DAYS // part)) for part in (MORE_HISTORY, 1)]
    with Stack(FOLDER, parts=PARTS) as stack:
        os.environ.update(stack.app_env())
        sights = [_sight(stack, past, asks) for past in pasts]
    keep("staff", {"sights": [asdict(sight) for sight in sights]})
    return sights


def _sight(stack: Stack, past: Past, asks: int) -> Sight:
    name = f"past_{past.lines}"
    url = stack.postgres.create_database(name)
    try:
        migrate(url)
        made = make_past(url.replace("//ocs:", "//postgres:"), past)
        _let_in(url)
        drawn = samples(url, asks)
        plans = plans_of(url, ROUTES, drawn[0])
        with _host(stack, url, name) as host:
            asked = _ask_all(stack, host, drawn)
    finally:
        stack.postgres.drop_database(name)
    return Sight(past, made, asked, plans)


def _let_in(url: str) -> None:
    """Grant the sign-in's super admin what the name says."""
    subject = next(person.oid for person in PEOPLE if person.key == "super-admin")
    with psycopg.connect(url) as connection:
        query = "insert into grants (subject, role, name, granted_by) values (%s, 'super-admin', 'bench', 'bench')"
        connection.execute(query, (subject,))


@contextmanager
def _host(stack: Stack, url: str, name: str) -> Iterator[Host]:
    """Run a host on the database whose timers never tick: what waits there is looked at and not sent."""
    quiet = {f"OCS_{name}_SCHEDULE": NEVER for name in SCHEDULES}
    limits = {"OCS_DATABASE_URL": url, "OCS_STAFF_REQUESTS_PER_MINUTE": "1000000"}
    host = stack.start_host(quiet | limits, name)
    try:
        yield host
    finally:
        host.stop()


def _ask_all(stack: Stack, host: Host, drawn: list[Sample]) -> list[Asked]:
    found = []
    for route in ROUTES:
        progress(f"asking for {route.name}")
        token = httpx.get(f"{stack.sign_in.control}/tokens/super-admin", timeout=10).raise_for_status().text
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=host.url, headers=headers, timeout=300) as client:
            found.append(_ask(client, route, drawn))
    return found


def _ask(client: httpx.Client, route: Route, drawn: list[Sample]) -> Asked:
    milliseconds = []
    began = time.monotonic()
    for number, sample in enumerate([*drawn[-WARM_UP:], *drawn]):
        before = time.perf_counter()
        reply = client.get(route.path(sample))
        taken = 1000 * (time.perf_counter() - before)
        if reply.status_code != httpx.codes.OK:
            raise BenchError(f"{route.name} answered {reply.status_code}: {reply.text[:300]}")
        if number >= WARM_UP:
            milliseconds.append(taken)
        if len(milliseconds) > WARM_UP and time.monotonic() - began > SECONDS_A_ROUTE:
            break
    return Asked(route.name, len(milliseconds), statistics.median(milliseconds), percentile(milliseconds, 0.95))
