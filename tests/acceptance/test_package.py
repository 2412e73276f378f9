"""The package that is deployed runs: from its zip, in an empty folder, on the pinned requirements alone.

The database is prepared by the hook of a deployment, and the app signs in as an identity's role that owns nothing.
"""

import asyncio
import json
import os
import secrets
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from devstack.package.__main__ import build
from devstack.processes import REPO_ROOT, clean_environment, free_port
from devstack.stack import Host, Stack
from tests.acceptance.conftest import QUICK
from tests.acceptance.scene import Scene

HOSTS_OWN = {
    "croniter", "uvicorn", "rich", "httptools", "h11", "click", "markdown-it-py", "mdurl", "pygments",
    "python-dateutil", "greenlet",
}  # fmt: skip
"""What the stand-in of the Functions host needs and Azure's host does not: taken from the tests' environment.

(greenlet is what structlog takes where it finds it.)
"""
HOOKS = REPO_ROOT / "infra" / "hooks"
SCENE = 9_000
BEHIND = "behind.pth"
"""Names the folders in which Python looks when the package's own libraries have not what is asked for."""
NO_SUCH_EXTENSION = """
create function pgaadauth_create_principal_with_oid(name text, oid text, kind text, is_admin boolean, is_mfa boolean)
returns text language plpgsql security definer as $$
begin
    execute format('create role %I login password %L', name, current_setting('stand_in.token'));
    return 'created';
end $$
"""
"""A stand-in of Microsoft's function, which is no part of Postgres: its role signs in with a password, not a token."""


@dataclass(frozen=True)
class Shipped:
    """The unpacked package and the Python that has its requirements and nothing else."""

    folder: Path
    python: Path
    libraries: Path

    def run(self, *words: str) -> str:
        """Run Python in the package; gives its stdout. Raises AssertionError with its stderr."""
        command = [str(self.python), *words]
        done = subprocess.run(  # noqa: S603 - our own words
            command, cwd=self.folder, env=clean_environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """Build the package, unpack it and install what it asks for, as Azure's remote build does."""
    home = tmp_path_factory.mktemp("package")
    build(REPO_ROOT, home / "ocs.zip")
    with zipfile.ZipFile(home / "ocs.zip") as package:
        package.extractall(home / "app")
    venv.create(home / "venv", with_pip=False)
    python = home / "venv" / "bin" / "python"
    libraries = sysconfig.get_path("purelib", "venv", {"base": str(home / "venv")})
    own = Shipped(home / "app", python, Path(libraries))
    # The tests' pip fills the other environment: one that had a pip of its own would take seconds longer to make.
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--quiet", "--disable-pip-version-check"]
    words = [*pip, "install", "--no-compile", "--requirement", "requirements.txt"]
    subprocess.run(words, cwd=own.folder, check=True)  # noqa: S603 - our own words
    return own


@pytest.fixture(scope="module")
def deployed(shipped: Shipped, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, dict[str, str]]]:
    """Run the stack with a database that the hook has prepared; gives it with the app's settings."""
    with Stack(tmp_path_factory.mktemp("deployed")) as stack:
        root = stack.postgres.url("postgres").replace("//ocs:", "//postgres:")
        administrator, token = secrets.token_hex(8), secrets.token_hex(8)
        _make_azure_like(root, administrator, token)
        _hook(shipped, root, administrator, stack.folder)
        _let_the_scene_in(root)
        identity = stack.postgres.url().partition("@")[2]
        before = dict(os.environ)
        os.environ.update(stack.app_env())  # the scene arranges its secrets with the app's own vault client
        yield stack, stack.app_env() | QUICK | {"OCS_DATABASE_URL": f"postgresql://ocs-test:{token}@{identity}"}
        os.environ.clear()
        os.environ.update(before)


def test_the_same_tree_gives_the_same_package(tmp_path: Path) -> None:
    """Byte for byte, and with what runs only: no test, no stand-in, nothing compiled."""
    names = build(REPO_ROOT, tmp_path / "one.zip")
    build(REPO_ROOT, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert {name.partition("/")[0] for name in names} == {"function_app.py", "host.json", "requirements.txt", "ocs"}
    assert [name for name in names if name.endswith(".pyc") or "__pycache__" in name] == []


def test_the_app_imports_on_its_requirements_alone(shipped: Shipped) -> None:
    """Nothing of the tests' environment is there when the app is imported as Azure does."""
    shown = json.loads(
        shipped.run(
            "-c",
            "import function_app, json, sys; "
            "print(json.dumps([m.__file__ for m in list(sys.modules.values()) if getattr(m, '__file__', None)]))",
        )
    )
    assert [file for file in shown if file.startswith(str(shipped.folder / "function_app"))]
    # The standard library belongs to the base Python, whose site-packages a virtual environment does not see.
    assert [file for file in shown if "site-packages" in file and not file.startswith(str(shipped.libraries))] == []


def test_the_package_is_ready_and_reports_a_sale(
    shipped: Shipped, deployed: tuple[Stack, dict[str, str]], tmp_path: Path
) -> None:
    stack, settings = deployed
    host = _start(shipped, stack, settings, tmp_path)
    scene = Scene(stack, host, SCENE)
    try:
        asyncio.run(scene.arrange())
        assert f"ready: {host.url}" in _smoke(host)
        scene.arrives(scene.sell())
    finally:
        scene.close()
        host.stop()
        (shipped.libraries / BEHIND).unlink()
    loaded = json.loads((tmp_path / "loaded.json").read_text(encoding="utf-8"))
    assert _from(loaded, "ocs") == {shipped.folder}
    strangers = {name for name, file in loaded.items() if _is_of_the_tests(file)}
    assert {_distribution_of(name) for name in strangers} <= HOSTS_OWN
    assert {name for name, file in loaded.items() if file.startswith(str(shipped.libraries))} > {"psycopg", "fastapi"}


def test_the_hook_may_run_again(shipped: Shipped, deployed: tuple[Stack, dict[str, str]], tmp_path: Path) -> None:
    """A second run changes nothing: roles, their rights and the database stay as they are."""
    stack, _ = deployed
    root = stack.postgres.url("postgres").replace("//ocs:", "//postgres:")
    before = _roles(root)
    administrator = secrets.token_hex(8)
    with psycopg.connect(root, autocommit=True) as server:
        server.execute(sql.SQL("alter role administrator password {}").format(sql.Literal(administrator)))
    _hook(shipped, root, administrator, tmp_path)
    assert _roles(root) == before
    assert ("ocs-test", "ocs_app") in before
    assert ("ocs-test", "administrator") not in before


def _make_azure_like(root: str, administrator: str, token: str) -> None:
    """Take away what the stack has prepared, and add an administrator who is no superuser, and Microsoft's function."""
    with psycopg.connect(root, autocommit=True) as server:
        server.execute("drop database ocs")
        server.execute("drop role ocs_app, ocs_staff")
        server.execute(
            sql.SQL("create role administrator login createrole createdb password {}").format(
                sql.Literal(administrator)
            )
        )
        server.execute(sql.SQL("alter database postgres set stand_in.token = {}").format(sql.Literal(token)))
        server.execute(NO_SUCH_EXTENSION)


def _hook(shipped: Shipped, root: str, password: str, folder: Path) -> None:
    """Run the hook of a deployment as the administrator, on the package's libraries; `az` only gives the password."""
    az = folder / "az"
    az.write_text(f"#!/bin/sh\necho {password}\n", encoding="utf-8")
    az.chmod(0o700)
    given = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "OCS_PYTHON": str(shipped.python),
        "OCS_PRIVATE_NETWORK": "true",
        "OCS_DATABASE_HOST": "127.0.0.1",
        "OCS_DATABASE_PORT": str(psycopg.conninfo.conninfo_to_dict(root)["port"]),
        "OCS_DATABASE_SSLMODE": "disable",
        "OCS_DATABASE_ADMIN": "administrator",
        "OCS_IDENTITY_NAME": "ocs-test",
        "OCS_IDENTITY_OBJECT_ID": "00000000-0000-0000-0000-000000000001",
    }
    hook = HOOKS / "postprovision.sh"
    done = subprocess.run(  # noqa: S603 - our own words
        [str(hook)], env=clean_environment() | given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "ocs-test may sign in" in done.stdout
    assert "the schema is current" in done.stdout


def _let_the_scene_in(root: str) -> None:
    with psycopg.connect(root, autocommit=True) as server:
        server.execute("grant ocs_app, ocs_staff to ocs")


def _roles(root: str) -> set[tuple[str, str]]:
    """Give who is a member of what."""
    with psycopg.connect(root) as server:
        rows = server.execute("select member::regrole::text, roleid::regrole::text from pg_auth_members").fetchall()
    return {(member.strip('"'), of) for member, of in rows}


def _start(shipped: Shipped, stack: Stack, settings: Mapping[str, str], folder: Path) -> Host:
    """Start the stand-in of the Functions host on the package, with the package's Python.

    The host's own libraries stand behind the package's, and the tree of the repository nowhere: only `devstack` is
    linked into a folder of its own, so `ocs` can come from nowhere but the package.
    """
    stand_ins = folder / "stand-ins"
    stand_ins.mkdir()
    (stand_ins / "devstack").symlink_to(REPO_ROOT / "devstack")
    behind = (str(stand_ins), sysconfig.get_path("purelib"))
    (shipped.libraries / BEHIND).write_text("\n".join(behind), encoding="utf-8")
    witness = ("-m", "devstack.package.witness", str(folder / "loaded.json"))
    command = [str(shipped.python), *witness, "--app", str(shipped.folder), "--port", str(free_port())]
    environment = clean_environment() | dict(settings)
    host = Host("package", stack.folder, command, environment=environment, working_folder=shipped.folder)
    host.start()
    return host


def _smoke(host: Host) -> str:
    """Ask as a deployment does whether the app is ready: database, vault and queues."""
    env = {"PATH": os.environ["PATH"], "OCS_APP_URL": host.url, "OCS_SMOKE_SECONDS": "60"}
    done = subprocess.run([str(HOOKS / "smoke.sh")], env=env, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return done.stdout


def _from(loaded: Mapping[str, str], package: str) -> set[Path]:
    """Give the folders in which a package's modules were found."""
    names = {name: Path(file) for name, file in loaded.items() if name.partition(".")[0] == package}
    return {file.parents[len(name.split(".")) - (file.name != "__init__.py")] for name, file in names.items()}


def _is_of_the_tests(file: str) -> bool:
    return file.startswith(sysconfig.get_path("purelib"))


def _distribution_of(module: str) -> str:
    top = module.partition(".")[0]
    for one in distributions(path=[sysconfig.get_path("purelib")]):
        if any(str(file).startswith((f"{top}/", f"{top}.")) for file in one.files or ()):
            return str(one.metadata["Name"]).lower()
    return f"{module}, of no distribution in {sys.prefix}"
