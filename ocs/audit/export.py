"""The audit as a file: NDJSON for machines, CSV for people; read and written a page at a time."""

import json
from collections.abc import AsyncIterator
from typing import Any, Literal

from fastapi.encoders import jsonable_encoder

from ocs.access.caller import Caller
from ocs.audit.search import ACT_FIELDS, CALL_FIELDS, COMMON_FIELDS, Asked, all_pages
from ocs.runtime import Runtime
from ocs.spreadsheet.written import csv_lines

Form = Literal["ndjson", "csv"]
TYPES: dict[Form, str] = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
COLUMNS = (*COMMON_FIELDS, *ACT_FIELDS, *CALL_FIELDS)


async def written(runtime: Runtime, caller: Caller, asked: Asked, form: Form) -> AsyncIterator[bytes]:
    """Give the file in pieces, newest row first; one page of rows is held at a time."""
    if form == "csv":
        yield csv_lines([COLUMNS]).encode()
    async for rows in all_pages(runtime, caller, asked):
        text = csv_lines(map(_cells, rows)) if form == "csv" else "".join(map(_line, rows))
        yield text.encode()


def _line(row: dict[str, Any]) -> str:
    return json.dumps(jsonable_encoder(row), ensure_ascii=False, separators=(",", ":")) + "\n"


def _cells(row: dict[str, Any]) -> list[object]:
    shown: dict[str, Any] = jsonable_encoder(row)
    cells = [shown.get(column) for column in COLUMNS]
    return [json.dumps(cell, ensure_ascii=False) if isinstance(cell, dict | list) else cell for cell in cells]
