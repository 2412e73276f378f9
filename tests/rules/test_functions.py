"""Rule 5: routes state roles, queues have both listeners, settings are the same wherever they are named."""

import ast
import json
from collections.abc import Iterable

from fastapi import APIRouter
from fastapi.routing import APIRoute

import function_app
from ocs.settings import Settings
from ocs.web.roles import Role
from tests.rules.tree import ROOT, modules

FUNCTIONS = function_app.app.get_functions()
HOST_OWN = {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}
ONLY_IN_AZURE = {"OCS_STORAGE__queueServiceUri", "AZURE_CLIENT_ID"}
"""Set by Azure's own conventions, in place of what the example file has."""


def _queues() -> set[str]:
    bindings = [json.loads(function.get_function_json())["bindings"][0] for function in FUNCTIONS]
    return {binding["queueName"] for binding in bindings if binding["type"] == "queueTrigger"}


def test_every_queue_has_a_listener_and_a_poison_listener() -> None:
    plain = {name for name in _queues() if not name.endswith("-poison")}
    assert plain == {"pos-transactions", "pos-inventories", "ocs-deliveries"}
    assert {f"{name}-poison" for name in plain} == _queues() - plain


def test_every_queue_that_is_written_is_listened_to() -> None:
    strings = {
        node.value
        for module in modules()
        for node in ast.walk(module.syntax)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    looks_like_a_queue = {text for text in strings if text.startswith(("pos-", "ocs-")) and " " not in text}
    assert looks_like_a_queue <= _queues()


def test_every_route_states_a_role() -> None:
    every = (*function_app.ROUTERS, *function_app.ROUTERS_OF_STAFF, *function_app.ROUTERS_BEHIND_THE_KEY)
    roles = _roles(every)
    assert roles
    assert {path: role for path, role in roles.items() if not isinstance(role, Role)} == {}


def test_the_poss_routes_are_behind_the_key_and_only_those() -> None:
    assert set(_roles(function_app.ROUTERS_BEHIND_THE_KEY).values()) == {Role.POS}
    assert set(_roles(function_app.ROUTERS).values()) == {Role.ANYONE}


def test_the_staffs_routes_are_behind_their_key_and_only_those() -> None:
    assert set(_roles(function_app.ROUTERS_OF_STAFF).values()) <= {Role.STAFF}


def _roles(routers: Iterable[APIRouter]) -> dict[str, object]:
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    return {route.path: getattr(route.endpoint, "__ocs_role__", None) for route in routes}


def test_the_example_settings_are_the_apps_settings() -> None:
    example = json.loads((ROOT / "local.settings.example.json").read_text(encoding="utf-8"))["Values"]
    fields = {str(field.validation_alias or f"OCS_{name.upper()}") for name, field in Settings.model_fields.items()}
    assert fields - ONLY_IN_AZURE == set(example) - HOST_OWN


def test_the_host_polls_and_retries_as_the_design_says() -> None:
    queues = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))["extensions"]["queues"]
    assert queues == {
        "maxPollingInterval": "00:00:01",
        "visibilityTimeout": "00:00:30",
        "batchSize": 16,
        "newBatchThreshold": 8,
        "maxDequeueCount": 5,
        "messageEncoding": "none",
    }
