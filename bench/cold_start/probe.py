"""What one new process does: run as `python -m bench.cold_start.probe STEP`, prints its times in seconds as JSON."""

import asyncio
import importlib
import json
import os
import sys
import time
from typing import Any

LIBRARIES = (
    "azure.functions",
    "azure.identity.aio",
    "azure.keyvault.secrets.aio",
    "azure.storage.queue.aio",
    "aiohttp",
    "cryptography",
    "fastapi",
    "httpx",
    "jinja2",
    "jwt",
    "psycopg",
    "psycopg_pool",
    "pydantic_settings",
    "rapidfuzz",
    "stamina",
    "structlog",
)
"""What the app stands on; what it takes beyond them is its own rooms."""
STEPS = ("nothing", "libraries", "app", "request", "otlp", "azure")
EXPORTERS = {
    "otlp": {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
    "azure": {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=00000000-0000-0000-0000-000000000000;"
        "IngestionEndpoint=http://127.0.0.1:1/",
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    },
}
"""Nothing listens there: only the start is measured."""


def _timed(names: tuple[str, ...]) -> float:
    began = time.perf_counter()
    for name in names:
        importlib.import_module(name)
    return time.perf_counter() - began


async def _first_request() -> float:
    """Ask the function that serves HTTP whether the app lives, as the worker would."""
    functions = sys.modules["azure.functions"]
    app: Any = sys.modules["function_app"].app
    [web] = [one for one in app.get_functions() if one.get_function_name() == "web"]
    request = functions.HttpRequest("GET", "http://127.0.0.1/api/health/live", headers={}, body=b"")
    began = time.perf_counter()
    response = await web.get_user_function()(request, None)
    seconds = time.perf_counter() - began
    if response.status_code != 200:  # noqa: PLR2004 - OK
        raise RuntimeError(f"the app does not live: {response.status_code}")
    return seconds


def main(step: str) -> None:
    """Do one step and print what it took."""
    os.environ |= EXPORTERS.get(step, {})
    times = {}
    if step == "libraries":
        times["import"] = _timed(LIBRARIES)
    elif step != "nothing":
        times["import"] = _timed(("function_app",))
    if step == "request":
        times["request"] = asyncio.run(_first_request())
    if step in EXPORTERS:
        began = time.perf_counter()
        sys.modules["ocs.telemetry.start"].start()
        times["start"] = time.perf_counter() - began
    print(json.dumps(times), flush=True)
    os._exit(0)  # an exporter would wait for its server, which is not there


if __name__ == "__main__":
    main(sys.argv[1])
