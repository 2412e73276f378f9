"""The request headers by which App Service Authentication tells the app who is signed in.

Source: https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
"""

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

PROVIDER = "aad"
OURS = (b"x-ms-client-principal", b"x-ms-token-")
"""What these headers begin with; from outside none of them comes through."""
URI = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
MAPPED = {
    "name": "name",
    "oid": "http://schemas.microsoft.com/identity/claims/objectidentifier",
    "tid": "http://schemas.microsoft.com/identity/claims/tenantid",
    "sub": f"{URI}/nameidentifier",
}
"""Claims get other names on the way (the default claims mapping); the rest keep theirs."""
Header = tuple[bytes, bytes]


def without_ours(headers: Iterable[Header]) -> list[Header]:
    """Give a request's headers without those that only App Service Authentication may set."""
    return [(name, value) for name, value in headers if not name.lower().startswith(OURS)]


def of_person(claims: Mapping[str, Any], id_token: str) -> list[Header]:
    """Give the headers that tell the app about a signed-in person."""
    principal = {
        "auth_typ": PROVIDER,
        "claims": typed(claims),
        "name_typ": f"{URI}/emailaddress",
        "role_typ": "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
    }
    said = {
        "x-ms-client-principal": base64.b64encode(json.dumps(principal).encode()).decode(),
        "x-ms-client-principal-id": str(claims["oid"]),
        "x-ms-client-principal-name": str(claims["preferred_username"]),
        "x-ms-client-principal-idp": PROVIDER,
        "x-ms-token-aad-id-token": id_token,
    }
    return [(name.encode(), value.encode("latin-1", "replace")) for name, value in said.items()]


def typed(claims: Mapping[str, Any]) -> list[dict[str, str]]:
    """Give the claims as a list of types and values."""
    return [{"typ": MAPPED.get(name, name), "val": str(value)} for name, value in claims.items()]
