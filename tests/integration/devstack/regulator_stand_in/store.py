"""A store as the tests play it: known to the stand-in under a client of its own, so that no test touches another."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import httpx

SECRET = "a client secret of the tests"
EVENTS, POSITIONS = "/func/PosInventoryEventHttpTrigger", "/func/PosInventoryPositionHttpTrigger"
ASN, CATALOGUE = "/func/RetailerASNHttpTrigger", "/func/RetailerItemCatalogueHttpTrigger"
REPORTED_EVENTS, REPORTED_POSITIONS = "/func/POSInventoryEventFunction", "/func/POSInventoryPositionFunction"
AT = "2026-03-09T23:59:59-04:00"
_numbers = count(1)


def event(**changes: Any) -> dict[str, Any]:
    """Give a good line of a new id; changes replace its values."""
    line = {
        "ocsSku": "101955_3.5g___",
        "upcAndBarcode": "00708762000695",
        "posTransactionTimeStamp": "2022-04-14T14:31:30+05:30",
        "posTransactionLineId": str(uuid4()),
        "inventoryEventType": "PURCHASE",
        "inventoryQuantityChange": "3",
        "inventoryValueChange": "80.85",
        "posSalesTransactionId": str(uuid4()),
        "soldAtPrice": "49.95",
        "counterPartyCRSA": "",
        "reasonCategory": "",
    }
    return line | changes


def position_line(**changes: Any) -> dict[str, Any]:
    """Give a good line of a position; changes replace its values."""
    line = {
        "ocsSku": "101955_3.5g___",
        "upcAndBarcode": "00708762000695",
        "inventoryQuantityOnHand": "100",
        "inventoryBookValue": "3.24",
    }
    return line | changes


class Store:
    """One CRSA, its hash key, its client and its HTTP connection; `crsa` and `client_id` are new for each."""

    def __init__(self, url: str, expires_in: float = 3600, crol: str = "CROL1234567") -> None:
        """Make the store known and sign in."""
        number = next(_numbers)
        self.url = url
        self.crol = crol
        self.crsa = f"CRSA{number:07d}"
        self.client_id = f"client-{number}"
        self.hash_key = f"{number:064x}"
        self.http = httpx.Client(base_url=url, timeout=10)
        self.control("PUT", f"clients/{self.client_id}", client_secret=SECRET, expires_in=expires_in)
        self.control("PUT", f"stores/{self.crsa}", **self.registration())
        self.token = self.sign_in().json()["access_token"]

    def registration(self) -> dict[str, str]:
        """Give what the control door knows of the store."""
        return {"crol": self.crol, "hash_key": self.hash_key, "client_id": self.client_id}

    def sign_in(self, **changes: str) -> httpx.Response:
        """Ask for a token; changes replace what the form says."""
        form = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": SECRET}
        return self.http.post("/oauth2/token", data=form | {"scope": "api://pos-data/.default"} | changes)

    def headers(self) -> dict[str, str]:
        """Give the two headers of the contract."""
        return {"Authorization": f"Bearer {self.token}", "retailer_hashkey": self.hash_key}

    def query(self) -> dict[str, str]:
        """Give the three parameters of a report."""
        return {"posVendor": "Till & Co", "posVendorVersion": "4.2", "retailerCRSA": self.crsa}

    def report(self, *lines: Any) -> httpx.Response:
        """POST inventory events."""
        return self.post_body({"inventoryEventList": list(lines)})

    def post_body(self, body: Any) -> httpx.Response:
        """POST any body as inventory events."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(EVENTS, params=self.query(), content=content, headers=self.headers())

    def report_position(self, *lines: Any, at: str = AT) -> httpx.Response:
        """POST an inventory position."""
        query = self.query() | {"positionTimeStamp": at}
        body = {"inventoryPositionList": list(lines)}
        return self.http.post(POSITIONS, params=query, json=body, headers=self.headers())

    def read(self, path: str, **query: Any) -> httpx.Response:
        """GET with the store's headers."""
        return self.http.get(path, params=query, headers=self.headers())

    def read_back(self, path: str, page: int = 1, hours: float = 1) -> httpx.Response:
        """GET what was posted up to now (or later), from `hours` ago."""
        now = datetime.now(UTC) + timedelta(minutes=1)
        start = (now - timedelta(hours=hours)).isoformat()
        return self.read(path, crsa=self.crsa, posStartDate=start, posEndDate=now.isoformat(), pageNumber=page)

    def control(self, method: str, door: str, /, **order: Any) -> Any:
        """Give an order by the control door; it must be taken."""
        reply = self.http.request(method, f"/_control/{door}", json=order or None)
        reply.raise_for_status()
        return reply.json()

    def fault(self, name: str, **options: Any) -> int:
        """Order a fault for this store alone, unless the options scope it otherwise."""
        scope = {} if "client_id" in options else {"crsa": self.crsa}
        return int(self.control("POST", "faults", fault=name, **scope | options)["fault_id"])

    def applied(self, fault_id: int) -> int:
        """Tell how often a fault was applied."""
        return next(int(f["applied"]) for f in self.control("GET", "faults") if f["fault_id"] == fault_id)

    def ledger(self) -> list[dict[str, Any]]:
        """Give the store's lines as the stand-in holds them."""
        lines: list[dict[str, Any]] = self.control("GET", f"ledger/{self.crsa}")
        return lines

    def ledger_ids(self) -> list[str]:
        """Give the ids of the store's lines, in order of first acceptance."""
        return [line["line_id"] for line in self.ledger()]

    def calls(self) -> list[dict[str, Any]]:
        """Give the history of the calls that named this store."""
        calls: list[dict[str, Any]] = self.control("GET", f"calls?crsa={self.crsa}")
        return calls

    def in_flight(self) -> list[dict[str, Any]]:
        """Give the calls of this store that a fault keeps waiting."""
        return [call for call in self.control("GET", "in-flight") if call["crsa"] == self.crsa]

    def close(self) -> None:
        """Close the connection."""
        self.http.close()
