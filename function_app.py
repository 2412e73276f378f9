"""Registration only: the queue and timer functions of each room, the HTTP app, and what delivery delivers."""

import azure.functions as func

from ocs.catalogue import admin as catalogue_admin
from ocs.catalogue import triggers as catalogue
from ocs.delivery import kinds
from ocs.delivery import triggers as delivery
from ocs.events import admin as events_admin
from ocs.events import triggers as events
from ocs.events.report import EVENTS
from ocs.mapping import admin as mapping_admin
from ocs.openings import admin as openings_admin
from ocs.openings import triggers as openings
from ocs.positions import admin as positions_admin
from ocs.positions import triggers as positions
from ocs.positions.report import POSITIONS
from ocs.reconciliation import admin as reconciliation_admin
from ocs.reconciliation import triggers as reconciliation
from ocs.shipping import admin as shipping_admin
from ocs.shipping import triggers as shipping
from ocs.web import health
from ocs.web.app import blueprint, create_app

ROUTERS_BEHIND_THE_KEY = (events_admin.router,)
ROUTERS_OF_STAFF = (
    catalogue_admin.router,
    events_admin.staff_router,
    mapping_admin.router,
    openings_admin.router,
    positions_admin.router,
    reconciliation_admin.router,
    shipping_admin.router,
)
ROUTERS = (health.router,)

kinds.register(EVENTS)
kinds.register(POSITIONS)

app = func.FunctionApp()
app.register_functions(catalogue.bp)
app.register_functions(events.bp)
app.register_functions(delivery.bp)
app.register_functions(openings.bp)
app.register_functions(positions.bp)
app.register_functions(reconciliation.bp)
app.register_functions(shipping.bp)
app.register_functions(blueprint(create_app(ROUTERS_BEHIND_THE_KEY), create_app(ROUTERS_OF_STAFF), create_app(ROUTERS)))
