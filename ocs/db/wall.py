"""The second wall between tenants: while staff are served, Postgres itself shows only their tenants' rows.

The first wall is the WHERE of each query. Should one be forgotten, row-level security still hides the rows: inside the
wall every transaction runs as the role `ocs_staff`, and the policies look at the setting `ocs.tenants`.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

EVERY_TENANT = "*"

_tenants: ContextVar[str | None] = ContextVar("ocs_tenants", default=None)


@contextmanager
def behind_the_wall(tenants: Collection[UUID] | None) -> Iterator[None]:
    """Show only these tenants' rows (None: all) to every transaction that begins inside the block."""
    shown = EVERY_TENANT if tenants is None else "{" + ",".join(sorted(map(str, tenants))) + "}"
    before = _tenants.set(shown)
    try:
        yield
    finally:
        _tenants.reset(before)


def shown_tenants() -> str | None:
    """Give what `ocs.tenants` must be in a transaction that begins now; None outside the wall: the app's own work."""
    return _tenants.get()
