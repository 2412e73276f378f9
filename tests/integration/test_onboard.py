"""Taking on a tenant: whole, again, and refused with the field's name."""

from typing import Any

import pytest
from pydantic import ValidationError

from ocs.bad_input import BadInput
from ocs.errors import NotFound
from ocs.runtime import Runtime
from ocs.tenants.onboard import DescribedTenant, onboard, switch_reporting
from ocs.tenants.read import store_of, tenant_of
from tests.integration.platform import CROL, FIRST, Platform
from tests.integration.pos import rows


async def _onboard(runtime: Runtime, description: dict[str, Any]) -> None:
    async with runtime.pool.transaction() as connection:
        await onboard(connection, DescribedTenant.model_validate(description))


async def test_a_new_connection_gets_the_plan_of_record(runtime: Runtime) -> None:
    found = await rows(runtime, "select transaction_type, ocs_type, confirmed from transaction_mappings order by 1")
    assert {row["transaction_type"]: (row["ocs_type"], row["confirmed"]) for row in found} == {
        "adjustment": ("ADJUSTMENT", False),
        "damage": ("DESTRUCTION", True),
        "expire": ("DESTRUCTION", True),
        "loss": ("LOSS", False),
        "purchase": ("RECEIVING", True),
        "return": ("RETURN", True),
        "sale": ("PURCHASE", True),
        "supplier_return": ("SUPPLIER_RETURN", False),
        "transfer": ("TRANSFER_OUT", True),
        "transfer_in": ("TRANSFER_IN", False),
    }


async def test_a_repeat_changes_what_differs_and_keeps_own_mappings(runtime: Runtime, platform: Platform) -> None:
    description = platform.tenant()
    own = {"ocs_type": "SALE", "direction": -1, "wire_sign": "ledger", "confirmed": True}
    description["connections"][0]["mappings"] = {"sale": own}
    await _onboard(runtime, description)
    plain = platform.tenant()
    plain["stores"][0]["name"] = "A new name"
    await _onboard(runtime, plain)
    sale = await rows(
        runtime, "select ocs_type, wire_sign, confirmed from transaction_mappings where transaction_type = 'sale'"
    )
    assert sale == [{"ocs_type": "SALE", "wire_sign": "ledger", "confirmed": True}]
    async with runtime.pool.transaction() as connection:
        assert (await store_of(connection, CROL, FIRST)).name == "A new name"
    assert len(await rows(runtime, "select * from stores")) == 3


async def test_a_repeat_leaves_a_store_that_was_switched_off_off(runtime: Runtime, platform: Platform) -> None:
    async with runtime.pool.transaction() as connection:
        await switch_reporting(connection, CROL, FIRST, reporting=False)
    await _onboard(runtime, platform.tenant())
    async with runtime.pool.transaction() as connection:
        assert not (await store_of(connection, CROL, FIRST)).reporting


async def test_a_store_of_another_tenant_is_not_taken_over(runtime: Runtime, platform: Platform) -> None:
    with pytest.raises(BadInput, match=r"stores\[0\].crsa"):
        await _onboard(runtime, platform.tenant() | {"crol": "CROL7654321"})
    assert [row["crol"] for row in await rows(runtime, "select crol from tenants")] == [CROL]


async def test_a_store_on_an_unknown_connection_is_refused(runtime: Runtime, platform: Platform) -> None:
    description = platform.tenant()
    description["stores"][1]["connection"] = "production"
    with pytest.raises(BadInput, match=r'stores\[1\].connection: found "production", expected .*uat'):
        await _onboard(runtime, description)


@pytest.mark.parametrize(
    ("field", "value"),
    [("time_zone", "America/Thunder"), ("crsa", "CRSA12"), ("hash_key_name", "a key!"), ("pos_vendor", "")],
)
def test_a_wrong_field_of_a_store_is_named(platform: Platform, field: str, value: str) -> None:
    description = platform.tenant()
    description["stores"][0][field] = value
    with pytest.raises(ValidationError) as caught:
        DescribedTenant.model_validate(description)
    assert [error["loc"] for error in caught.value.errors()] == [("stores", 0, field)]


async def test_what_does_not_exist_is_not_found(runtime: Runtime) -> None:
    async with runtime.pool.transaction() as connection:
        with pytest.raises(NotFound):
            await store_of(connection, "CROL7654321", FIRST)
        with pytest.raises(NotFound):
            await tenant_of(connection, "CROL7654321")
        with pytest.raises(NotFound):
            await switch_reporting(connection, "CROL7654321", FIRST, reporting=False)
