"""The few calls of Azure Queue Storage that the host makes, over aiohttp and signed once with an account SAS.

Not the SDK, because the host is measured with thousands of messages: through Azurite on two cores a get + delete costs
1.0 ms of CPU a message with azure-storage-queue 12.18 and 0.17 ms here, a put 1.0 and 0.17 ms.
"""

import asyncio
import base64
import binascii
import logging
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Self
from urllib.parse import quote
from xml.sax.saxutils import escape

import aiohttp
from azure.storage.queue import AccountSasPermissions, QueueServiceClient, ResourceTypes, generate_account_sas
from yarl import URL

log = logging.getLogger(__name__)

API_VERSION = "2025-07-05"
"""Stated, so that every recent Azurite knows it."""
SAS_LIFE = timedelta(days=365)
"""Longer than any local run; the account is an emulator's."""
CALL_SECONDS = 30
KEEP_ALIVE_SECONDS = 4
"""Below Node's own 5 s, so that a call never meets a connection that Azurite is just closing."""
WAITS_BEFORE_RETRY = (0.1, 0.4, 1.6)
FIRST_SERVER_FAULT = 500


class StorageFailed(Exception):  # noqa: N818 - it names what happened
    """The queue service refused a call; `code` is its error code, as in "QueueNotFound"."""

    def __init__(self, status: int, code: str, what: str) -> None:
        """Keep the status and code for callers that tell them apart."""
        super().__init__(f"{what}: {status} {code}")
        self.status = status
        self.code = code

    @property
    def message_is_gone(self) -> bool:
        """Whether someone else has taken over or deleted the message (as QueueProcessor.cs sorts it)."""
        return self.code in {"MessageNotFound", "PopReceiptMismatch", "QueueNotFound"}


@dataclass(frozen=True)
class Message:
    """One message as it was received; `text` is as on the wire, times are UTC."""

    id: str
    text: str
    dequeue_count: int
    inserted: datetime
    expires: datetime
    next_visible: datetime
    pop_receipt: str


class Queue:
    """One queue; `arrived` is set by each put from this process, so that its own listener need not wait to poll.

    The storage extension does the same for its output bindings and poison queues (its SharedQueueWatcher.cs).
    """

    def __init__(self, storage: "Storage", name: str) -> None:
        """Name the queue; nothing is sent."""
        self.name = name
        self.arrived = asyncio.Event()
        self._storage = storage
        self._path = f"/{name}"
        self._messages = f"/{name}/messages"

    async def create(self) -> None:
        """Make the queue unless it exists."""
        await self._storage.call("PUT", self._path)

    async def put(self, text: str) -> None:
        """Put one message that lives 7 days (the service's default); makes a missing queue first."""
        # An XML reader turns a bare carriage return into a line feed.
        body = escape(text, {"\r": "&#13;"})
        document = f"<QueueMessage><MessageText>{body}</MessageText></QueueMessage>".encode()
        try:
            await self._storage.call("POST", self._messages, body=document)
        except StorageFailed as failure:
            if failure.code != "QueueNotFound":
                raise
            await self.create()
            await self._storage.call("POST", self._messages, body=document)
        self.arrived.set()

    async def get(self, count: int, hidden: timedelta) -> list[Message]:
        """Take up to `count` (1 to 32) messages, hidden from others for so long."""
        query = f"numofmessages={count}&visibilitytimeout={hidden.total_seconds():.0f}&"
        _, content = await self._storage.call("GET", self._messages, query)
        return [_message(element) for element in ET.fromstring(content)]  # noqa: S314 - from the stack's own emulator

    async def hide(self, message: Message, seconds: float, receipt: str) -> str:
        """Hide a message for so long from now (0 gives it back); gives the new pop receipt."""
        query = f"popreceipt={quote(receipt, safe='')}&visibilitytimeout={seconds:.0f}&"
        headers, _ = await self._storage.call("PUT", f"{self._messages}/{message.id}", query)
        return headers["x-ms-popreceipt"]

    async def delete(self, message: Message, receipt: str) -> None:
        """Delete a message for good."""
        await self._storage.call("DELETE", f"{self._messages}/{message.id}", f"popreceipt={quote(receipt, safe='')}&")


class Storage:
    """One storage account's queues."""

    def __init__(self, connection_string: str) -> None:
        """Sign in by the string's key; nothing is sent. Raises ValueError for a string that cannot be read."""
        service = QueueServiceClient.from_connection_string(connection_string)
        self._base = service.url.rstrip("/")
        self._sas = generate_account_sas(
            str(service.account_name),
            str(getattr(service.credential, "account_key", "")),
            resource_types=ResourceTypes(service=True, container=True, object=True),
            permission=AccountSasPermissions(
                read=True, write=True, delete=True, list=True, add=True, create=True, update=True, process=True
            ),
            expiry=datetime.now(UTC) + SAS_LIFE,
        )
        self._queues: dict[str, Queue] = {}
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        """Open the connections."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
            headers={"x-ms-version": API_VERSION},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._session.close()

    def queue(self, name: str) -> Queue:
        """Give the queue of this name, the same object each time."""
        return self._queues.setdefault(name, Queue(self, name))

    async def call(
        self, method: str, path: str, query: str = "", body: bytes | None = None
    ) -> tuple[Mapping[str, str], bytes]:
        """Send one call, again after a fault of the service or the line; gives headers and body.

        Raises StorageFailed, or aiohttp.ClientError when the service cannot be reached. As with the SDK, a put that is
        tried again may arrive twice.
        """
        url = URL(f"{self._base}{path}?{query}{self._sas}", encoded=True)
        for wait in (*WAITS_BEFORE_RETRY, None):
            try:
                return await self._send(method, url, body)
            except (StorageFailed, aiohttp.ClientError, TimeoutError) as failure:
                if wait is None or (isinstance(failure, StorageFailed) and failure.status < FIRST_SERVER_FAULT):
                    raise
                log.debug("%s %s is tried again: %s", method, path, failure)
            await asyncio.sleep(wait)
        raise AssertionError("the last try returns or raises")

    async def _send(self, method: str, url: URL, body: bytes | None) -> tuple[Mapping[str, str], bytes]:
        async with self._session.request(method, url, data=body) as reply:
            content = await reply.read()
            if not reply.ok:
                raise StorageFailed(reply.status, reply.headers.get("x-ms-error-code", ""), f"{method} {url.path}")
            return reply.headers, content


def encoded(text: str, *, as_base64: bool) -> str:
    """Give a message's text as it goes on the wire."""
    return base64.b64encode(text.encode()).decode() if as_base64 else text


def decoded(text: str, *, base64_expected: bool) -> str:
    """Give a message's body as the function is to see it; raises ValueError for what is not base64 of UTF-8."""
    if not base64_expected:
        return text
    try:
        # White space is allowed, as .NET reads base64; a sender that wraps its lines is common.
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _message(element: ET.Element) -> Message:
    found = {child.tag: child.text or "" for child in element}
    return Message(
        id=found["MessageId"],
        text=found["MessageText"],
        dequeue_count=int(found["DequeueCount"]),
        inserted=parsedate_to_datetime(found["InsertionTime"]),
        expires=parsedate_to_datetime(found["ExpirationTime"]),
        next_visible=parsedate_to_datetime(found["TimeNextVisible"]),
        pop_receipt=found["PopReceipt"],
    )
