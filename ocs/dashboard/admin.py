"""The routers of the page, for whoever serves them; none of them is in the API's description."""

from ocs.dashboard import static
from ocs.dashboard.views import alerts, audit, credentials, letters, lines, mappings, overview, store

VIEWS = (overview, store, lines, letters, mappings, alerts, credentials, audit)
ROUTERS = (static.router, *(view.router for view in VIEWS))
