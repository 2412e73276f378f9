"""Settles by data how a transaction type is to be told: which word came back, and with which sign. Pure.

The open questions are those of domain.md, "Meaning still open".
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ocs.reconciliation.readings import written
from ocs.tenants.models import TransactionType

Sign = Literal["same", "ledger", "absolute", "flipped", "mixed", "amounts"]
"""How quantities came back: as sent; in the ledger's direction; without a sign; turned against the ledger; now so, now
so; or with other amounts, so that signs say nothing."""

OTHER_AMOUNT = 0
"""Stands for the sign of a quantity that came back with another amount."""

MEANINGS: dict[Sign, str] = {
    "same": "the platform keeps our sign, and it is the ledger's",
    "ledger": "the ledger is signed, the platform turns it",
    "absolute": "the platform drops the sign: what came in and what went out look the same there",
    "flipped": "the platform turns our sign against the ledger's",
    "mixed": "the signs did not come back alike: look at the lines that were turned",
    "amounts": "some came back with another amount: look at the lines that differ",
}
ECHO = "the platform keeps the number as sent, without a sign: which way it counts, only its mails on positions tell"
ONE_WAY = "but all of them went the same way: adjust an item in the other direction too"
TWO_WAYS = "the mapping was changed within the window: take one in which it stayed as it is"


@dataclass(frozen=True)
class Way:
    """A way in which a line came back. Signs are -1 and 1; `there_sign` is 0 for another amount."""

    transaction_type: str
    sent_type: str
    wire_sign: str
    there_type: str
    sent_sign: int
    ledger_sign: int
    there_sign: int


@dataclass(frozen=True)
class Tally:
    """How many lines came back in one way, and the quantities (eaches) of one of them."""

    way: Way
    lines: int
    sent: Decimal
    there: Decimal


@dataclass(frozen=True)
class Verdict:
    """What the lines of one transaction type say: in words, and whether its mapping may be confirmed."""

    transaction_type: str
    lines: int
    sent_type: str
    wire_sign: str
    same_word: bool
    sign: Sign
    may_confirm: bool
    words: str


def tally(transaction_type: str, wire_sign: str, words: tuple[str, str], ledger: Decimal, there: Decimal) -> Tally:
    """Sort one line; `words` are the types sent and given back, `ledger` our quantity with the ledger's sign."""
    sent = abs(ledger) if wire_sign == "absolute" else ledger
    there_sign = _sign(there) if abs(there) == abs(ledger) else OTHER_AMOUNT
    way = Way(transaction_type, words[0], wire_sign, words[1], _sign(sent), _sign(ledger), there_sign)
    return Tally(way, 1, sent, there)


def added(tallies: Iterable[Tally]) -> list[Tally]:
    """Add up those of the same way; the first one's quantities stand for all."""
    by_way: dict[Way, Tally] = {}
    for one in tallies:
        known = by_way.get(one.way)
        by_way[one.way] = one if known is None else Tally(one.way, known.lines + one.lines, known.sent, known.there)
    return list(by_way.values())


def verdicts(tallies: Iterable[Tally]) -> list[Verdict]:
    """Give the verdict on each transaction type of which lines came back, in alphabetical order."""
    by_type: defaultdict[str, list[Tally]] = defaultdict(list)
    for one in tallies:
        by_type[one.way.transaction_type].append(one)
    return [_verdict(kind, sorted(some, key=lambda one: -one.lines)) for kind, some in sorted(by_type.items())]


def _verdict(transaction_type: str, tallies: Sequence[Tally]) -> Verdict:
    ways = [one.way for one in tallies]
    sign = _read_sign(ways)
    one_mapping = len({(way.sent_type, way.wire_sign) for way in ways}) == 1
    same_word = all(way.there_type == way.sent_type for way in ways)
    one_way = transaction_type == TransactionType.ADJUSTMENT and len({way.ledger_sign for way in ways}) == 1
    return Verdict(
        transaction_type,
        sum(one.lines for one in tallies),
        ways[0].sent_type,
        ways[0].wire_sign,
        same_word,
        sign,
        may_confirm=one_mapping and same_word and not one_way and sign in ("same", "ledger"),
        words=_words(tallies, sign, one_mapping=one_mapping, one_way=one_way),
    )


def _read_sign(ways: Sequence[Way]) -> Sign:
    if any(way.there_sign == OTHER_AMOUNT for way in ways):
        return "amounts"
    if all(way.there_sign == way.sent_sign for way in ways):
        return "same"
    if all(way.there_sign == way.ledger_sign for way in ways):
        return "ledger"
    if all(way.there_sign > 0 for way in ways):
        return "absolute"
    return "flipped" if all(way.there_sign == -way.sent_sign for way in ways) else "mixed"


def _words(tallies: Sequence[Tally], sign: Sign, *, one_mapping: bool, one_way: bool) -> str:
    """Tell it as a sentence: "sent 12 as PURCHASE 3, came back as PURCHASE -3 for all 12: …"."""
    first, lines = tallies[0], sum(one.lines for one in tallies)
    sent = f"sent {lines} as {first.way.sent_type} {written(first.sent)}"
    lines_by_word: defaultdict[str, int] = defaultdict(int)
    for one in tallies:
        lines_by_word[one.way.there_type or "(no word)"] += one.lines
    if len(lines_by_word) == 1:
        came = (
            f"{first.way.there_type or '(no word)'} {written(first.there)} for {f'all {lines}' if lines > 1 else 'it'}"
        )
    else:
        came = ", as ".join(f"{word} for {count}" for word, count in lines_by_word.items())
    kept_apart = any(one.way.sent_sign != one.way.ledger_sign for one in tallies)
    meaning = ECHO if sign == "same" and kept_apart else MEANINGS[sign]
    remarks = [remark for remark, holds in ((TWO_WAYS, not one_mapping), (ONE_WAY, one_way)) if holds]
    return f"{sent}, came back as {came}: {'; '.join([meaning, *remarks])}"


def _sign(quantity: Decimal) -> int:
    return -1 if quantity < 0 else 1
