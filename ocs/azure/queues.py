"""Puts messages on the storage queues."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from ocs.azure.identity import Identity
from ocs.errors import ConfigurationError, QueueUnavailable
from ocs.settings import Settings

LARGEST_MESSAGE = 64 * 1024
"""Bytes of one message's text (Azure Queue Storage's limit); ours are plain text, not base64."""
FOR_EVER = -1
AT_ONCE = 16
"""Messages put side by side: one HTTP call each, and the queue's order means nothing anyway."""
API_VERSION = "2025-07-05"
"""Stated, so that an upgrade of the SDK does not change what the service is asked for."""


class Queues:
    """The app's queues, signed in by connection string on the local stack and by identity in Azure."""

    def __init__(self, settings: Settings, identity: Identity) -> None:
        """Prepare the client; nothing is sent before the first `put`."""
        if settings.storage is not None:
            self._service = QueueServiceClient.from_connection_string(
                settings.storage.get_secret_value(), api_version=API_VERSION
            )
        elif settings.storage_queue_uri is not None:
            self._service = QueueServiceClient(
                settings.storage_queue_uri, credential=identity.credential, api_version=API_VERSION
            )
        else:
            raise ConfigurationError("OCS_STORAGE or OCS_STORAGE__queueServiceUri must be set")
        self._clients: dict[str, QueueClient] = {}

    async def put(self, queue: str, text: str, *, hidden_seconds: int = 0) -> str:
        """Put one message that never expires; gives its id. Makes the queue when it is missing.

        Raises QueueUnavailable.
        """
        client = self._clients.setdefault(queue, self._service.get_queue_client(queue))
        try:
            return await _send(client, text, hidden_seconds)
        except AzureError as error:
            raise QueueUnavailable(f"the queue {queue} did not take a message: {type(error).__name__}") from None

    async def put_all(self, queue: str, texts: Sequence[str]) -> list[str]:
        """Put several messages, a few at a time; gives their ids in the texts' order.

        Raises the first failure after all puts that had begun are done: some may be on the queue then, and putting
        the same transaction twice is harmless.
        """
        gate = asyncio.Semaphore(AT_ONCE)

        async def put(text: str) -> str:
            async with gate:
                return await self.put(queue, text)

        results = await asyncio.gather(*(put(text) for text in texts), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [str(result) for result in results]

    async def approximate_length(self, queue: str) -> int:
        """Give about how many messages are on a queue, hidden ones too; none where there is no such queue.

        Raises QueueUnavailable.
        """
        client = self._clients.setdefault(queue, self._service.get_queue_client(queue))
        try:
            return int((await client.get_queue_properties()).approximate_message_count or 0)
        except ResourceNotFoundError:
            return 0
        except AzureError as error:
            raise QueueUnavailable(f"the queue {queue} did not say its length: {type(error).__name__}") from None

    async def close(self) -> None:
        """Close the client's connections."""
        await self._service.close()


async def _send(client: QueueClient, text: str, hidden_seconds: int) -> str:
    try:
        sent = await client.send_message(text, visibility_timeout=hidden_seconds, time_to_live=FOR_EVER)
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # another worker made it meanwhile
            await client.create_queue()
        sent = await client.send_message(text, visibility_timeout=hidden_seconds, time_to_live=FOR_EVER)
    return str(sent.id)


def doorbell(store_id: object) -> str:
    """Write the doorbell's message: which store has something to send."""
    return json.dumps({"store_id": str(store_id)})
