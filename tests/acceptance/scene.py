"""What acceptance tests do and look at: a tenant's POS, the regulator's control door, and the app's own record."""

import json
import secrets
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import psycopg
from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient
from psycopg.rows import dict_row

from devstack.sign_in.people import PEOPLE
from devstack.stack import Host, Stack
from ocs.access import grants
from ocs.audit.acts import Act
from ocs.db.pool import Connection
from ocs.pos.keys import make_key
from ocs.runtime import Runtime, assemble
from ocs.settings import Settings
from ocs.tenants.onboard import DescribedTenant, onboard
from ocs.tenants.read import tenant_of
from ocs.web.roles import Role

SKU, UPC = "101955_3.5g___", "00708762000695"
PATIENCE = 60.0
"""Seconds until a test gives up waiting; nothing here takes a third of it on a calm machine."""
API_VERSION = "2025-07-05"
Found = TypeVar("Found")


def eventually(look: Callable[[], Found], what: str, patience: float = PATIENCE) -> Found:
    """Look again and again until something true is seen; fails with `what` and the last sight when patience ends."""
    deadline = time.monotonic() + patience
    while not (seen := look()):
        assert time.monotonic() < deadline, f"never saw that {what}; last saw {seen!r}"
        time.sleep(0.1)
    return seen


@dataclass
class Scene:
    """One test's tenant with two stores."""

    stack: Stack
    host: Host
    number: int
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    hash_keys: dict[str, str] = field(default_factory=dict)
    pos_key: str = ""

    def __post_init__(self) -> None:
        """Name the tenant and its stores by the test's number."""
        self.crol = f"CROL{self.number:07d}"
        self.first, self.second = f"CRSA{self.number * 10:07d}", f"CRSA{self.number * 10 + 1:07d}"
        self.stores = (self.first, self.second)
        self.hash_keys = {crsa: secrets.token_hex(32) for crsa in self.stores}
        self.control = httpx.Client(base_url=f"{self.stack.regulator_url}/_control", timeout=10)
        self.queue = QueueClient.from_connection_string(
            self.stack.azurite.connection_string, "pos-transactions", api_version=API_VERSION
        )

    async def arrange(self) -> None:
        """Make the tenant known on both sides."""
        self.tell_client(self.client_secret)
        for crsa, key in self.hash_keys.items():
            self.tell_store(crsa, key)
        own = assemble(Settings())
        try:
            await own.vault.store(f"client-{self.number}", self.client_secret)
            for crsa, key in self.hash_keys.items():
                await own.vault.store(f"hash-{crsa.lower()}", key)
            await own.pool.open()
            async with own.pool.transaction() as connection:
                await onboard(connection, DescribedTenant.model_validate(self._description()))
                await self._grant(connection)
            self.pos_key = await self._key_of_the_pos(own)
        finally:
            await own.close()

    async def _grant(self, connection: Connection) -> None:
        """Give the sign-in's people their roles in this tenant, and the super admin everything."""
        tenant_id = await tenant_of(connection, self.crol)
        for person in PEOPLE:
            role = Role(person.key)
            where = None if role is Role.SUPER_ADMIN else tenant_id
            await grants.grant(connection, person.oid, where, role, name=person.name, by="the scene")

    async def _key_of_the_pos(self, own: Runtime) -> str:
        async with own.pool.transaction() as connection:
            tenant_id = await tenant_of(connection, self.crol)
        key, _ = await make_key(own, Act.of_operator("the scene", "arrange"), tenant_id, "TestPOS", None)
        return key.text

    def close(self) -> None:
        """Leave no fault and no connection behind."""
        self.clear_faults()
        self.control.close()
        self.queue.close()

    async def store_secret(self, name: str, value: str) -> None:
        """Put a new version of a secret into the vault."""
        own = assemble(Settings())
        try:
            await own.vault.store(name, value)
        finally:
            await own.close()

    # Who calls over HTTP ---------------------------------------------------------------------------------------

    def headers(self, person: str = "super-admin") -> dict[str, str]:
        """Give what one of the sign-in's people sends: a fresh token."""
        token = httpx.get(f"{self.stack.sign_in.control}/tokens/{person}", timeout=10).raise_for_status().text
        return {"Authorization": f"Bearer {token}"}

    # The POS ---------------------------------------------------------------------------------------------------

    def sale(self, lines: int = 1, *, store: str = "", **changes: Any) -> dict[str, Any]:
        """Give a sale with line ids of its own."""
        items = [
            {"ocs_sku": SKU, "upc": UPC, "line_id": str(uuid.uuid4()), "quantity": 1, "unit_price": "49.95"}
            for _ in range(lines)
        ]
        whole = {
            "tenant_id": self.crol,
            "store_id": store or self.first,
            "transaction_type": "sale",
            "transaction_id": str(uuid.uuid4()),
            "items": items,
        }
        return whole | changes

    def put(self, body: object) -> None:
        """Put a message on the queue: JSON of anything, or a text as it is."""
        text = body if isinstance(body, str) else json.dumps(body)
        with suppress(ResourceExistsError):
            self.queue.create_queue()
        self.queue.send_message(text, time_to_live=-1)

    def poison_queue(self) -> QueueClient:
        """Give the queue to which the host moves what it gave up."""
        return QueueClient.from_connection_string(
            self.stack.azurite.connection_string, "pos-transactions-poison", api_version=API_VERSION
        )

    def sell(self, count: int = 1, lines: int = 1, *, store: str = "") -> list[str]:
        """Put sales on the queue; gives their line ids."""
        sales = [self.sale(lines, store=store) for _ in range(count)]
        for sale in sales:
            self.put(sale)
        return [item["line_id"] for sale in sales for item in sale["items"]]

    # The regulator ---------------------------------------------------------------------------------------------

    def tell_client(self, secret: str, expires_in: float = 3600) -> None:
        """Tell the regulator the tenant's client."""
        body = {"client_secret": secret, "expires_in": expires_in}
        self.control.put(f"/clients/client-{self.number}", json=body).raise_for_status()

    def tell_store(self, crsa: str, hash_key: str) -> None:
        """Tell the regulator a store's hash key."""
        body = {"crol": self.crol, "hash_key": hash_key, "client_id": f"client-{self.number}"}
        self.control.put(f"/stores/{crsa}", json=body).raise_for_status()

    def fault(self, name: str, *, crsa: str | None = "", **words: Any) -> int:
        """Inject a fault into the first store's event posts, unless told otherwise; gives its id."""
        described = {"fault": name, "path": "events", "crsa": self.first if crsa == "" else crsa} | words
        return int(self.control.post("/faults", json=described).raise_for_status().json()["fault_id"])

    def clear_faults(self) -> None:
        """Take all faults away."""
        self.control.delete("/faults").raise_for_status()

    def calls(self, crsa: str = "") -> list[dict[str, Any]]:
        """Give the event posts of a store that reached the regulator, oldest first."""
        shown = self.control.get("/calls", params={"crsa": crsa or self.first}).raise_for_status().json()
        return [call for call in shown if call["path"] == "events"]

    def ledger(self, crsa: str = "") -> dict[str, dict[str, Any]]:
        """Give a store's lines at the regulator by line id, in the order of their first acceptance."""
        shown = self.control.get(f"/ledger/{crsa or self.first}").raise_for_status().json()
        return {line["line_id"]: line for line in shown}

    # The app's own record --------------------------------------------------------------------------------------

    def rows(self, query: str, *words: object) -> list[dict[str, Any]]:
        """Read the database as an observer."""
        with psycopg.connect(self.stack.postgres.url(), row_factory=dict_row) as connection:
            return connection.execute(query, words).fetchall()

    def switch(self, crsa: str, *, reporting: bool) -> None:
        """Switch a store's reporting on or off."""
        self.rows("update stores set reporting = %s where crsa = %s returning 1", reporting, crsa)

    def outbox(self, crsa: str = "") -> list[dict[str, Any]]:
        """Give a store's event lines with what became of them, in the store's order."""
        return self.rows(
            "select o.*, l.line_id, l.revision, l.quantity, l.ocs_sku from outbox o "
            "join event_lines l using (store_id, sequence) join stores s using (store_id) "
            "where s.crsa = %s and o.kind = 'events' order by o.sequence",
            crsa or self.first,
        )

    def dead_letters(self, containing: str) -> list[dict[str, Any]]:
        """Give the dead letters whose body has a text in it."""
        return self.rows("select * from dead_letters where position(%s in body) > 0", containing)

    # The proof -------------------------------------------------------------------------------------------------

    def arrives(self, line_ids: Iterable[str], crsa: str = "") -> None:
        """Wait until the regulator has these lines and the app knows it, then prove the whole store."""
        wanted = set(line_ids)
        eventually(lambda: wanted <= self.ledger(crsa).keys(), f"the regulator has all of {len(wanted)} lines")
        eventually(lambda: self._settled(crsa), "all of the store's lines are settled")
        self.prove(crsa)

    def prove(self, crsa: str = "") -> None:
        """Prove that the ledger has each accepted line once in effect, its newest word, in the store's order."""
        accepted = [row for row in self.outbox(crsa) if row["state"] == "accepted"]
        ledger = self.ledger(crsa)
        order = list(dict.fromkeys(str(row["line_id"]) for row in accepted))
        newest = {str(row["line_id"]): str(abs(row["quantity"])) for row in accepted}
        revisions = {line_id: sum(str(row["line_id"]) == line_id for row in accepted) for line_id in order}
        assert order == list(ledger), "the regulator's order is the store's order, and nothing else is there"
        in_effect = {line_id: line["content"]["inventoryQuantityChange"] for line_id, line in ledger.items()}
        assert newest == {line_id: quantity.removeprefix("-") for line_id, quantity in in_effect.items()}
        assert revisions == {line_id: line["contents_seen"] for line_id, line in ledger.items()}

    def _settled(self, crsa: str) -> bool:
        return all(row["state"] in ("accepted", "parked", "superseded") for row in self.outbox(crsa))

    def _description(self) -> dict[str, Any]:
        connection = {
            "name": "uat",
            "environment": "uat",
            "base_url": f"{self.stack.regulator_url}/func",
            "token_url": f"{self.stack.regulator_url}/oauth2/token",
            "scope": "scope",
            "client_id": f"client-{self.number}",
            "client_secret_name": f"client-{self.number}",
        }
        stores = [
            {
                "crsa": crsa,
                "name": crsa,
                "time_zone": "America/Toronto",
                "pos_vendor": "TestPOS",
                "pos_vendor_version": "1.0",
                "connection": "uat",
                "hash_key_name": f"hash-{crsa.lower()}",
                "already_reporting": True,
            }
            for crsa in self.stores
        ]
        return {"crol": self.crol, "name": "Test", "connections": [connection], "stores": stores}
