"""Who this app is in Azure: its managed identity."""

from azure.identity.aio import ManagedIdentityCredential

from ocs.settings import Settings

POSTGRES_SCOPE = "https://ossrdbms-aad.database.windows.net/.default"
"""The audience of a Postgres token (Microsoft Learn, "Use Microsoft Entra ID for authentication with PostgreSQL")."""


class Identity:
    """The managed identity; its credential caches tokens by itself."""

    def __init__(self, settings: Settings) -> None:
        """Prepare the credential; nothing is asked before the first use."""
        client_id = settings.identity_client_id
        self.credential = ManagedIdentityCredential(client_id=client_id) if client_id else ManagedIdentityCredential()

    async def database_password(self) -> str:
        """Give a fresh token to sign in to Postgres with; it lives for about an hour."""
        token: str = (await self.credential.get_token(POSTGRES_SCOPE)).token
        return token

    async def close(self) -> None:
        """Close the credential's own connections."""
        await self.credential.close()
