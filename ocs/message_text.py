"""A queue message's text, however its sender wrapped it."""

import base64
import binascii

from ocs.bad_input import bad_input

SIGNED = b"ocs-signed "
"""How a signed message begins (pos/signed_text.py)."""
BEGINNINGS = (b"{", b"[", SIGNED)


def decode(body: bytes) -> str:
    """Give a message's text: plain JSON, signed or not, or the same in base64, as POS systems differ in what they send.

    Raises BadInput for bytes that are neither. JSON begins with a character that base64 does not have, and the mark of
    a signature has one in it, so the two cannot be taken for each other.
    """
    plain = body.strip().removeprefix(b"\xef\xbb\xbf").lstrip()
    if not plain.startswith(BEGINNINGS):
        try:
            decoded = base64.b64decode(b"".join(plain.split()), validate=True)
        except binascii.Error:
            decoded = b""
        if decoded.strip().removeprefix(b"\xef\xbb\xbf").lstrip().startswith(BEGINNINGS):
            plain = decoded.strip().removeprefix(b"\xef\xbb\xbf")
    try:
        return plain.decode("utf-8")
    except UnicodeDecodeError:
        raise bad_input("the whole message", repr(body[:40]), "JSON in UTF-8, plain or in base64") from None
