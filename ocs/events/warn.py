"""What is odd about an event line, in the light of the catalogue, its store and the retailer's others. Pure.

Only words for people: a line is never changed for them. A tenant decides for which of them a line waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ocs.catalogue.preflight import CatalogueFacts, catalogue_warnings
from ocs.catalogue.warnings import RECOGNISED_REASONS, WARNINGS, item_warnings
from ocs.tenants.models import Store, TransactionType

NO_FACTS = CatalogueFacts(synced=False, said={})


@dataclass(frozen=True)
class Light:
    """What a transaction's lines are looked at with."""

    facts: CatalogueFacts = NO_FACTS
    counterparty_is_ours: bool = True
    """Whether the other store of a transfer is one of the retailer's (CROL) stores here."""


NO_LIGHT = Light()


@dataclass(frozen=True)
class Looked:
    """The parts of a line that are looked at; money in Canadian dollars an each."""

    transaction_type: TransactionType
    type_is_confirmed: bool
    ocs_sku: str | None
    upc: str
    unit_cost: Decimal | None
    unit_price: Decimal | None
    counterparty_crsa: str
    reason: str
    effective_at: datetime


def line_warnings(store: Store, line: Looked, light: Light) -> list[str]:
    """Give the codes of all that is odd about a line; WARNINGS has the words."""
    odd = {
        "no_unit_cost": line.unit_cost is None and line.ocs_sku is not None,
        "no_unit_price": line.unit_price is None and line.transaction_type is TransactionType.SALE,
        "counterparty_self": line.counterparty_crsa == store.crsa,
        "counterparty_outside": line.counterparty_crsa not in ("", store.crsa) and not light.counterparty_is_ours,
        "before_first_position": store.counted_from is not None and line.effective_at < store.counted_from,
        "reason_not_recognised": line.transaction_type is TransactionType.ADJUSTMENT
        and line.reason not in RECOGNISED_REASONS,
        "type_unconfirmed": not line.type_is_confirmed,
    }
    return [*about_item(line.ocs_sku, line.upc, light.facts), *(code for code, holds in odd.items() if holds)]


def about_item(ocs_sku: str | None, upc: str, facts: CatalogueFacts) -> list[str]:
    """Give the codes of what is odd about an item: its SKU, its barcode, and the two together."""
    return item_warnings(ocs_sku, upc) + catalogue_warnings(facts, ocs_sku, upc)


def why_to_wait(store: Store, warnings: Sequence[str]) -> str | None:
    """Say why a line must wait for a person, by the warnings for which its tenant wants that; None when it need not."""
    words = [WARNINGS[code] for code in warnings if code in store.parking_warnings]
    return None if not words else f"It waits for a person to look: {'; '.join(words)}."
