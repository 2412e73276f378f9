"""Who may call: clients and their tokens, stores and their hash keys."""

import hmac
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from uuid import uuid4

from devstack.regulator.calls import Call, RefusedError, Reply, json_reply
from devstack.regulator.contract.shape import required

TOKENS_BEFORE_TIDYING = 1000
HASH_KEY_HEADER = b"retailer_hashkey"


@dataclass(frozen=True, slots=True, repr=False)
class Client:
    """A POS provider's registration; tokens last `expires_in` seconds."""

    client_secret: str
    expires_in: float


@dataclass(frozen=True, slots=True, repr=False)
class Store:
    """A store's authorization: its company, its hash key, and the client that may report for it."""

    crol: str
    hash_key: str
    client_id: str


class Access:
    """The clients, the stores and the tokens in force."""

    def __init__(self) -> None:
        """Start with nobody: the control door tells who there is."""
        self.clients: dict[str, Client] = {}
        self.stores: dict[str, Store] = {}
        self._tokens: dict[str, tuple[str, float]] = {}

    def sign_in(self, call: Call) -> Reply:
        """Give a token for a client's credentials; raises RefusedError with a body of Entra's shape.

        Source of the codes: Microsoft Entra's list of AADSTS errors.
        """
        form = dict(parse_qsl(call.body.decode("latin-1"), keep_blank_values=True))
        for name in ("grant_type", "client_id", "scope"):
            if not form.get(name):
                text = f"The request body must contain the following parameter: '{name}'."
                raise _not_signed_in(400, "invalid_request", 900144, text)
        if form["grant_type"] != "client_credentials":
            raise _not_signed_in(400, "unsupported_grant_type", 70003, "The grant type is not supported.")
        client_id = form["client_id"]
        client = self.clients.get(client_id)
        if client is None:
            raise _not_signed_in(400, "invalid_client", 700016, f"Application '{client_id}' was not found.")
        if not _same(form.get("client_secret", ""), client.client_secret):
            raise _not_signed_in(401, "invalid_client", 7000215, "Invalid client secret provided.")
        lasts = int(client.expires_in) if client.expires_in.is_integer() else client.expires_in
        reply = {"token_type": "Bearer", "expires_in": lasts, "ext_expires_in": lasts}
        token = self._issue(client_id, client.expires_in)
        return json_reply(200, reply | {"access_token": token}, Cache_Control="no-store")

    def _issue(self, client_id: str, lasts: float) -> str:
        now = time.monotonic()
        if len(self._tokens) >= TOKENS_BEFORE_TIDYING:
            self._tokens = {token: kept for token, kept in self._tokens.items() if kept[1] > now}
        token = secrets.token_urlsafe(32)
        self._tokens[token] = (client_id, now + lasts)
        return token

    def client_of(self, call: Call) -> str | None:
        """Give the client whose token (in force) or sign-in form the call carries, else None."""
        if call.path == "token":
            return dict(parse_qsl(call.body.decode("latin-1"))).get("client_id")
        scheme, _, token = call.headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        client_id, ends = self._tokens.get(token.strip(), (None, 0.0))
        return client_id if scheme.lower() == "bearer" and time.monotonic() < ends else None

    def revoke(self, client_id: str | None) -> int:
        """Refuse the tokens given so far, of one client or of all; give how many there were."""
        kept = {} if client_id is None else {t: of for t, of in self._tokens.items() if of[0] != client_id}
        revoked = len(self._tokens) - len(kept)
        self._tokens = kept
        return revoked

    def check_token(self, call: Call) -> None:
        """Raise RefusedError (401) for a token that is unknown, expired or revoked."""
        if call.client_id is None:
            body = {"statusCode": 401, "message": "Unauthorized. Access token is missing or invalid."}
            raise RefusedError(json_reply(401, body, WWW_Authenticate='Bearer error="invalid_token"'))

    def check_store(self, call: Call, parameter: str) -> str:
        """Give the CRSA of the query.

        Raises RefusedError where it is not the client's (403) or the hash key is not the store's (401).
        """
        crsa = required(call, parameter)
        store = self.stores.get(crsa)
        if store is None or store.client_id != call.client_id:
            body = {"error": {"code": "Forbidden", "message": f"{crsa} is not authorized for this client"}}
            raise RefusedError(json_reply(403, body))
        if not _same(call.headers.get(HASH_KEY_HEADER, b"").decode("latin-1"), store.hash_key):
            text = b"retailer_hashkey is missing or does not belong to this retailerCRSA"
            raise RefusedError(Reply(401, text, "text/plain; charset=utf-8"))
        return crsa

    def forget(self, crsa: str | None) -> None:
        """Drop one store's registration; or all of them, with all clients and tokens."""
        if crsa is not None:
            self.stores.pop(crsa, None)
            return
        self.clients.clear()
        self.stores.clear()
        self._tokens.clear()


def _same(given: str, kept: str) -> bool:
    return hmac.compare_digest(given.encode(), kept.encode())


def _not_signed_in(status: int, error: str, code: int, text: str) -> RefusedError:
    body = {
        "error": error,
        "error_description": f"AADSTS{code}: {text}",
        "error_codes": [code],
        "timestamp": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}",
        "trace_id": str(uuid4()),
        "correlation_id": str(uuid4()),
    }
    return RefusedError(json_reply(status, body))
