"""The item catalogue that OCS publishes: at first a small sample, then whatever the control door was given."""

import json
from pathlib import Path
from typing import Any

from devstack.regulator.wholesale.fields import ITEM_NUMBERS, ITEM_TEXTS, complete
from devstack.regulator.wholesale.invented_items import invented_items

Item = dict[str, Any]
SAMPLE = Path(__file__).with_name("sample_catalogue.json")


class Catalogue:
    """The items as last published, in their order."""

    def __init__(self) -> None:
        """Start with the sample."""
        self.items: list[Item] = []
        self.forget(None)

    def publish(self, items: list[Item]) -> None:
        """Replace all items; raises ValueError for a field that the catalogue does not have."""
        self.items = [complete(item, ITEM_TEXTS, ITEM_NUMBERS) for item in items]

    def publish_generated(self, count: int, seed: int) -> None:
        """Replace all items by `count`: the sample first, then made-up ones, the same ones for the same seed.

        A larger count of the same seed begins with the same items. Raises ValueError for fewer than the sample has.
        """
        sample = _sample()
        if count < len(sample):
            raise ValueError(f"found {count} items, expected at least the {len(sample)} of the sample")
        self.publish(sample + invented_items(count - len(sample), seed))

    def item(self, sku: str) -> Item | None:
        """Give the item of an OCS SKU, None where there is none."""
        return next((item for item in self.items if item["SKU"] == sku), None)

    def forget(self, crsa: str | None) -> None:
        """Go back to the sample; a catalogue belongs to no store, so forgetting one store changes nothing."""
        if crsa is None:
            self.publish(_sample())


def _sample() -> list[Item]:
    items: list[Item] = json.loads(SAMPLE.read_bytes())
    return items
