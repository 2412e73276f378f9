"""What is odd about a line that goes out all the same. The regulator may find fault with it, so staff should look."""

import re

from ocs.catalogue.gtin import LONGEST, SHORTEST, has_right_check_digit

OCS_SKU = re.compile(r"^\d{6}(_[^_]*){4}$")
"""The usual form of an OCS SKU: item number, size, three more slots. The catalogue decides, so this only warns."""
RECOGNISED_REASONS = frozenset(
    {
        "Physical Inventory Count (Operationally Initiated)",
        "Physical Inventory Count (AGCO Initiated)",
        "Data Entry Error",
        "Sold Product Handling Error",
        "Receiving Error",
        "Cycle Count",
        "Internal Audit",
    }
)
"""Adjustment reasons that AGCO recognises (domain.md [B])."""

WARNINGS = {
    "no_unit_cost": "no unit cost was given and the store has no average yet: reported with value 0",
    "no_unit_price": "a sale without unit price: reported as sold at 0",
    "no_barcode": "no barcode was given: reported without one",
    "barcode_form": "the barcode is not 12 to 14 digits",
    "barcode_check_digit": "the barcode's check digit is wrong",
    "sku_form": "the OCS SKU does not look like one, such as 101955_3.5g___",
    "sku_unknown": "the OCS SKU is not in the OCS item catalogue",
    "sku_gone": "the OCS SKU was in the OCS item catalogue once and is not any more",
    "barcode_unknown": "the barcode is not in the OCS item catalogue",
    "sku_barcode_mismatch": "the OCS item catalogue has both the SKU and the barcode, but not as one item",
    "counterparty_self": "the other store of the transfer is this store itself",
    "counterparty_outside": "the other store is not one of this retailer's (CROL) stores here",
    "before_first_position": "this happened before the store's first reported position, which counts it already",
    "reason_not_recognised": "the adjustment's reason is not one that AGCO recognises",
    "type_unconfirmed": "how this type is reported has not been confirmed by reading back from UAT",
}
"""Every warning's code and what it tells a store manager."""


def item_warnings(ocs_sku: str | None, upc: str) -> list[str]:
    """Give the warnings about an item's SKU and barcode."""
    codes = []
    if ocs_sku is not None and not OCS_SKU.match(ocs_sku):
        codes.append("sku_form")
    if not upc:
        codes.append("no_barcode")
    elif not (upc.isascii() and upc.isdigit() and SHORTEST <= len(upc) <= LONGEST):
        codes.append("barcode_form")
    elif not has_right_check_digit(upc):
        codes.append("barcode_check_digit")
    return codes
