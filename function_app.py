"""Registration only: queue and timer functions, sweeps, the HTTP app, and what delivery delivers."""

from functools import partial

import azure.functions as func

from ocs.access import idempotency
from ocs.alerts import admin as alerts_admin, deliver, heartbeats, rules
from ocs.audit import admin as audit_admin, calls, retention
from ocs.casework import admin as casework_admin, jobs
from ocs.catalogue import admin as catalogue_admin, sync, triggers as catalogue
from ocs.dashboard import admin as page
from ocs.dead_letters import admin as letters_admin, doors
from ocs.delivery import batches, kinds, sender, triggers as delivery
from ocs.events import admin as events_admin, ingest, release, report as events_report, triggers as events
from ocs.mapping import admin as mapping_admin
from ocs.onboarding import admin as onboarding_admin
from ocs.openings import admin as openings_admin, messages, triggers as openings
from ocs.pos import admin as pos_admin
from ocs.positions import admin as positions_admin, backfill, freeze, report as positions_report, triggers as positions
from ocs.reconciliation import admin as reconciliation_admin, read_back
from ocs.shipping import admin as shipping_admin, differences, fetch, put, triggers as shipping
from ocs.status import admin as status_admin, metrics
from ocs.sweeps import triggers as sweeps
from ocs.web import app as web, health

STAFFED = (catalogue_admin, mapping_admin, openings_admin, positions_admin, reconciliation_admin, shipping_admin,
           alerts_admin, audit_admin, casework_admin, letters_admin, pos_admin, status_admin)  # fmt: skip
ROUTERS = (health.router, events_admin.router, events_admin.staff_router, *(room.router for room in STAFFED),
           *onboarding_admin.ROUTERS, *page.ROUTERS)  # fmt: skip
SUBMISSIONS = (retention.Retire("batches", batches.retire), retention.Retire("snapshots", freeze.retire))
QUICK: sweeps.Sweeps = {
    "heartbeat": partial(heartbeats.tick, timer="sweep"),
    "deliveries": sender.sweep,
    "dead transactions": partial(doors.redrive_due, door=ingest.TRANSACTIONS),
    "dead inventories": partial(doors.redrive_due, door=messages.INVENTORIES),
    "mapped lines": release.release_mapped,
    "backfills": backfill.run_backfills,
    "receipts": put.put_receipts,
    "shipments": differences.reconcile,
    "retries": jobs.run_jobs,
    "audit": calls.seal,
}
SLOW: sweeps.Sweeps = {
    "heartbeat": partial(heartbeats.tick, timer="read_platform"),
    "catalogues": sync.run_syncs,
    "shipping notices": fetch.fetch_due,
    "read-backs": read_back.run_read_backs,
    "old answers": idempotency.forget_old_keys,
    "retention": partial(retention.retire, submissions=SUBMISSIONS),
}
WATCHING: sweeps.Sweeps = {"alerts": rules.evaluate, "notifications": deliver.deliver, "metrics": metrics.measure}

kinds.register(events_report.EVENTS, positions_report.POSITIONS)
doors.register(ingest.TRANSACTIONS, messages.INVENTORIES)
app = func.FunctionApp()
for room in (catalogue, delivery, events, openings, positions, shipping):
    app.register_functions(room.bp)
app.register_functions(sweeps.blueprint(QUICK, SLOW, WATCHING))
app.register_functions(web.blueprint(ROUTERS))
