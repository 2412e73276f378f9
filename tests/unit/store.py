"""A store for tests without a database."""

from uuid import UUID

from ocs.tenants.models import Store

STORE = Store(
    store_id=UUID("00000000-0000-4000-8000-000000000001"),
    tenant_id=UUID("00000000-0000-4000-8000-000000000002"),
    connection_id=UUID("00000000-0000-4000-8000-000000000003"),
    crol="CROL1234567",
    crsa="CRSA1111111",
    name="Queen Street",
    time_zone="America/Toronto",
    pos_vendor="DemoPOS",
    pos_vendor_version="1.0",
    hash_key_name="hash-key",
    reporting=True,
    environment="uat",
    base_url="https://platform.example/func",
    token_url="https://sign-in.example/token",
    scope="scope",
    client_id="client",
    client_secret_name="client-secret",
    process_on_field=None,
    counted_from=None,
    parking_warnings=[],
)
