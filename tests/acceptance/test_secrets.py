"""Secrets are in the vault and nowhere else: not in logs, not in the database, not in a reply or a description."""

import secrets
from pathlib import Path

import httpx

from tests.acceptance.scene import Scene, eventually


def test_after_refusals_and_failures_no_secret_lies_anywhere(scene: Scene) -> None:
    """Each way in which a secret could slip into a text: refused tokens and keys, failures, bad bodies."""
    scene.arrives(scene.sell())
    scene.fault("status", status=500, times=1)
    scene.arrives(scene.sell())
    scene.tell_store(scene.first, "c" * 64)
    line_ids = scene.sell()
    refused = "select 1 from delivery_attempts join stores using (store_id) where crsa = %s and outcome = 'credentials'"
    eventually(lambda: scene.rows(refused, scene.first), "the hash key was refused")
    scene.tell_store(scene.first, scene.hash_keys[scene.first])
    scene.arrives(line_ids)
    headers, new_secret = scene.headers("tenant-admin"), secrets.token_urlsafe(24)
    answers = _answers(scene, headers, new_secret)

    token = headers["Authorization"].partition(" ")[2]
    hidden = [scene.client_secret, *scene.hash_keys.values(), scene.pos_key, token, token.split(".")[2], new_secret]
    texts = {path.name: path.read_text(errors="replace") for path in _logs(scene)}
    texts["database"] = _everything_in_the_database(scene)
    texts["answers"] = "\n".join(answers)
    texts["description"] = httpx.get(f"{scene.host.url}/api/ocs/openapi.json", timeout=30).text
    assert len(texts["database"]) > 1_000
    assert scene.crol in texts["database"]
    found = [(name, secret[:4]) for name, text in texts.items() for secret in hidden if secret in text]
    assert found == []


def _answers(scene: Scene, headers: dict[str, str], new_secret: str) -> list[str]:
    """Send secrets where they are wanted and where they are not; gives what was answered, headers too."""
    url = f"{scene.host.url}/api/ocs"
    kept = {"tenant": scene.crol, "connection": "uat", "client_secret": new_secret}
    scene.tell_client(new_secret)
    good = httpx.post(f"{url}/credentials", json=kept, headers=headers, timeout=30)
    assert good.status_code == 200, good.text
    bad_bodies: list[object] = [
        kept | {"client_secrt": new_secret},
        new_secret,
        [new_secret],
        kept | {"store": new_secret},
    ]
    replies = [good, *(httpx.post(f"{url}/credentials", json=body, headers=headers, timeout=30) for body in bad_bodies)]
    wrong_key = {"Ocs-Key": scene.pos_key[:-1] + ("a" if scene.pos_key[-1] != "a" else "b")}
    for sent in (headers | {"Authorization": headers["Authorization"][:-3] + "abc"}, wrong_key):
        replies.append(httpx.post(f"{url}/transactions", json={}, headers=sent, timeout=30))
        replies.append(httpx.get(f"{url}/credentials", params={"tenant": scene.crol}, headers=sent, timeout=30))
    replies.append(httpx.get(f"{url}/credentials", params={"tenant": scene.crol}, headers=headers, timeout=30))
    replies.append(httpx.get(f"{url}/audit", headers=headers, timeout=30))
    assert {reply.status_code for reply in replies} == {200, 401, 422}
    return [f"{reply.headers} {reply.text}" for reply in replies]


def _logs(scene: Scene) -> list[Path]:
    return [path for path in scene.stack.folder.glob("host*.log") if path.stat().st_size]


def _everything_in_the_database(scene: Scene) -> str:
    tables = scene.rows("select table_name from information_schema.tables where table_schema = 'public'")
    texts = [
        str(scene.rows(f"select t::text as row from {table['table_name']} as t"))  # noqa: S608 - the schema's own names
        for table in tables
    ]
    return "\n".join(texts)
