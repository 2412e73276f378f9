"""The commands that look: status, and why a line is not there yet."""

from collections.abc import Sequence
from uuid import UUID

from ocs.casework.line import why_of
from ocs.cli.command import CRSA, Answer, Call, Command, argument
from ocs.cli.show import age, cell, said, share, table
from ocs.status.figures import ConnectionFigures, Totals
from ocs.status.overview import JudgedStore, Overview, overview_of
from ocs.status.verdict import Answer as Judged
from ocs.tenants.reach import store_in_reach, tenant_in_reach

WORST_FIRST = tuple(reversed(Judged))


async def _status(call: Call) -> Answer:
    """Tell whether a retailer's stores, or all, are compliant now, with the reasons and each store's figures."""
    own = await call.runtime()
    async with own.pool.transaction() as connection:
        crol = call.args.crol
        tenants = None if crol is None else [await tenant_in_reach(connection, call.act.caller, crol)]
        whole = await overview_of(connection, tenants, own.now())
    not_yes = call.args.check and whole.verdict.answer is not Judged.YES
    return Answer(_data(whole), _text(whole), exit_code=1 if not_yes else 0)


def _data(whole: Overview) -> dict[str, object]:
    return {name: getattr(whole, name) for name in ("at", "verdict", "totals", "connections", "stores")}


def _text(whole: Overview) -> str:
    reasons = [f"  {reason.answer}: {reason.text}" for reason in whole.verdict.reasons]
    parts = [
        "\n".join([f"Compliant now?  {whole.verdict.answer}", *reasons]),
        _totals(whole.totals),
        _connections(whole.connections),
        _stores(whole.stores),
    ]
    return "\n\n".join(parts)


def _totals(totals: Totals) -> str:
    latency, covered = totals.latency, totals.coverage
    within = f"half within {age(latency.p50_seconds)}, 95 % within {age(latency.p95_seconds)}"
    now = [
        f"{totals.pending} on their way (the oldest for {age(totals.oldest_unsent_seconds)})",
        f"{totals.parked} parked",
        f"{totals.dead_letters} dead letters",
        f"{totals.alerts} alerts",
    ]
    nights = [
        f"{covered.accepted} of {totals.switched_on} positions accepted",
        f"{covered.under_way} under way",
        f"{covered.refused} refused",
        f"{covered.not_made} not made",
    ]
    lines = {
        "today": f"{totals.taken_in} lines taken in, {totals.accepted} accepted",
        "now": ", ".join(now),
        "last night": ", ".join(nights),
        "calls": f"{share(totals.last_hour.rate)} accepted in the last hour, {share(totals.last_day.rate)} in a day",
        "latency": f"{within}, of the {latency.lines} lines accepted in the last hour",
    }
    return "\n".join(f"{head:<10}  {text}" for head, text in lines.items())


def _connections(connections: Sequence[ConnectionFigures]) -> str:
    heads = ("connection", "environment", "credentials", "last good use", "refused since", "breaker", "no call before")
    return table(
        heads,
        [
            (
                one.name,
                one.environment,
                said(one.credentials),
                one.last_good_use,
                one.refused_since,
                one.breaker,
                one.until,
            )
            for one in connections
        ],
    )


def _stores(stores: Sequence[JudgedStore]) -> str:
    """List the stores, the worst answers first."""
    heads = (
        "store",
        "compliant",
        "last night",
        "taken in",
        "accepted",
        "waiting",
        "oldest",
        "parked",
        "alerts",
        "name",
    )
    ranked = sorted(stores, key=lambda one: WORST_FIRST.index(one.verdict.answer))
    return table(
        heads,
        [
            (
                one.figures.crsa,
                one.verdict.answer.value,
                said(one.figures.night),
                one.figures.taken_in,
                one.figures.accepted,
                one.figures.pending,
                age(one.figures.oldest_unsent_seconds),
                one.figures.parked,
                one.figures.alerts,
                one.figures.name,
            )
            for one in ranked
        ],
    )


async def _why(call: Call) -> Answer:
    """Say why a line is not at the platform yet, and what would mend it."""
    own = await call.runtime()
    async with own.pool.transaction() as connection:
        store = await store_in_reach(connection, call.act.caller, call.args.crsa)
        answer = await why_of(connection, store, call.args.line_id)
    until = "" if answer.fix.until is None else f" Until {cell(answer.fix.until)}."
    return Answer(answer, f"{said(answer.cause)}: {cell(answer.says)}\nWhat mends it: {answer.fix.says}{until}")


COMMANDS = (
    Command(
        "status",
        _status,
        (
            argument("crol", metavar="CROL", nargs="?", help="the retailer; all without it"),
            argument("--check", action="store_true", help="exit code 1 unless the answer is yes"),
        ),
        ("status", "status CROL1000001", "status --check --json"),
    ),
    Command(
        "why",
        _why,
        (CRSA, argument("line_id", metavar="LINE_ID", type=UUID, help="the id under which the line is reported")),
        ("why CRSA1000001 5f0b2c1e-6d2e-4a3c-9a51-0c5a2b7d9e10",),
    ),
)
