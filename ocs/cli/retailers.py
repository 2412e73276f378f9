"""The commands that take a retailer on: onboard, secrets, map-sku, reporting."""

import sys
from pathlib import Path

from pydantic import ValidationError

from ocs.bad_input import BadInput, explain
from ocs.cli.command import CROL, CRSA, Answer, Call, Command, NotDone, argument
from ocs.cli.mending import ring_for
from ocs.cli.show import cell
from ocs.mapping.change import map_sku
from ocs.mapping.lookup import MappedSku
from ocs.tenants.onboard import DescribedTenant, onboard, switch_reporting
from ocs.tenants.reach import tenant_in_reach
from ocs.tenants.read import tenant_of


async def _onboard(call: Call) -> Answer:
    """Take on the retailer that a JSON file describes; a repeat changes what differs."""
    content = call.args.file.read_bytes()
    try:
        described = DescribedTenant.model_validate_json(content)
    except ValidationError as error:
        raise BadInput(explain(error)) from None
    own = await call.runtime()
    async with own.pool.transaction() as connection:
        stores = await onboard(connection, described)
        tenant_id = await tenant_of(connection, described.crol)
        after = described.model_dump(mode="json")
        await call.act.note(connection, "tenant.onboarded", tenant_id=tenant_id, subject=described.crol, after=after)
    return Answer(stores, "\n".join(f"{crsa}  {store_id}" for crsa, store_id in stores.items()))


async def _secrets(call: Call) -> Answer:
    """Put secrets into Key Vault: NAME=VALUE lines on standard input, so that no value is in the shell's history."""
    given: dict[str, str] = {}
    for number, line in enumerate(sys.stdin, 1):
        name, _, value = line.strip().partition("=")
        if not name or not value:
            raise NotDone(f"line {number} is not NAME=VALUE; nothing was stored")  # and not shown: it may be a secret
        given[name] = value
    own = await call.runtime()
    for name, value in given.items():
        async with own.pool.transaction() as connection:
            await call.act.note(connection, "secret.stored", tenant_id=None, subject=name)
        await own.vault.store(name, value)
    return Answer({"stored": list(given)}, "\n".join(f"{cell(name)}  stored" for name in given))


async def _map_sku(call: Call) -> Answer:
    """Say which OCS SKU and barcode a retailer's own SKU stands for."""
    args, own = call.args, await call.runtime()
    item = MappedSku(args.ocs_sku, args.upc)
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, call.act.caller, args.crol)
        await map_sku(connection, tenant_id, args.pos_sku, item)
        after = {"ocs_sku": item.ocs_sku, "upc": item.upc}
        await call.act.note(connection, "sku.mapped", tenant_id=tenant_id, subject=args.pos_sku, after=after)
    text = f"{args.pos_sku} is {args.ocs_sku} {args.upc}".rstrip()
    return Answer({"pos_sku": args.pos_sku, **after}, cell(text))


async def _switch(call: Call) -> Answer:
    """Switch a store's reporting on or off; what is recorded while off goes out when it is on again."""
    args, own = call.args, await call.runtime()
    async with own.pool.transaction() as connection:
        on = args.to == "on"
        store_id = await switch_reporting(connection, args.crol, args.crsa, reporting=on)
        tenant_id = await tenant_of(connection, args.crol)
        await call.act.note(
            connection,
            "store.switched",
            tenant_id=tenant_id,
            store_id=store_id,
            subject=args.crsa,
            after={"reporting": on},
        )
    await ring_for(own, store_id)
    return Answer({"crsa": args.crsa, "reporting": on}, f"{args.crsa}  reporting {args.to}")


COMMANDS = (
    Command(
        "onboard",
        _onboard,
        (argument("file", type=Path, help="the description, see docs/onboarding.md"),),
        ("onboard retailer.json",),
        acts=True,
    ),
    Command("secrets", _secrets, examples=("secrets < secrets.txt",), acts=True),
    Command(
        "map-sku",
        _map_sku,
        (CROL, argument("pos_sku"), argument("ocs_sku"), argument("upc", nargs="?", default="")),
        ("map-sku CROL1000001 OUR-77 101955_3.5g___ 00708762000695",),
        acts=True,
    ),
    Command(
        "reporting",
        _switch,
        (CROL, CRSA, argument("to", choices=["on", "off"])),
        ("reporting CROL1000001 CRSA1000001 off --why 'renovation'",),
        acts=True,
    ),
)
