"""The routers of the page, for whoever serves them; none of them is in the API's description."""

from ocs.dashboard import static
from ocs.dashboard.views import overview

ROUTERS = (static.router, overview.router)
