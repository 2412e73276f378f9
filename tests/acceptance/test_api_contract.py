"""The API keeps what its OpenAPI document says, whatever it is sent: made-up requests against every route.

On a stack of its own: made-up requests of a super admin would disturb other tests' tenants.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import function_app
from devstack.stack import Stack
from ocs.db.migrate import migrate
from ocs.web.app import create_app
from tests.acceptance.conftest import HIDDEN, QUICK
from tests.acceptance.scene import Scene

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 6
"""Made-up requests for each route and mode: right ones by its description, and wrong ones."""
DOCUMENT = create_app(function_app.ROUTERS).openapi()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
HEADERS = {"ocs-why", "if-match", "if-none-match", "idempotency-key"}
"""Those that routes read; a made-up `Content-Length: f` is refused by the server before it gets to the app."""
OPERATIONS: list[Any] = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
CASES = [
    pytest.param(operation, mode, id=f"{operation.label} {mode.value}")
    for operation in OPERATIONS
    for mode in GenerationMode
    # Where nothing is asked for, nothing can be wrong.
    if mode is GenerationMode.POSITIVE or len(operation.body) or len(operation.query) or len(operation.path_parameters)
]


@dataclass(frozen=True)
class Served:
    """Where the app answers, who calls, and the tenant and store that are there."""

    url: str
    headers: dict[str, str]
    names: dict[str, str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run a stack, a host and a tenant for this module alone."""
    folder: Path = tmp_path_factory.mktemp("contract")
    with Stack(folder) as stack, pytest.MonkeyPatch.context() as patch:
        for name, value in stack.app_env().items():
            patch.setenv(name, value)
        migrate(stack.postgres.url())
        limits = {"OCS_STAFF_REQUESTS_PER_MINUTE": "100000", "OCS_POS_REQUESTS_PER_MINUTE": "100000"}
        scene = Scene(stack, stack.start_host(QUICK | limits, "host", *HIDDEN), 1)
        asyncio.run(scene.arrange())
        tenant, store = {"tenant": scene.crol, "tenant_id": scene.crol}, {"store": scene.first, "store_id": scene.first}
        yield Served(scene.host.url, scene.headers() | {"Ocs-Key": scene.pos_key}, tenant | store)
        scene.close()


@pytest.mark.parametrize(("operation", "mode"), CASES)
def test_every_answer_is_a_described_one(served: Served, operation: Any, mode: GenerationMode) -> None:
    """No 5xx, no status that the document does not name, no body of another shape, for right and wrong requests."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        for name in served.names.keys() & set(case.path_parameters or ()):
            case.path_parameters[name] = served.names[name]
        case.headers = {name: value for name, value in (case.headers or {}).items() if name.lower() in HEADERS}
        response = case.call(base_url=served.url, headers=served.headers, timeout=30)
        case.validate_response(response, checks=CHECKS)

    ask()


def test_the_description_is_whole() -> None:
    """Each route says who may call it and what it answers, and no example in it looks like a secret."""
    operations = [one for path in DOCUMENT["paths"].values() for one in path.values()]
    assert len(operations) > 80
    assert [one["operationId"] for one in operations if not one.get("description") or "x-ocs-role" not in one] == []
    assert DOCUMENT["openapi"].startswith("3.1")
