"""Rule 5: routes state roles, queues have both listeners, settings are the same wherever they are named."""

import ast
import json
import re

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

import function_app
from ocs.access.caller import who_calls
from ocs.audit.acts import the_act
from ocs.settings import Settings
from ocs.web.roles import LADDER, role_of
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
    looks_like_a_queue = {text for text in strings if re.fullmatch(r"(pos|ocs)-[a-z]+s(-poison)?", text)}
    assert len(looks_like_a_queue) > 2
    assert looks_like_a_queue <= _queues()


def _routes() -> list[APIRoute]:
    return [route for router in function_app.ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def test_every_route_states_a_role() -> None:
    roles = {f"{route.methods} {route.path}": role_of(route.endpoint) for route in _routes()}
    assert roles
    assert {path for path, role in roles.items() if role is None} == set()


def test_a_route_knows_its_caller_as_its_role_says() -> None:
    """Who states a role of the staff asks who calls; else nothing would check it."""
    asks = {route.path: _asks_for(route.dependant, who_calls) for route in _routes()}
    staffed = {route.path: role_of(route.endpoint) in LADDER for route in _routes()}
    assert asks == staffed


def test_every_route_that_changes_something_notes_who_did_it() -> None:
    changing = [
        route for route in _routes() if set(route.methods or ()) - {"GET", "HEAD"} and role_of(route.endpoint) in LADDER
    ]
    assert changing
    assert {route.path for route in changing if not _asks_for(route.dependant, the_act)} == set()


def test_each_path_is_served_once() -> None:
    served = [(method, route.path) for route in _routes() for method in route.methods or ()]
    assert sorted(set(served)) == sorted(served)


def _asks_for(dependant: Dependant, dependency: object) -> bool:
    return dependant.call is dependency or any(_asks_for(one, dependency) for one in dependant.dependencies)


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
