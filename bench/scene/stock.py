"""What a store holds and how it moves, drawn with a seed: the same seed gives the same stock, so it can be drawn again.

The bench reckons here by itself what each position must say; it shares no code with the app for that.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
AFTER_MIDNIGHT = timedelta(hours=1)
"""How long after the last midnight a store still sells: what comes then must not be in the position."""
RECEIPTS_OF = 40
"""One line in so many is a receipt of a case, the others are sales."""
CASES = (12, 24, 48)
SOLD = (1, 1, 1, 2)
MOST_AT_OPENING = 60


@dataclass(frozen=True)
class Item:
    """An item of the assortment; `cost` in Canadian dollars an each."""

    ocs_sku: str
    upc: str
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Move:
    """One line of a day: so many eaches of an item (by its number), in the ledger's direction."""

    item: int
    quantity: int
    at: datetime


@dataclass(frozen=True)
class Plan:
    """How much a store has and does."""

    items: int
    """On hand at the opening."""
    gone: int
    """Known, at zero and not moved: they must not be in the position."""
    days: int
    """From the opening to the last midnight."""
    lines_a_day: int
    lines_after: int
    """In the hour after the last midnight."""


@dataclass(frozen=True)
class Stock:
    """A store's stock: what it held at its opening, and what moved since."""

    opened_at: datetime
    midnight: datetime
    """The end of its last business day, in the store's own zone."""
    opening: tuple[int, ...]
    """Eaches by item number."""
    moves: tuple[Move, ...]

    def held(self, before: datetime | None = None) -> list[int]:
        """Give the eaches of each item just before an instant, or now."""
        moved: Counter[int] = Counter()
        for move in self.moves:
            if before is None or move.at < before:
                moved[move.item] += move.quantity
        return [quantity + moved[number] for number, quantity in enumerate(self.opening)]

    def position(self) -> list[tuple[str, str, str, str]]:
        """Give what the last day's position must say, line by line as it goes over the wire, by item number.

        SKU, barcode, quantity in eaches, value in Canadian dollars to the cent.
        """
        begins = self.midnight - ONE_DAY  # in the zone's own wall clock
        of_the_day = {move.item for move in self.moves if begins <= move.at < self.midnight}
        lines = []
        for number, quantity in enumerate(self.held(self.midnight)):
            if quantity or number in of_the_day:
                known = item(number)
                lines.append((known.ocs_sku, known.upc, str(quantity), f"{quantity * known.cost:.2f}"))
        return lines


@cache
def item(number: int) -> Item:
    """Give an item of the assortment by its number."""
    digits = f"{6_285_820_000 + number:013d}"
    odd, even = (sum(int(digit) for digit in digits[place::2]) for place in (0, 1))
    check = -(3 * odd + even) % 10  # GS1, mod 10: the first of fourteen digits weighs three
    return Item(f"{100_000 + number}_3.5g___", f"{digits}{check}", Decimal(300 + 37 * number % 3700) / 100)


def draw(seed: int, plan: Plan, zone: str, last_day: date) -> Stock:
    """Draw a store's stock up to the hour after its last business day."""
    dice = random.Random(seed)
    opening = [dice.randint(1, MOST_AT_OPENING) for _ in range(plan.items)] + [0] * plan.gone
    midnights = [
        datetime.combine(last_day - number * ONE_DAY, time(), ZoneInfo(zone)) for number in range(plan.days - 1, -2, -1)
    ]
    moves: list[Move] = []
    for begins, ends in pairwise(midnights):
        moves += _moves(dice, plan.items, begins, ends - begins, plan.lines_a_day)
    moves += _moves(dice, plan.items, midnights[-1], AFTER_MIDNIGHT, plan.lines_after)
    return Stock(midnights[0], midnights[-1], tuple(opening), tuple(moves))


def _moves(dice: random.Random, items: int, begins: datetime, length: timedelta, lines: int) -> Iterator[Move]:
    """Give some lines, each at an instant of its own: the first at the very beginning."""
    step = length / lines if lines else length
    for number in range(lines):
        received = dice.randrange(RECEIPTS_OF) == 0
        quantity = dice.choice(CASES) if received else -dice.choice(SOLD)
        yield Move(dice.randrange(items), quantity, begins + number * step)
