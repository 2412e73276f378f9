"""The demo's retailer: known to the regulator stand-in, and onboarded into the app by the operator's own commands."""

import json
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from devstack.processes import REPO_ROOT, clean_environment

CROL = "CROL1000001"
CLIENT_ID = "demo-pos-provider"
CLIENT_SECRET_NAME = "demo-client-secret"  # noqa: S105 - a name in the vault, not a secret


@dataclass(frozen=True)
class DemoStore:
    """A store of the demo; `time_zone` is its IANA zone."""

    crsa: str
    name: str
    time_zone: str

    @property
    def hash_key_name(self) -> str:
        """The name of its hash key in the vault."""
        return f"demo-hash-key-{self.crsa.lower()}"


STORES = (
    DemoStore("CRSA1000001", "Queen Street, Toronto", "America/Toronto"),
    DemoStore("CRSA1000002", "Lakeview, Kenora", "America/Winnipeg"),
    DemoStore("CRSA1000003", "Main Street, Atikokan", "America/Atikokan"),
)


OPENING_QUANTITY = 24
"""Eaches of every product that each store holds when the demo's day begins."""


class OperatorError(RuntimeError):
    """A command of the app failed; the message is what it said."""


def onboard(regulator_url: str, app_env: Mapping[str, str], folder: Path) -> None:
    """Make the retailer known on both sides: the platform's, and the app's by migrate, secrets and onboard.

    Raises OperatorError when one of the app's commands fails.
    """
    client_secret = secrets.token_urlsafe(24)
    hash_keys = {store: secrets.token_hex(32) for store in STORES}
    with httpx.Client(base_url=regulator_url) as control:
        control.put(f"/_control/clients/{CLIENT_ID}", json={"client_secret": client_secret}).raise_for_status()
        for store, hash_key in hash_keys.items():
            known = {"crol": CROL, "hash_key": hash_key, "client_id": CLIENT_ID}
            control.put(f"/_control/stores/{store.crsa}", json=known).raise_for_status()
    description = folder / "retailer.json"
    description.write_text(json.dumps(_description(regulator_url), indent=2), encoding="utf-8")
    values = {CLIENT_SECRET_NAME: client_secret} | {store.hash_key_name: key for store, key in hash_keys.items()}
    operator(app_env, "migrate")
    operator(app_env, "secrets", stdin="".join(f"{name}={value}\n" for name, value in values.items()))
    operator(app_env, "onboard", str(description))


def operator(app_env: Mapping[str, str], *words: str, stdin: str = "") -> str:
    """Run one of the app's own commands (`python -m ocs …`) and give what it printed; raises OperatorError."""
    done = subprocess.run(
        [sys.executable, "-m", "ocs", *words],
        cwd=REPO_ROOT,
        env=clean_environment() | dict(app_env),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise OperatorError(f"python -m ocs {words[0]} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout


def _description(regulator_url: str) -> dict[str, object]:
    connection = {
        "name": "uat",
        "environment": "uat",
        "base_url": f"{regulator_url}/func",
        "token_url": f"{regulator_url}/oauth2/token",
        "scope": "api://stand-in/.default",
        "client_id": CLIENT_ID,
        "client_secret_name": CLIENT_SECRET_NAME,
    }
    stores = [
        {
            "crsa": store.crsa,
            "name": store.name,
            "time_zone": store.time_zone,
            "pos_vendor": "DemoPOS",
            "pos_vendor_version": "1.0",
            "connection": "uat",
            "hash_key_name": store.hash_key_name,
        }
        for store in STORES
    ]
    return {"crol": CROL, "name": "Demo Cannabis Inc.", "connections": [connection], "stores": stores}
