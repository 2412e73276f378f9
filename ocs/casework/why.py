"""Why an event line is not at the OCS platform yet, in words for a store manager and as a cause for a program. Pure.

Every state that a line and its store can be in gives exactly one answer: the nearest thing that must change before the
line can go. What holds one line comes before what holds its store, and that before what holds the connection.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal


class Cause(StrEnum):
    """Why a line is where it is; the first four are those that a line is parked for."""

    SKU_UNMAPPED = "sku_unmapped"
    PLATFORM_REJECTED = "platform_rejected"
    PLATFORM_FAILED = "platform_failed"
    WARNED = "warned"
    PARKED = "parked"
    STORE_OFF = "store_off"
    STORE_PAUSED = "store_paused"
    CONNECTION_PAUSED = "connection_paused"
    TENANT_PAUSED = "tenant_paused"
    FIRST_POSITION = "first_position"
    BREAKER_OPEN = "breaker_open"
    SLOW_DOWN = "slow_down"
    CREDENTIALS_REFUSED = "credentials_refused"
    BACKOFF = "backoff"
    OUR_FAULT = "our_fault"
    BEING_SENT = "being_sent"
    BEHIND_OTHERS = "behind_others"
    CALLS_BUSY = "calls_busy"
    QUEUED = "queued"
    NOT_DUE = "not_due"
    SUPERSEDED = "superseded"
    ACCEPTED = "accepted"


PARKED = frozenset({Cause.SKU_UNMAPPED, Cause.PLATFORM_REJECTED, Cause.PLATFORM_FAILED, Cause.WARNED, Cause.PARKED})
"""Causes of one line that waits for a person; all others of what waits are its store's."""
RETRIED = frozenset({Cause.PLATFORM_REJECTED, Cause.PLATFORM_FAILED, Cause.WARNED})
"""Causes for which a parked line can be sent again as it is."""
SETTLED = frozenset({Cause.SUPERSEDED, Cause.ACCEPTED})

Action = Literal[
    "none",
    "wait",
    "map_sku",
    "correct",
    "retry",
    "resume",
    "switch_on",
    "send_position",
    "rotate_credentials",
    "submit",
]


@dataclass(frozen=True)
class Fix:
    """What would mend it: the act, in words, the route that does it, and until when to wait where waiting does it."""

    action: Action
    says: str
    route: str | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Why:
    """The answer: the cause, the same in words, and what would mend it."""

    cause: Cause
    says: str
    fix: Fix


@dataclass(frozen=True)
class StreamFacts:
    """How a store's stream of events stands at an instant; all times by the database's clock."""

    now: datetime
    switched_on: bool = True
    paused_through: Literal["store", "connection", "tenant"] | None = None
    paused_why: str | None = None
    """Who paused it and why, as a sentence."""
    anchored: bool = True
    """Whether a position of the store was ever accepted; its events wait for that."""
    hold_until: datetime | None = None
    hold_cause: str | None = None
    """Why nobody may call on the connection until then: breaker, slow_down or credentials."""
    due_at: datetime | None = None
    is_due: bool = False
    wait_cause: str | None = None
    """Why the store waits until `due_at`: upstream, slow_down, credentials or ours."""
    lease_until: datetime | None = None
    """Until when a worker holds the stream."""
    has_free_slot: bool = True
    """Whether one of the connection's calls is free."""
    said: str | None = None
    """What the platform said last about the batch that goes first."""

    @property
    def is_held(self) -> bool:
        """Whether a worker sends for the store this moment."""
        return self.lease_until is not None and self.lease_until > self.now


@dataclass(frozen=True)
class LineFacts:
    """How one revision of a line stands."""

    state: str
    parked_cause: str | None = None
    parked_reason: str | None = None
    pos_sku: str | None = None
    newest: bool = True
    goes_first: bool = True
    """Whether it is in the batch that goes next, or is being sent."""
    reference_id: str | None = None


def why(line: LineFacts, stream: StreamFacts) -> Why:
    """Answer why a line is not sent yet, or say that it is settled."""
    match line.state:
        case "accepted":
            says = f"The OCS platform has accepted it (reference id {line.reference_id or 'not known'})."
            return Why(Cause.ACCEPTED, says, _nothing("Nothing: it is there."))
        case "superseded":
            newer = "A newer revision of the line takes its place and is what goes to the OCS platform."
            return Why(Cause.SUPERSEDED, newer, _nothing("Nothing: look at the line's newest revision."))
        case "parked":
            return _parked(line)
        case _:
            return why_it_waits(stream, frozen=line.state == "frozen", goes_first=line.goes_first)


def why_it_waits(stream: StreamFacts, *, frozen: bool, goes_first: bool) -> Why:
    """Answer for a line that is pending, or frozen into a batch: what holds its store."""
    if stream.is_held:
        return _in_hand(stream, frozen=frozen and goes_first)
    return _paused(stream) or _anchoring(stream) or _held(stream) or _waiting(stream, goes_first) or _due(stream)


def _parked(line: LineFacts) -> Why:
    reason = line.parked_reason or "It waits for a person."
    match line.parked_cause:
        case Cause.SKU_UNMAPPED:
            route = "PUT /api/ocs/tenants/{tenant}/mappings/{pos_sku}"
            says = f'Say which OCS SKU "{line.pos_sku}" is; the line leaves by itself then, in its old place.'
            return Why(Cause.SKU_UNMAPPED, reason, Fix("map_sku", says, route))
        case Cause.PLATFORM_REJECTED:
            says = "Correct what the platform named, or retry when the cause was theirs and is mended."
            return Why(Cause.PLATFORM_REJECTED, reason, _correct(says))
        case Cause.PLATFORM_FAILED:
            says = "Retry it; if the platform fails on it again, tell the OCS, or correct the line."
            return Why(Cause.PLATFORM_FAILED, reason, _retry(says))
        case Cause.WARNED:
            return Why(Cause.WARNED, reason, _retry("Look at it: correct what is wrong, or retry where it is right."))
        case _:
            return Why(Cause.PARKED, reason, _retry("Retry it, or correct it."))


def _in_hand(stream: StreamFacts, *, frozen: bool) -> Why:
    if frozen:
        return Why(Cause.BEING_SENT, "It is being sent this moment.", _wait("Wait some seconds.", stream.lease_until))
    says = "Lines before it are being sent this moment; a store's lines go in their order."
    return Why(Cause.BEHIND_OTHERS, says, _wait("Wait until those before it are through.", None))


def _paused(stream: StreamFacts) -> Why | None:
    told = f" {stream.paused_why}" if stream.paused_why else ""
    later = f"Nothing is lost: it goes out when it is resumed.{told}"
    match stream.paused_through:
        case "store":
            return Why(Cause.STORE_PAUSED, f"This store is paused. {later}", Fix("resume", "Resume the store."))
        case "connection":
            says = f"The connection to the OCS platform is paused. {later}"
            return Why(Cause.CONNECTION_PAUSED, says, Fix("resume", "Resume the connection."))
        case "tenant":
            says = f"The whole company is paused. {later}"
            return Why(Cause.TENANT_PAUSED, says, Fix("resume", "Resume the company."))
        case None if not stream.switched_on:
            says = "This store does not report: it is switched off. What is recorded goes out when it is switched on."
            return Why(Cause.STORE_OFF, says, Fix("switch_on", "Switch the store's reporting on."))
        case None:
            return None


def _anchoring(stream: StreamFacts) -> Why | None:
    if stream.anchored:
        return None
    says = "The OCS platform has accepted no position of this store yet. Events count from the first one, so they wait."
    fix = "Upload the store's inventory; its first position is made of it the same night, or at once by hand."
    return Why(Cause.FIRST_POSITION, says, Fix("send_position", fix, "POST /api/ocs/position/submit"))


def _held(stream: StreamFacts) -> Why | None:
    """Answer for what holds all stores of the connection."""
    until = stream.hold_until
    if until is None or until <= stream.now:
        return None
    match stream.hold_cause:
        case "slow_down":
            says = "The OCS platform asked us to call less for a while."
            return Why(Cause.SLOW_DOWN, says, _wait("Wait: it is sent by itself then.", until))
        case "credentials":
            return _refused("The OCS platform, or its sign-in, refuses the connection's credentials.", stream)
        case _:
            says = f"The OCS platform does not answer as it should. It is tried again by itself.{_last_words(stream)}"
            return Why(Cause.BREAKER_OPEN, says, _wait("Wait: one call tries whether it is back.", until))


def _waiting(stream: StreamFacts, goes_first: bool) -> Why | None:
    """Answer for what holds this store alone."""
    if stream.is_due or stream.due_at is None:
        return None
    match stream.wait_cause:
        case "slow_down":
            says = "The OCS platform asked us to call less for a while."
            return Why(Cause.SLOW_DOWN, says, _wait("Wait: it is sent by itself then.", stream.due_at))
        case "credentials":
            return _refused("The OCS platform refuses this store's hash key, or the connection's credentials.", stream)
        case "ours":
            says = f"We could not call the OCS platform: our own key vault or sign-in failed.{_last_words(stream)}"
            return Why(Cause.OUR_FAULT, says, _wait("Wait; if it stays, tell the operator.", stream.due_at))
        case _:
            whose = "it" if goes_first else "a line before it; a store's lines go in their order"
            says = f"The OCS platform failed on {whose}. It is tried again by itself.{_last_words(stream)}"
            return Why(Cause.BACKOFF, says, _submit("Wait, or submit it now.", stream.due_at))


def _due(stream: StreamFacts) -> Why:
    """Answer for a store that nothing holds."""
    if stream.due_at is None:
        return Why(Cause.NOT_DUE, "It is recorded, and nobody was told to send it.", _submit("Submit it now.", None))
    if not stream.has_free_slot:
        says = "All calls that the connection may make at a time are in use for other stores."
        return Why(Cause.CALLS_BUSY, says, _wait("Wait: its turn comes within a minute or so.", None))
    return Why(Cause.QUEUED, "It was queued just now and goes out next.", _wait("Wait some seconds.", None))


def _refused(says: str, stream: StreamFacts) -> Why:
    fix = "Store the right credentials; it is tried again by itself."
    until = max((at for at in (stream.hold_until, stream.due_at) if at is not None), default=None)
    mend = Fix("rotate_credentials", fix, "POST /api/ocs/credentials", until)
    return Why(Cause.CREDENTIALS_REFUSED, says + _last_words(stream), mend)


def _last_words(stream: StreamFacts) -> str:
    return f" It said last: {stream.said}" if stream.said else ""


def _nothing(says: str) -> Fix:
    return Fix("none", says)


def _wait(says: str, until: datetime | None) -> Fix:
    return Fix("wait", says, until=until)


def _retry(says: str) -> Fix:
    return Fix("retry", says, "POST /api/ocs/events/retry")


def _correct(says: str) -> Fix:
    return Fix("correct", says, "POST /api/ocs/events/lines/{line_id}/correct")


def _submit(says: str, until: datetime | None) -> Fix:
    return Fix("submit", says, "POST /api/ocs/events/submit", until)
