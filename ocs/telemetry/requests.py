"""One span for each HTTP request, named by its route, so that a thousand stores make one name."""

from opentelemetry.trace import SpanKind
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ocs.telemetry.spans import caller_of, failed, span, tracing

OUR_FAULT = 500


class Traced:
    """An ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        """Hold what stands behind."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as a span where spans are made.

        The path itself is not in it: a caller may have written anything there.
        """
        if scope["type"] != "http" or not tracing():
            await self._app(scope, receive, send)
            return
        method, status = scope["method"], 0

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        asked = {"http.request.method": method, "url.scheme": scope["scheme"]}
        with span(method, asked, kind=SpanKind.SERVER, parent=caller_of(Headers(scope=scope))) as made:
            try:
                await self._app(scope, receive, noted)
            finally:
                made.set_attribute("http.response.status_code", status)
                route = getattr(scope.get("route"), "path", None)
                if route is not None:
                    made.set_attribute("http.route", route)
                    made.update_name(f"{method} {route}")
                if status >= OUR_FAULT:
                    failed(made, str(status))
