"""Reads what the control door is told."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class Order(BaseModel):
    """An order to the control door; a field that it does not know is an error."""

    model_config = ConfigDict(extra="forbid")


class StoreScope(Order):
    """One store, or all of them."""

    crsa: str | None = None


OrderKind = TypeVar("OrderKind", bound=Order)


async def read_order(request: Request, kind: type[OrderKind]) -> OrderKind:
    """Read an order; no body is an empty one. Raises HTTPException (400) naming what is wrong."""
    try:
        return kind.model_validate_json(await request.body() or b"{}")
    except ValidationError as error:
        raise HTTPException(400, what_is_wrong(error)) from None


def what_is_wrong(error: ValidationError) -> str:
    """Name the wrong fields; not their values, which may be secrets."""
    return "; ".join(f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors())


async def refused(_request: Request, error: Exception) -> Response:
    """Answer an HTTPException as `{"error": …}`."""
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"error": error.detail}, status_code=error.status_code)
