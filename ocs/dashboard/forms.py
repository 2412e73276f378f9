"""The token that every form carries, so that no other site's page can send one in the name of whoever is signed in.

The browser keeps a random seed in a cookie that only this page gets; a form carries what the seed makes of the person.
Who can neither read the cookie nor the page cannot make the token. `web/guard.py` looks at where a request comes from
besides: either check alone would do.
"""

import hashlib
import hmac
import secrets

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "form_seed"
FIELD = "form_token"
PATH = "/api/dashboard"
SHORTEST_SEED = 32


def seed_of(request: Request) -> str | None:
    """Give the seed that the browser keeps, where it keeps one."""
    seed = request.cookies.get(COOKIE, "")
    return seed if len(seed) >= SHORTEST_SEED else None


def new_seed() -> str:
    """Make a seed."""
    return secrets.token_urlsafe(SHORTEST_SEED)


def token_of(seed: str, subject: str) -> str:
    """Make the token of a person's forms."""
    return hmac.new(seed.encode(), subject.encode(), hashlib.sha256).hexdigest()


def is_own(given: str, seed: str | None, subject: str) -> bool:
    """Tell whether a form's token was made from this browser's seed for this person."""
    return seed is not None and hmac.compare_digest(given.encode(), token_of(seed, subject).encode())


def keep_seed(request: Request, response: Response, seed: str) -> None:
    """Have the browser keep the seed until it is closed; over HTTPS it is sent over nothing else."""
    # What ends TLS in front of the app says so in this header.
    secure = "https" in (request.url.scheme, request.headers.get("X-Forwarded-Proto"))
    response.set_cookie(COOKIE, seed, path=PATH, httponly=True, samesite="strict", secure=secure)
