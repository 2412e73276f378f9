"""Registration only: queue and timer functions, sweeps, the HTTP app by who may call, and what delivery delivers."""

from functools import partial

import azure.functions as func

from ocs.catalogue import admin as catalogue_admin
from ocs.catalogue import sync
from ocs.catalogue import triggers as catalogue
from ocs.dead_letters import doors
from ocs.delivery import kinds, sender
from ocs.delivery import triggers as delivery
from ocs.events import admin as events_admin
from ocs.events import ingest, release, report
from ocs.events import triggers as events
from ocs.mapping import admin as mapping_admin
from ocs.openings import admin as openings_admin
from ocs.openings import messages
from ocs.openings import triggers as openings
from ocs.positions import admin as positions_admin
from ocs.positions import backfill
from ocs.positions import report as positions_report
from ocs.positions import triggers as positions
from ocs.reconciliation import admin as reconciliation_admin
from ocs.reconciliation import read_back
from ocs.shipping import admin as shipping_admin
from ocs.shipping import differences, fetch, put
from ocs.shipping import triggers as shipping
from ocs.sweeps import triggers as sweeps
from ocs.sweeps.run import Sweep
from ocs.web import health
from ocs.web.app import blueprint

STAFFED = (catalogue_admin, mapping_admin, openings_admin, positions_admin, reconciliation_admin, shipping_admin)
ROUTERS_OF_STAFF = (events_admin.staff_router, *(room.router for room in STAFFED))
ROUTERS = (health.router, events_admin.router, *ROUTERS_OF_STAFF)
QUICK: dict[str, Sweep] = {
    "deliveries": sender.sweep,
    "dead transactions": partial(doors.redrive_due, door=ingest.TRANSACTIONS),
    "dead inventories": partial(doors.redrive_due, door=messages.INVENTORIES),
    "mapped lines": release.release_mapped,
    "backfills": backfill.run_backfills,
    "receipts": put.put_receipts,
    "shipments": differences.reconcile,
}
SLOW: dict[str, Sweep] = {
    "catalogues": sync.run_syncs,
    "shipping notices": fetch.fetch_due,
    "read-backs": read_back.run_read_backs,
}

kinds.register(report.EVENTS)
kinds.register(positions_report.POSITIONS)

app = func.FunctionApp()
for room in (catalogue, delivery, events, openings, positions, shipping):
    app.register_functions(room.bp)
app.register_functions(sweeps.blueprint(QUICK, SLOW))
app.register_functions(blueprint(ROUTERS))
