"""Measures the staff's routes over HTTP with little and with much history behind them, in one run."""

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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
SECONDS_A_ROUTE = 40.0
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


@dataclass(frozen=True)
class _Ready:
    """A database with a past in it, what is asked about it, and how its routes are planned."""

    past: Past
    made: Made
    url: str
    drawn: list[Sample]
    plans: list[Plans]


def run(lines: int, stores: int, asks: int) -> list[Sight]:
    """Measure with a tenth of the history and with all of it, and keep the results; raises BenchError."""
    tenants = max(1, stores // STORES_A_TENANT)
    pasts = [Past(lines // part, stores, tenants, max(1, DAYS // part)) for part in (MORE_HISTORY, 1)]
    with Stack(FOLDER, parts=PARTS) as stack:
        os.environ.update(stack.app_env())
        both = [_make_ready(stack, past, asks) for past in pasts]
        sights = _look(stack, both)
    keep("staff", {"sights": [asdict(sight) for sight in sights]})
    return sights


def _make_ready(stack: Stack, past: Past, asks: int) -> _Ready:
    url = stack.postgres.create_database(f"past_{past.lines}")
    migrate(url)
    made = make_past(url.replace("//ocs:", "//postgres:"), past)
    _let_in(url)
    drawn = samples(url, asks)
    return _Ready(past, made, url, drawn, plans_of(url, ROUTES, drawn[0]))


def _look(stack: Stack, both: list[_Ready]) -> list[Sight]:
    """Ask about both in turn, so that whatever else the machine does falls on each of them alike."""
    with ExitStack() as hosts:
        started = [hosts.enter_context(_host(stack, one.url, f"host-{one.past.lines}")) for one in both]
        asked = [_ask(stack, started, both, route) for route in ROUTES]
    return [
        Sight(one.past, one.made, [of_route[number] for of_route in asked], one.plans)
        for number, one in enumerate(both)
    ]


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


def _ask(stack: Stack, hosts: list[Host], both: list[_Ready], route: Route) -> list[Asked]:
    """Ask each host for a route, in turn, until it was asked often enough; gives what each took."""
    progress(f"asking for {route.name}")
    token = httpx.get(f"{stack.sign_in.control}/tokens/super-admin", timeout=10).raise_for_status().text
    milliseconds: list[list[float]] = [[] for _ in hosts]
    began = time.monotonic()
    with ExitStack() as opened:
        headers = {"Authorization": f"Bearer {token}"}
        clients = [
            opened.enter_context(httpx.Client(base_url=host.url, headers=headers, timeout=300)) for host in hosts
        ]
        for asked in zip(*(one.drawn[-WARM_UP:] + one.drawn for one in both), strict=True):
            for client, sample, taken in zip(clients, asked, milliseconds, strict=True):
                taken.append(_timed(client, route, sample))
            if len(milliseconds[0]) > 2 * WARM_UP and time.monotonic() - began > SECONDS_A_ROUTE:
                break
    warm = [taken[WARM_UP:] for taken in milliseconds]
    return [Asked(route.name, len(taken), statistics.median(taken), percentile(taken, 0.95)) for taken in warm]


def _timed(client: httpx.Client, route: Route, sample: Sample) -> float:
    before = time.perf_counter()
    reply = client.get(route.path(sample))
    taken = 1000 * (time.perf_counter() - before)
    if reply.status_code != httpx.codes.OK:
        raise BenchError(f"{route.name} answered {reply.status_code}: {reply.text[:300]}")
    return taken
