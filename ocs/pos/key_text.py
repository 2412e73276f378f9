"""How a POS's key is written: `ocs_`, its id, and 256 random bits with a checksum. Pure.

The checksum tells a key that was mistyped or cut from one that is wrong, without asking anybody, and lets scanners of
source code tell a key from any other text (as GitHub's tokens do: "Behind GitHub's new authentication token formats").
"""

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass, field

PREFIX = "ocs_"
ID_BYTES, RANDOM_BYTES = 6, 32
SHAPE = re.compile(r"ocs_(?P<key_id>[0-9a-f]{12})_(?P<random>[0-9a-f]{64})(?P<checksum>[0-9a-f]{8})")


@dataclass(frozen=True)
class Key:
    """A whole key; `text` is the secret, which no log and no error shows."""

    key_id: str
    text: str = field(repr=False)

    @property
    def hash(self) -> bytes:
        """What the database keeps: SHA-256 is enough, since nobody can try 2^256 keys."""
        return hashlib.sha256(self.text.encode()).digest()

    @property
    def secret_name(self) -> str:
        """Under which name the key lies in the vault."""
        return secret_name(self.key_id)


def secret_name(key_id: str) -> str:
    """Give the name in the vault of the key with an id."""
    return f"key-of-pos-{key_id}"


def new_key() -> Key:
    """Make a key that nobody has."""
    key_id = secrets.token_hex(ID_BYTES)
    unsealed = f"{PREFIX}{key_id}_{secrets.token_hex(RANDOM_BYTES)}"
    return Key(key_id, unsealed + _checksum(unsealed))


def read_key(text: str) -> Key | None:
    """Read a key as somebody gave it; None where it is mistyped, cut, or no key at all."""
    found = SHAPE.fullmatch(text)
    if found is None or _checksum(text[: found.start("checksum")]) != found["checksum"]:
        return None
    return Key(found["key_id"], text)


def is_same(key: Key, known: bytes | None) -> bool:
    """Tell whether a key has the known hash, in a time that does not depend on where they differ."""
    return hmac.compare_digest(key.hash, known or b"")


def _checksum(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"
