"""Keys and signatures through the functions host: each door, revocation at once, and a secret that lies nowhere."""

import json

import httpx
import pytest

from ocs.pos.key_text import Key
from ocs.pos.signed_text import sign
from tests.acceptance.scene import Scene, eventually


@pytest.fixture
def key(scene: Scene) -> Key:
    """Have the tenant's administrator make a key."""
    reply = httpx.post(path_of(scene, "pos-keys"), json={"label": "till"}, headers=admin(scene), timeout=30)
    made = reply.raise_for_status().json()
    return Key(made["key_id"], made["key"])


def path_of(scene: Scene, name: str) -> str:
    """Give the address of one of the tenant's own routes."""
    return f"{scene.host.url}/api/ocs/tenants/{scene.crol}/{name}"


def admin(scene: Scene) -> dict[str, str]:
    """Give what the tenant's administrator sends."""
    return scene.headers("tenant-admin")


def post(scene: Scene, key: Key, body: object) -> httpx.Response:
    """Post as a POS with a key."""
    return httpx.post(f"{scene.host.url}/api/ocs/transactions", json=body, headers={"Ocs-Key": key.text}, timeout=30)


def require(scene: Scene) -> None:
    """Have the tenant's messages signed, and let the minute until then be over, as time would."""
    reply = httpx.put(path_of(scene, "pos-signatures"), json={"required": True}, headers=admin(scene), timeout=30)
    reply.raise_for_status()
    tenant = scene.rows("select tenant_id from tenants where crol = %s", scene.crol)[0]["tenant_id"]
    query = "update pos_signatures set required_from = now() - interval '1 min' where tenant_id = %s returning 1"
    scene.rows(query, tenant)


def test_signed_messages_arrive_and_unsigned_ones_are_dead_letters_with_an_alert(scene: Scene, key: Key) -> None:
    require(scene)
    good, bad, forged = scene.sale(lines=2), scene.sale(), scene.sale()
    scene.put(sign(key.key_id, key.text, json.dumps(good)))
    scene.put(bad)
    scene.put(sign(key.key_id, "ocs_another_key", json.dumps(forged)))
    scene.arrives(item["line_id"] for item in good["items"])
    for sale, reason in ((bad, "found none"), (forged, "another one than the key")):
        (letter,) = eventually(lambda sale=sale: scene.dead_letters(sale["transaction_id"]), "it is a dead letter")  # type: ignore[misc]
        assert reason in letter["reason"]
    query = "select 1 from alerts join tenants using (tenant_id) where crol = %s and cause = 'bad_signature'"
    assert len(scene.rows(query, scene.crol)) == 1
    assert len(scene.outbox()) == 2


def test_what_is_posted_over_http_arrives_where_signatures_are_required(scene: Scene, key: Key) -> None:
    require(scene)
    sale = scene.sale()
    assert post(scene, key, sale).status_code == 202
    scene.arrives(item["line_id"] for item in sale["items"])


def test_a_key_of_one_tenant_posts_nothing_for_another(scene: Scene, key: Key) -> None:
    """A key of each of two tenants, in one host; 422 whether there is the other tenant or not."""
    replies = [post(scene, key, scene.sale(tenant_id=crol)) for crol in ("CROL9999998", "CROL9999999")]
    assert [reply.status_code for reply in replies] == [422, 422]
    assert scene.outbox() == []


def test_a_revoked_key_is_refused_by_the_next_request(scene: Scene, key: Key) -> None:
    assert post(scene, key, scene.sale()).status_code == 202
    httpx.delete(path_of(scene, f"pos-keys/{key.key_id}"), headers=admin(scene), timeout=30).raise_for_status()
    reply = post(scene, key, scene.sale())
    assert (reply.status_code, reply.json()["title"]) == (401, "Nothing was taken in: the key was revoked")


def test_a_key_lies_in_no_log_and_no_table(scene: Scene, key: Key) -> None:
    assert post(scene, key, scene.sale()).status_code == 202
    assert post(scene, Key(key.key_id, key.text[:-1]), scene.sale()).status_code == 401
    scene.put(sign(key.key_id, key.text, json.dumps(scene.sale())))
    eventually(lambda: len(scene.outbox()) == 2, "both are on record")
    secret = key.text.split("_")[2]
    texts = [path.read_text(errors="replace") for path in scene.stack.folder.glob("host*.log")]
    tables = scene.rows("select table_name from information_schema.tables where table_schema = 'public'")
    for table in tables:
        name = table["table_name"]
        texts.append(str(scene.rows(f"select t::text as row from {name} as t")))  # noqa: S608 - the schema's own names
    assert any(key.key_id in text for text in texts)
    assert [text[:40] for text in texts if secret in text] == []
