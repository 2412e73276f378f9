"""A signed message: one line with the signature, then the message itself, as it would be without. Pure.

    ocs-signed v1 3f9c0a1b2c4d 2026-11-20T19:31:30.123Z 9f86d0…
    {"tenant_id": "CROL1000001", …}

The line names the key, a stamp that the sender uses for this message only (the time, for instance), and the signature:
the HMAC-SHA256 (RFC 2104) in hexadecimal of the stamp, a line feed and the message, with the whole key as its secret.
A line before the message, not a field in it: nobody need agree with anybody on how JSON is written, and a message stays
as long as it was, but for that line. The stamp makes each signature another one, so the signature is the message's own
number: whoever puts the same signed message on a queue again repeats it, and undoes no correction that came since.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

MARK = "ocs-signed "
HEAD = re.compile(
    r"ocs-signed v1 (?P<key_id>[0-9a-f]{12}) (?P<stamp>[0-9A-Za-z:.+_-]{1,64}) (?P<signature>[0-9a-fA-F]{64})\r?\n"
)
STAMP_BYTES = 16
HEAD_BYTES = len(f"{MARK}v1 ") + 12 + 1 + 2 * STAMP_BYTES + 1 + 64 + 1
"""By how much a signature of ours makes a message longer."""


@dataclass(frozen=True)
class SignedText:
    """A message with what was said of its signature; nothing is checked yet."""

    key_id: str
    stamp: str
    signature: str
    body: str

    @property
    def message_id(self) -> str:
        """The message's own number: the same however often and by whomever it is put on a queue."""
        return f"signed-{self.signature}"

    def is_signed_with(self, key: str) -> bool:
        """Tell whether the signature was made with a key, in a time that does not depend on where it differs."""
        return hmac.compare_digest(self.signature, signature_of(key, self.stamp, self.body))


def read_signed(text: str) -> SignedText | None:
    """Read a message that begins as a signed one does; None where that line is not as it must be."""
    head = HEAD.match(text)
    if head is None:
        return None
    return SignedText(head["key_id"], head["stamp"], head["signature"].lower(), text[head.end() :])


def is_marked(text: str) -> bool:
    """Tell whether a message says that it is signed."""
    return text.startswith(MARK)


def sign(key_id: str, key: str, body: str, stamp: str | None = None) -> str:
    """Write a message with its signature, under a stamp that is used for nothing else."""
    stamp = stamp or secrets.token_hex(STAMP_BYTES)
    return f"{MARK}v1 {key_id} {stamp} {signature_of(key, stamp, body)}\n{body}"


def signature_of(key: str, stamp: str, body: str) -> str:
    """Give the HMAC-SHA256 of a stamp and a body, in small hexadecimal letters."""
    return hmac.new(key.encode(), f"{stamp}\n{body}".encode(), hashlib.sha256).hexdigest()
