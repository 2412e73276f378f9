"""A retailer of two stores as the tests of the reconciliation play it: days in March 2026, one item, its anchor."""

from dataclasses import dataclass
from typing import Any

from tests.integration.devstack.regulator_stand_in.store import Store, event, position_line

SKU, UPC = "101955_3.5g___", "00708762000695"


def line(day: int, kind: str = "PURCHASE", quantity: str = "1", **changes: Any) -> dict[str, Any]:
    """Give a good line of a day in March 2026, at ten in the morning."""
    at = f"2026-03-{day:02d}T10:00:00-04:00"
    return event(
        **{"posTransactionTimeStamp": at, "inventoryEventType": kind, "inventoryQuantityChange": quantity} | changes
    )


@dataclass(frozen=True, slots=True)
class Retailer:
    """Two stores of one CROL."""

    crol: str
    store: Store
    other: Store

    def hold(self, day: int, quantity: str | None = "10", *, at: Store | None = None) -> None:
        """Report the position of a store at the end of a day in March; None leaves the item out."""
        lines = [] if quantity is None else [position_line(inventoryQuantityOnHand=quantity)]
        reply = (at or self.store).report_position(*lines, at=f"2026-03-{day:02d}T23:59:59-04:00")
        reply.raise_for_status()

    def report(self, *lines: dict[str, Any], at: Store | None = None) -> None:
        """Report lines of a store; they must be taken."""
        (at or self.store).report(*lines).raise_for_status()

    def reconcile(self, day: int) -> dict[str, list[dict[str, Any]]]:
        """Run the ten checks as of six in the morning of a day in March; give `open` and `resolved`."""
        found: dict[str, Any] = self.store.control(
            "POST", "reconcile", crol=self.crol, at=f"2026-03-{day:02d}T06:00:00-04:00"
        )
        return {name: found[name] for name in ("open", "resolved")}

    def open_codes(self, day: int = 28) -> list[str]:
        """Run the ten checks; give the codes of what is open."""
        return sorted(found["code"] for found in self.reconcile(day)["open"])

    def mails(self) -> list[dict[str, str]]:
        """Give the mails to this retailer."""
        mails: list[dict[str, str]] = self.store.control("GET", f"mails?crol={self.crol}")
        return mails
