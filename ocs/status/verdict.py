"""Are we compliant now? Yes, at risk or no, with the reasons in words: a pure function of named figures.

What the law and the platform ask (domain.md, "The Data Platform's API", rule 3): all events there within a day, and a
position every day. "No" is a duty that is not met now; "at risk" is what will become one unless it passes or is mended.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ocs.status.figures import ConnectionFigures, StoreFigures

A_DAY = 24 * 3600.0
"""All events must be there within a day."""
SLOW = 300.0
"""Seconds after which an unsent line is worth a look: it should be there within a minute."""
LEAST_RATE, LEAST_CALLS = 0.95, 20
"""The share of accepted calls in an hour below which something is wrong, once there are enough to tell."""
SHOWN = 5
"""Stores that a reason names; the others are counted."""


class Answer(StrEnum):
    """The three answers, best first."""

    YES = "yes"
    AT_RISK = "at risk"
    NO = "no"


@dataclass(frozen=True)
class Reason:
    """Why the answer is not yes: one cause, in words, with the CRSAs of its stores (none: a connection, a message)."""

    answer: Answer
    cause: str
    text: str
    stores: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The worst answer of all reasons, the worst reasons first; yes has none."""

    answer: Answer
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class _Rule:
    """One thing that is wrong with a store: when it is, and how it is told of one store and of several."""

    answer: Answer
    cause: str
    holds: Callable[[StoreFigures], bool]
    of_one: str
    of_many: str


RULES: tuple[_Rule, ...] = (
    _Rule(
        Answer.NO,
        "position_missing",
        lambda store: store.switched_on and store.night in ("refused", "not_made"),
        "Last night's position is not at the platform",
        "Last night's position of {n} stores is not at the platform",
    ),
    _Rule(
        Answer.NO,
        "unsent_for_a_day",
        lambda store: (store.oldest_unsent_seconds or 0) > A_DAY,
        "Events wait to be sent for more than a day",
        "Events of {n} stores wait to be sent for more than a day",
    ),
    _Rule(
        Answer.NO,
        "parked_for_a_day",
        lambda store: (store.oldest_parked_seconds or 0) > A_DAY,
        "Events are parked for more than a day and wait for a person",
        "Events of {n} stores are parked for more than a day and wait for a person",
    ),
    _Rule(
        Answer.AT_RISK,
        "position_under_way",
        lambda store: store.switched_on and store.night == "under_way",
        "Last night's position is made and not accepted yet",
        "Last night's position of {n} stores is made and not accepted yet",
    ),
    _Rule(
        Answer.AT_RISK,
        "unsent",
        lambda store: SLOW < (store.oldest_unsent_seconds or 0) <= A_DAY,
        "Events wait to be sent for more than five minutes",
        "Events of {n} stores wait to be sent for more than five minutes",
    ),
    _Rule(
        Answer.AT_RISK,
        "parked",
        lambda store: store.parked > 0 and (store.oldest_parked_seconds or 0) <= A_DAY,
        "Events are parked and wait for a person",
        "Events of {n} stores are parked and wait for a person",
    ),
    _Rule(
        Answer.AT_RISK,
        "credentials_refused",
        lambda store: store.waits_for == "credentials",
        "The platform refuses the credentials",
        "The platform refuses the credentials of {n} stores",
    ),
    _Rule(
        Answer.AT_RISK,
        "paused",
        lambda store: store.switched_on and store.paused_through is not None,
        "Reporting is paused",
        "Reporting of {n} stores is paused",
    ),
    _Rule(
        Answer.AT_RISK,
        "switched_off",
        lambda store: not store.switched_on and store.pending > 0,
        "Reporting is switched off while events wait",
        "Reporting of {n} stores is switched off while their events wait",
    ),
)


def verdict_of_store(store: StoreFigures) -> Verdict:
    """Judge one store by itself."""
    return _worst(
        Reason(rule.answer, rule.cause, f"{rule.of_one}.", (store.crsa,)) for rule in RULES if rule.holds(store)
    )


def verdict(stores: Sequence[StoreFigures], connections: Iterable[ConnectionFigures], dead_letters: int) -> Verdict:
    """Judge stores together with their connections and the messages that could not be taken in."""
    reasons = [reason for rule in RULES if (reason := _of_stores(rule, stores)) is not None]
    reasons += [reason for one in connections for reason in _of_connection(one)]
    if dead_letters:
        what = "message of a POS" if dead_letters == 1 else "messages of a POS"
        text = f"{dead_letters} {what} could not be taken in: what they say is not reported."
        reasons.append(Reason(Answer.AT_RISK, "dead_letters", text))
    return _worst(reasons)


def _of_stores(rule: _Rule, stores: Iterable[StoreFigures]) -> Reason | None:
    named = tuple(store.crsa for store in stores if rule.holds(store))
    if not named:
        return None
    what = rule.of_one if len(named) == 1 else rule.of_many.format(n=len(named))
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    return Reason(rule.answer, rule.cause, f"{what}: {', '.join(named[:SHOWN])}{more}.", named)


def _of_connection(one: ConnectionFigures) -> list[Reason]:
    found = []
    if one.breaker != "closed":
        text = (
            f"The platform does not answer on the connection {one.name}: calls are held, and tried again by themselves."
            if one.breaker == "open"
            else f"The platform answers again on the connection {one.name}: calls are let through by and by."
        )
        found.append(Reason(Answer.AT_RISK, "breaker", text))
    if one.token == "refused":  # noqa: S105 - what became of it
        text = f"The platform refuses the sign-in of the connection {one.name}: store its credentials anew."
        found.append(Reason(Answer.AT_RISK, "sign_in_refused", text))
    rate = one.last_hour.rate
    if rate is not None and rate < LEAST_RATE and one.last_hour.calls >= LEAST_CALLS:
        text = f"In the last hour the platform accepted only {rate:.0%} of the calls on the connection {one.name}."
        found.append(Reason(Answer.AT_RISK, "success_rate", text))
    return found


def _worst(reasons: Iterable[Reason]) -> Verdict:
    order = list(Answer)
    ranked = sorted(reasons, key=lambda reason: order.index(reason.answer), reverse=True)
    return Verdict(ranked[0].answer if ranked else Answer.YES, tuple(ranked))
