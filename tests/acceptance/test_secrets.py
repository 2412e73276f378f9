"""Secrets are in the vault and nowhere else: not in logs, not in the database, not in a reply."""

from pathlib import Path

from tests.acceptance.scene import Scene, eventually


def test_after_refusals_and_failures_no_secret_lies_anywhere(scene: Scene) -> None:
    """Each way in which a secret could slip into a text: refused token, refused hash key, failures, dead letters."""
    scene.arrives(scene.sell())
    scene.fault("status", status=500, times=1)
    scene.arrives(scene.sell())
    scene.tell_store(scene.first, "c" * 64)
    line_ids = scene.sell()
    refused = "select 1 from delivery_attempts join stores using (store_id) where crsa = %s and outcome = 'credentials'"
    eventually(lambda: scene.rows(refused, scene.first), "the hash key was refused")
    scene.tell_store(scene.first, scene.hash_keys[scene.first])
    scene.arrives(line_ids)

    secrets = [scene.client_secret, *scene.hash_keys.values()]
    texts = {path.name: path.read_text(errors="replace") for path in _logs(scene)}
    texts["database"] = _everything_in_the_database(scene)
    assert len(texts["database"]) > 1_000
    assert scene.crol in texts["database"]
    found = [(name, secret[:4]) for name, text in texts.items() for secret in secrets if secret in text]
    assert found == []


def _logs(scene: Scene) -> list[Path]:
    return [path for path in scene.stack.folder.glob("host*.log") if path.stat().st_size]


def _everything_in_the_database(scene: Scene) -> str:
    tables = scene.rows("select table_name from information_schema.tables where table_schema = 'public'")
    texts = [
        str(scene.rows(f"select t::text as row from {table['table_name']} as t"))  # noqa: S608 - the schema's own names
        for table in tables
    ]
    return "\n".join(texts)
