"""A Data Platform in memory for tests of the engine: it answers as scripted and keeps what it accepted.

A fake, shipped with the tests; the acceptance tests use the stand-in server instead.
"""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from ocs.azure.queues import Queues
from ocs.azure.vault import Vault
from ocs.errors import ConfigurationError, QueueUnavailable, VaultUnavailable

CROL, FIRST, SECOND, THIRD = "CROL1234567", "CRSA1111111", "CRSA2222222", "CRSA3333333"
Answer = Callable[[httpx.Request], httpx.Response]


class FakeVault(Vault):
    """Secrets from a dict; counts how often each was read afresh. `down` makes every call fail.

    `before` holds the values that are good beside the current ones while they are rotated.
    """

    def __init__(self) -> None:
        """Start with the right secrets."""
        self.secrets = {"client-secret": "s3cret", "hash-key": "a" * 64}
        self.before: dict[str, str] = {}
        self.fresh_reads: list[str] = []
        self.down = False

    async def good_values(self, name: str, *, fresh: bool = False) -> tuple[str, ...]:
        """Give a secret, and the one before it while that is good too."""
        self._answer(name)
        if fresh:
            self.fresh_reads.append(name)
        if name not in self.secrets:
            raise ConfigurationError(f"Key Vault has no secret named {name}, or it is disabled")
        return (self.secrets[name], *([self.before[name]] if name in self.before else []))

    async def store(self, name: str, value: str, *, overlap: timedelta = timedelta()) -> None:
        """Keep a secret, and the one before it where they overlap."""
        self._answer(name)
        if overlap and name in self.secrets:
            if self.secrets[name] != value:
                self.before[name] = self.secrets[name]
        else:
            self.before.pop(name, None)
        self.secrets[name] = value

    def _answer(self, name: str) -> None:
        if self.down:
            raise VaultUnavailable(f"Key Vault did not give {name}: scripted")

    async def close(self) -> None:
        """Hold nothing to close."""


class FakeQueues(Queues):
    """Queues in memory; `down` makes every put fail."""

    def __init__(self) -> None:
        """Start with nothing on any queue."""
        self.messages: dict[str, list[str]] = {}
        self.down = False

    async def put(self, queue: str, text: str, *, hidden_seconds: int = 0) -> str:  # noqa: ARG002 - nothing waits here
        """Put one message; gives its id."""
        if self.down:
            raise QueueUnavailable(f"the queue {queue} did not take a message: scripted")
        self.messages.setdefault(queue, []).append(text)
        return f"message-{len(self.messages[queue])}"

    async def approximate_length(self, queue: str) -> int:
        """Give how many messages are on a queue."""
        return len(self.messages.get(queue, []))

    async def close(self) -> None:
        """Hold nothing to close."""


@dataclass
class Platform:
    """The scripted platform: `answers` are used up first, then every call is accepted."""

    answers: list[Answer] = field(default_factory=list)
    refused_skus: set[str] = field(default_factory=set)
    failing_skus: set[str] = field(default_factory=set)
    """SKUs on which it fails with a 500."""
    calls: list[list[str]] = field(default_factory=list)
    """The line ids of every POST that got here, in order."""
    accepted: dict[str, dict[str, Any]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    """Line ids in the order of their first acceptance."""
    gets: dict[str, Answer] = field(default_factory=dict)
    """How it answers a GET, by the end of its path, such as RetailerASNHttpTrigger; else with 404."""
    positions: list[tuple[str, str, list[dict[str, str]]]] = field(default_factory=list)
    """Accepted positions in order: CRSA, positionTimeStamp, lines."""
    token_answers: list[Answer] = field(default_factory=list)
    tokens_given: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    _vault: FakeVault = field(default_factory=FakeVault)

    def client(self) -> httpx.AsyncClient:
        """Give an HTTP client that reaches this platform and nothing else."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self.answer))

    def vault(self) -> FakeVault:
        """Give the vault with the secrets for it."""
        return self._vault

    def tenant(self) -> dict[str, Any]:
        """Describe a tenant with three stores in three zones."""
        connection = {
            "name": "uat",
            "environment": "uat",
            "base_url": "https://platform.example/func",
            "token_url": "https://platform.example/token",
            "scope": "scope",
            "client_id": "client",
            "client_secret_name": "client-secret",
            "concurrent_calls": 2,
        }
        zones = {FIRST: "America/Toronto", SECOND: "America/Winnipeg", THIRD: "America/Atikokan"}
        stores = [
            {
                "crsa": crsa,
                "name": crsa,
                "time_zone": zone,
                "pos_vendor": "DemoPOS",
                "pos_vendor_version": "1.0",
                "connection": "uat",
                "hash_key_name": "hash-key",
                "already_reporting": True,
            }
            for crsa, zone in zones.items()
        ]
        return {"crol": CROL, "name": "Test Cannabis", "connections": [connection], "stores": stores}

    def record(self, request: httpx.Request) -> None:
        """Take a batch's lines into the ledger."""
        for line in json.loads(request.content)["inventoryEventList"]:
            if line["posTransactionLineId"] not in self.accepted:
                self.order.append(line["posTransactionLineId"])
            self.accepted[line["posTransactionLineId"]] = line

    def _position(self, request: httpx.Request) -> httpx.Response:
        if self.answers:
            return self.answers.pop(0)(request)
        at, crsa = request.url.params["positionTimeStamp"], request.url.params["retailerCRSA"]
        self.positions.append((crsa, at, json.loads(request.content)["inventoryPositionList"]))
        return httpx.Response(200, json={"referenceId": f"ref-{next(self._numbers)}"})

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer a call as scripted, or honestly."""
        if request.url.path == "/token":
            return self._token(request)
        if request.method == "GET":
            found = [answer for end, answer in self.gets.items() if request.url.path.endswith(end)]
            return found[0](request) if found else httpx.Response(404)
        if "positionTimeStamp" in request.url.params:
            return self._position(request)
        return self._events(request)

    def _token(self, request: httpx.Request) -> httpx.Response:
        if self.token_answers:
            return self.token_answers.pop(0)(request)
        self.tokens_given += 1
        return httpx.Response(200, json={"access_token": f"token-{self.tokens_given}", "expires_in": 3600})

    def _events(self, request: httpx.Request) -> httpx.Response:
        lines = json.loads(request.content)["inventoryEventList"]
        self.calls.append([line["posTransactionLineId"] for line in lines])
        if self.answers:
            return self.answers.pop(0)(request)
        refused = [line["ocsSku"] for line in lines if line["ocsSku"] in self.refused_skus]
        if refused:
            return httpx.Response(400, json={"error": f"ocsSku {refused[0]} is not valid"})
        if any(line["ocsSku"] in self.failing_skus for line in lines):
            return httpx.Response(500, json={"error": "internal error"})
        self.record(request)
        return httpx.Response(200, json={"referenceId": f"ref-{next(self._numbers)}"})


def status(code: int, headers: dict[str, str] | None = None) -> Answer:
    """Answer with a status and record nothing."""
    return lambda _request: httpx.Response(code, headers=headers, json={"error": f"scripted {code}"})


def cut(_request: httpx.Request) -> httpx.Response:
    """Cut the connection without recording."""
    raise httpx.RemoteProtocolError("cut")
