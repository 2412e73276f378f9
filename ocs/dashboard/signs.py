"""What the page calls things: each state with a word, a shape and a tone, and what is said after a form."""

from typing import NamedTuple

from ocs.dashboard.words import NOTHING, words


class Sign(NamedTuple):
    """How a state is shown: a word, a shape that says the same without colour, and the class that gives the colour."""

    text: str
    shape: str
    tone: str


GOOD, WAITS, BAD, QUIET = "good", "waits", "bad", "quiet"

ANSWERS = {
    "yes": Sign("Compliant", "✓", GOOD),
    "at risk": Sign("At risk", "▲", WAITS),
    "no": Sign("Not compliant", "✕", BAD),
}
NIGHTS = {
    "accepted": Sign("Accepted", "✓", GOOD),
    "under_way": Sign("On its way", "▲", WAITS),
    "refused": Sign("Refused", "✕", BAD),
    "not_made": Sign("Not made", "✕", BAD),
    "not_due": Sign("Not due yet", NOTHING, QUIET),
}
BREAKERS = {
    "closed": Sign("Calls go through", "✓", GOOD),
    "ramping": Sign("Starting again, few calls at a time", "▲", WAITS),
    "open": Sign("Calls are held: the platform does not answer", "✕", BAD),
}
CREDENTIALS = {
    "good": Sign("Accepted", "✓", GOOD),
    "refused": Sign("Refused", "✕", BAD),
    "not_used": Sign("Not used yet", NOTHING, QUIET),
}
STATES = {
    "accepted": Sign("Accepted", "✓", GOOD),
    "pending": Sign("Waits to be sent", "▲", WAITS),
    "frozen": Sign("In a batch to be sent", "▲", WAITS),
    "parked": Sign("Parked: needs a person", "✕", BAD),
    "superseded": Sign("Replaced by a correction", NOTHING, QUIET),
}
OUTCOMES = {
    "sent": "sent, no answer known yet",
    "accepted": "accepted",
    "rejected": "refused by the platform",
    "slow_down": "the platform asked for fewer calls",
    "credentials": "the credentials were refused",
    "upstream": "the platform failed or did not answer",
    "ours": "it failed on our side",
}
SHIPMENTS = {
    "expected": Sign("Expected", "▲", WAITS),
    "received": Sign("Received", "✓", GOOD),
    "reconciled": Sign("Received, and all of it is at the OCS", "✓", GOOD),
}
LETTER_STATES = {"open": "Not taken in yet", "redriven": "Taken in after all", "dismissed": "Dismissed"}
ALERT_STATES = {
    "open": "Everything that is wrong now",
    "acknowledged": "Wrong now, and somebody looks after it",
    "silenced": "Silenced",
    "closed": "Over",
    "all": "All",
}
SEVERITIES = {
    "critical": Sign("Critical", "✕", BAD),
    "warning": Sign("Warning", "▲", WAITS),
}
TYPES = {
    "sale": "Sale",
    "purchase": "Receipt",
    "adjustment": "Adjustment",
    "transfer": "Transfer out",
    "transfer_in": "Transfer in",
    "return": "Customer return",
    "damage": "Damaged",
    "expire": "Expired",
    "loss": "Lost or stolen",
    "supplier_return": "Return to OCS",
}
CAUSES = {
    "sku_unmapped": "whose SKU is not mapped",
    "platform_rejected": "refused by the platform",
    "platform_failed": "on which the platform failed again and again",
    "warned": "held for a look, as something is odd",
    "parked": "parked",
    "store_off": "while reporting is switched off",
    "store_paused": "while the store is paused",
    "connection_paused": "while the connection is paused",
    "tenant_paused": "while the company is paused",
    "first_position": "until the store's first position is accepted",
    "breaker_open": "while the platform does not answer",
    "slow_down": "while the platform asks for fewer calls",
    "credentials_refused": "while the credentials are refused",
    "backoff": "until the next try",
    "our_fault": "for a fault on our side",
    "being_sent": "being sent this moment",
    "behind_others": "behind those that are being sent",
    "calls_busy": "until a call is free",
    "queued": "about to be sent",
    "not_due": "that nobody was told to send",
}
"""What of a store waits, after a number."""
TABLES = {
    "answer": ANSWERS,
    "night": NIGHTS,
    "breaker": BREAKERS,
    "credentials": CREDENTIALS,
    "state": STATES,
    "severity": SEVERITIES,
    "shipment": SHIPMENTS,
}
DONE = {
    "retried": "Done: it is sent again now. This page shows what becomes of it.",
    "corrected": "Done: the corrected line goes out under the same line id and replaces the wrong one.",
    "mapped": "Done: the SKU is mapped. The lines that waited for it leave by themselves.",
    "unmapped": "Done: the mapping is taken back. Future lines of this SKU wait.",
    "redriven": "Done: the message is taken in again.",
    "dismissed": "Done: the message is dismissed, with your reason.",
    "acknowledged": "Done: the alert is acknowledged.",
    "heard": "Done: the alert is told again.",
    "kept": "Done: the hash key is stored. It is not shown again.",
    "tried": "Done: the sign-in was asked. What it said stands below.",
    "silenced": "Done: the alert is silenced for that time.",
    "paused": "Done: reporting is paused. Nothing is lost.",
    "resumed": "Done: reporting goes on.",
    "position": "Done: the position is made and on its way.",
    "stored": "Done: the credentials were checked, and are stored. They are not shown again.",
    "received": "Done: the shipment is received. Its lines are reported like any others.",
    "fetching": "Done: the shipping notices are being read.",
}
"""What is said after a form; the address names it by its key, so nobody else's words can be put onto the page."""


def sign(table: str, value: str) -> Sign:
    """Give how a state is shown; one that has no sign yet is shown by its own name, without a judgement."""
    return TABLES[table].get(value, Sign(words(value), NOTHING, QUIET))
