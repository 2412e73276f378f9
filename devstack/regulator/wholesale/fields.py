"""The fields of the catalogue and of the shipping notice, as the documents name them."""

from typing import Any

ASN_TEXTS = (
    "shipmentID", "containerID", "SKU", "itemName", "vendor", "brand", "caseGTIN", "packagedOnDate", "batchLot",
    "gTINBarcode", "eachGTIN", "UOM", "UOMConversion",
)  # fmt: skip
ASN_NUMBERS = ("unitPrice", "shippedQuantity", "UOMConversionQuantity")
ITEM_TEXTS = (
    "SKU", "GTIN", "brand", "supplierName", "productName", "category", "subCategory", "subSubCategory", "itemBarcode",
    "ocsItemNumber", "productSize", "productColor", "UOM",
)  # fmt: skip
ITEM_NUMBERS = (
    "driedEquivalency", "packSize", "retailPackValue", "minTHCPercent", "maxTHCPercent", "thcContentPerCap",
    "thcContentPerVol", "minCBDPercent", "maxCBDPercent", "cbdContentPerCap", "cbdContentPerVol", "minTHCGrams",
    "maxTHCGrams", "minCBDGrams", "maxCBDGrams",
)  # fmt: skip


def complete(given: dict[str, Any], texts: tuple[str, ...], numbers: tuple[str, ...]) -> dict[str, Any]:
    """Give all these fields in one order, empty where they were not told; raises ValueError for any other field."""
    unknown = given.keys() - set(texts) - set(numbers)
    if unknown:
        raise ValueError(f"unknown field {min(unknown)}")
    return dict.fromkeys(texts, "") | dict.fromkeys(numbers) | given
