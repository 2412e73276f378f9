"""What the browser keeps for Easy Auth: sealed texts that only a host with the same key can read or write.

A host that starts again with its key knows its sessions, as in Azure, where they outlive the instance.
"""

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from starlette.responses import Response

SESSION = "AppServiceAuthSession"
SESSION_SECONDS = 8 * 3600
"""Azure's default, `cookieExpiration.timeToExpiration`."""
BEGUN = "AppServiceAuthBegun"
BEGUN_SECONDS = 600
BEGUN_PATH = "/.auth/login/aad"


class Seal:
    """Seals and opens the cookies' texts; `secret` is the host's own key."""

    def __init__(self, secret: str) -> None:
        """Derive a key for this use alone."""
        derived = hashlib.sha256(b"easy-auth cookies\0" + secret.encode()).digest()
        self._box = Fernet(base64.urlsafe_b64encode(derived))

    def put(self, reply: Response, name: str, value: Mapping[str, Any]) -> None:
        """Set a session or a begun sign-in on a reply."""
        path, seconds = _place(name)
        sealed = self._box.encrypt(json.dumps({**value, "until": time.time() + seconds}).encode()).decode()
        reply.set_cookie(name, sealed, max_age=seconds, path=path, httponly=True, samesite="lax")

    def read(self, cookies: Mapping[str, str], name: str) -> dict[str, Any] | None:
        """Give what a cookie holds; None where there is none, or one that is over or not ours."""
        try:
            value: dict[str, Any] = json.loads(self._box.decrypt(cookies.get(name, "").encode()))
        except InvalidToken:
            return None
        return value if value["until"] > time.time() else None


def forget(reply: Response, name: str) -> None:
    """Take a cookie away."""
    reply.delete_cookie(name, path=_place(name)[0], httponly=True, samesite="lax")


def _place(name: str) -> tuple[str, int]:
    return ("/", SESSION_SECONDS) if name == SESSION else (BEGUN_PATH, BEGUN_SECONDS)
