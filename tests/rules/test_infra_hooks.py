"""The hooks of a deployment do what they say; `az` and `gh` are stand-ins that note what they were asked."""

import http.server
import os
import re
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rules.tree import ROOT

GH = """#!/bin/sh
echo "gh $*" >> "$NOTES"
case "$2" in
    list) echo 42 ;;
    download) while [ "$1" != --dir ]; do shift; done; cp "$EARLIER" "$2/ocs.zip" ;;
esac
"""
AZ = """#!/bin/sh
echo "az $*" >> "$NOTES"
"""


@dataclass(frozen=True)
class Bench:
    """A copy of `infra` in a folder of its own, with stand-ins of the commands that hooks call."""

    folder: Path

    def run(self, hook: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a hook there."""
        given = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "NOTES": str(self.folder / "notes"),
            "EARLIER": str(self.folder / "earlier.zip"),
            "GITHUB_REPOSITORY": "owner/ocs",
            "OCS_RESOURCE_GROUP": "rg",
            "OCS_APP_NAME": "app",
        }
        command = [str(self.folder / "infra" / "hooks" / hook)]
        return subprocess.run(  # noqa: S603 - our own hooks
            command, cwd=self.folder, env=given | settings, capture_output=True, text=True, check=False, timeout=60
        )

    @property
    def notes(self) -> str:
        """What the stand-ins were asked."""
        notes = self.folder / "notes"
        return notes.read_text(encoding="utf-8") if notes.exists() else ""

    def package(self, name: str, schema: str) -> None:
        """Put a package that expects a schema."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(path, "w") as package:
            text = (ROOT / "ocs" / "db" / "schema.py").read_text(encoding="utf-8")
            lines = [
                f'SCHEMA_VERSION = "{schema}"' if one.startswith("SCHEMA_VERSION") else one for one in text.split("\n")
            ]
            package.writestr("ocs/db/schema.py", "\n".join(lines))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Give a bench with everything on it."""
    shutil.copytree(ROOT / "infra", tmp_path / "infra")
    (tmp_path / "bin").mkdir()
    for name, text in (("gh", GH), ("az", AZ)):
        command = tmp_path / "bin" / name
        command.write_text(text, encoding="utf-8")
        command.chmod(0o700)
    return Bench(tmp_path)


@pytest.fixture
def app() -> Iterator[str]:
    """Serve an app that is ready."""
    yield from _serving(200)


@pytest.fixture
def app_that_is_down() -> Iterator[str]:
    """Serve an app whose database is away."""
    yield from _serving(503)


def _serving(status: int) -> Iterator[str]:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/api/health/ready" else 404)
            self.end_headers()
            self.wfile.write(b'{"status": "told"}')

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_database_is_closed_again_when_the_hook_fails(bench: Bench) -> None:
    """Without a private network the server is opened for this machine alone, and only while the hook works."""
    settings = {
        "OCS_PRIVATE_NETWORK": "false",
        "OCS_MY_ADDRESS": "192.0.2.7",
        "OCS_PYTHON": "false",
        "OCS_DATABASE_SERVER": "server",
        "OCS_DATABASE_HOST": "server.invalid",
        "OCS_DATABASE_ADMIN": "administrator",
    }
    assert bench.run("postprovision.sh", **settings).returncode != 0
    opened, token, closed = bench.notes.splitlines()
    assert "firewall-rule create" in opened
    assert "--start-ip-address 192.0.2.7 --end-ip-address 192.0.2.7" in opened
    assert "get-access-token" in token
    assert "firewall-rule delete" in closed
    assert re.findall(r"--rule-name (\S+)", opened) == re.findall(r"--rule-name (\S+)", closed)


@pytest.mark.parametrize("environment", ["dev", "uat", "prod"])
def test_azd_gets_the_parameters_of_the_environment(bench: Bench, environment: str) -> None:
    assert bench.run("preprovision.sh", OCS_ENVIRONMENT=environment).returncode == 0
    bicep = bench.folder / "infra" / "bicep"
    assert (bicep / "main.bicepparam").read_text() == (bicep / f"{environment}.bicepparam").read_text()


@pytest.mark.parametrize("environment", ["", "main", "production", "../hooks/dev"])
def test_an_unknown_environment_is_refused(bench: Bench, environment: str) -> None:
    done = bench.run("preprovision.sh", OCS_ENVIRONMENT=environment)
    assert done.returncode == 1
    assert "no parameters for the environment" in done.stderr
    assert not (bench.folder / "infra" / "bicep" / "main.bicepparam").exists()


def test_smoke_is_content_with_an_app_that_is_ready(bench: Bench, app: str) -> None:
    assert bench.run("smoke.sh", OCS_APP_URL=app).stdout == f"ready: {app}\n"


def test_smoke_gives_up_on_an_app_that_is_not(bench: Bench, app_that_is_down: str) -> None:
    """And shows what the app said, for it names what is away."""
    done = bench.run("smoke.sh", OCS_APP_URL=app_that_is_down, OCS_SMOKE_SECONDS="0")
    assert done.returncode == 1
    assert "answers 503" in done.stderr
    assert '{"status": "told"}' in done.stderr


def test_the_package_of_the_last_good_run_is_shipped_back(bench: Bench, app: str) -> None:
    bench.package("dist/ocs.zip", "0003")
    bench.package("earlier.zip", "0003")
    done = bench.run("rollback.sh", OCS_ENVIRONMENT="dev", OCS_APP_URL=app)
    assert done.returncode == 0, done.stderr
    assert "run download 42" in bench.notes
    assert "config-zip" in bench.notes
    assert "rolled back to the package of run 42" in done.stderr


def test_a_package_of_an_older_schema_is_not_shipped_back(bench: Bench, app: str) -> None:
    """It would refuse the database's schema, and the app would be down for certain."""
    bench.package("dist/ocs.zip", "0004")
    bench.package("earlier.zip", "0003")
    done = bench.run("rollback.sh", OCS_ENVIRONMENT="dev", OCS_APP_URL=app)
    assert done.returncode == 1
    assert "needs the schema 0003, the database has 0004" in done.stderr
    assert "config-zip" not in bench.notes


def test_the_pipeline_gives_every_parameter_and_holds_no_secret() -> None:
    """What a parameter file reads from the environment is a variable there; GitHub signs in by OIDC."""
    deploy = (ROOT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8")
    files = [path.read_text(encoding="utf-8") for path in (ROOT / "infra" / "bicep").glob("*.bicepparam")]
    asked = {name for text in files for name in re.findall(r"readEnvironmentVariable\('(\w+)'", text)}
    assert len(asked) > 5
    assert {name for name in asked if f"      {name}: ${{{{" not in deploy} == set()
    assert "secrets." not in deploy.replace("no secret", "")
    assert deploy.count("id-token: write") == deploy.count("azure/login@")
    for hook in ("postprovision.sh", "ship.sh", "smoke.sh", "rollback.sh"):
        assert f"infra/hooks/{hook}" in deploy


def test_every_step_of_the_pipeline_comes_after_what_it_needs() -> None:
    """Nothing reaches Azure untested, nothing is changed unseen, and the schema is there before its code."""
    deploy = (ROOT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8")
    assert re.findall(r"^  ([a-z-]+):\n(?:    uses|    needs: ([a-z-]+))", deploy, re.MULTILINE) == [
        ("test", ""),
        ("build", "test"),
        ("what-if", "build"),
        ("deploy", "what-if"),
    ]
    steps = [deploy.index(f"run: infra/hooks/{hook}") for hook in ("postprovision", "ship", "smoke", "rollback")]
    assert steps == sorted(steps)
