"""A small item catalogue on the scripted platform, read as every night's is."""

import httpx

from ocs.catalogue.sync import sync_catalogue
from ocs.runtime import Runtime
from tests.integration.platform import Platform
from tests.integration.pos import SKU, UPC

OIL_SKU, OIL_CASE, OIL_EACH = "202020_30mL___", "10628582000521", "00628582000524"
ITEMS = [
    {"SKU": SKU, "itemBarcode": UPC, "productName": "Pink Kush", "brand": "San Rafael", "productSize": "3.5g"},
    {"SKU": OIL_SKU, "GTIN": OIL_CASE, "productName": "THC Oil", "brand": "Solei", "productSize": "30mL"},
]


async def read_catalogue(runtime: Runtime, platform: Platform, items: list[dict[str, str]]) -> None:
    """Have the UAT catalogue read, one page long."""

    def page(request: httpx.Request) -> httpx.Response:
        first = request.url.params["pageNumber"] == "1"
        return httpx.Response(200, json={"itemList": items if first else []})

    platform.gets["RetailerItemCatalogueHttpTrigger"] = page
    row = await sync_catalogue(runtime, "uat")
    assert row["state"] == "done", row
