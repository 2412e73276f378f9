"""The one thing that goes wrong in the demo, for a person to mend: a till sells under a number nobody has mapped."""

from devstack.demo.day import PRODUCTS, Happening, item, transaction
from devstack.demo.people import Staff
from devstack.demo.retailer import CROL, STORES

POS_SKU = "HOUSE-PREROLL"
PRODUCT = PRODUCTS[1]
STORE = STORES[0]
ROLE = "manager"


def sale_to_mend() -> Happening:
    """Give a sale of one pre-roll under the till's own number; its barcode tells what it must be."""
    sold = item(PRODUCT, 1, price=True)
    sold["sku"] = POS_SKU
    del sold["ocs_sku"]
    return Happening(STORE, "a sale under the till's own number", transaction(STORE, "sale", [sold]))


def waits(staff: Staff) -> bool:
    """Tell whether the sale's line is kept back until somebody says what was sold."""
    waiting = staff.ask("viewer", "GET", f"tenants/{CROL}/mappings/unmapped")["unmapped"]
    return any(one["pos_sku"] == POS_SKU and one["lines"] == 1 for one in waiting)


def how_to_mend(page: str, api: str, control: str) -> list[str]:
    """Say where it is seen and how it is mended: on the page, or by a command."""
    return [
        f"One line is parked, and nobody but you can mend it: {STORE.name} sold {POS_SKU}, and nobody has said what",
        "that is at the OCS. Nothing else waits for it.",
        f"  See it    {page}/stores/{STORE.crsa}, under “What is not there yet”",
        f"  Mend it   press “Say what it is” there, then “It is this” beside {PRODUCT.ocs_sku}. A manager may.",
        "            Some 15 s later it is accepted, in its old place.",
        f'  Or so     curl -X PUT {api}/tenants/{CROL}/mappings/{POS_SKU} -H "Content-Type: application/json" \\',
        f'              -H "Authorization: Bearer $(curl -s {control}/tokens/{ROLE})" \\',
        f"""              -d '{{"ocs_sku": "{PRODUCT.ocs_sku}", "upc": "{PRODUCT.upc}"}}'""",
    ]
