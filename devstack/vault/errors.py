"""What the vault refuses, in the error shape of the Key Vault REST API."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault of ours
    """An answer other than 2xx; `inner` is Key Vault's `innererror` code."""

    def __init__(
        self, status: int, code: str, message: str, *, inner: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        """Take the HTTP status, Key Vault's error code, its message, and headers to send along."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.inner = inner
        self.headers = headers or {}


async def answer(_: Request, error: Exception) -> Response:
    """Turn a `Refused` into the reply that Key Vault would give."""
    if not isinstance(error, Refused):
        raise error
    said = {"code": error.code, "message": error.message}
    body = said if error.inner is None else said | {"innererror": {"code": error.inner}}
    return JSONResponse({"error": body}, status_code=error.status, headers=error.headers)


def not_found(what: str) -> Refused:
    """Refuse a secret or version that is not there."""
    return Refused(
        404,
        "SecretNotFound",
        f"A secret with (name/id) {what} was not found in this key vault. If you recently deleted this secret you may "
        "be able to recover it using the correct recovery command.",
    )


def disabled() -> Refused:
    """Refuse to give the value of a disabled version."""
    return Refused(403, "Forbidden", "Operation get is not allowed on a disabled secret.", inner="SecretDisabled")


def malformed(message: str) -> Refused:
    """Refuse a request that makes no sense."""
    return Refused(400, "BadParameter", message)
