"""The demo's staff: one person of each role, and their requests to the app."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from devstack.demo.retailer import CROL, operator
from devstack.sign_in.people import PEOPLE, Person
from devstack.stack import Stack

SUPER_ADMIN = "super-admin"
MAY = {
    "super-admin": "does everything, for all retailers",
    "tenant-admin": "this retailer's stores, people and credentials, and all below",
    "manager": "operates: mends, maps, corrects, sends again",
    "staff": "looks and submits",
    "viewer": "looks",
}
"""What each role may do, in words."""
MAILS_GO_TO = next(person.user_name for person in PEOPLE if person.key == "manager")
"""Who gets the alerts' mails."""
WHY = "the demo's staff"


def grant_all(app_env: Mapping[str, str]) -> None:
    """Grant each person the role that the person is named for, by the operator's own command; raises OperatorError."""
    with ThreadPoolExecutor(len(PEOPLE)) as pool:  # each command takes a second, most of it in starting
        list(pool.map(lambda person: _grant(app_env, person), PEOPLE))


def _grant(app_env: Mapping[str, str], person: Person) -> None:
    tenant = [] if person.key == SUPER_ADMIN else [CROL]
    operator(app_env, "grant", person.oid, person.key, *tenant, "--name", person.name, "--why", WHY)


class Staff:
    """Asks the app for things, as one of the people."""

    def __init__(self, stack: Stack, host_url: str) -> None:
        """Take where people get tokens, and where the app answers."""
        self._tokens = f"{stack.sign_in.control}/tokens"
        self._host_url = host_url

    def ask(self, role: str, method: str, path: str, body: object = None) -> Any:
        """Give the answer to a request under `/api/ocs/`; raises httpx.HTTPStatusError when it is refused."""
        token = httpx.get(f"{self._tokens}/{role}").raise_for_status().text
        headers = {"Authorization": f"Bearer {token}", "Ocs-Why": "the demo"}
        reply = httpx.request(method, f"{self._host_url}/api/ocs/{path}", json=body, headers=headers, timeout=30)
        return reply.raise_for_status().json()
