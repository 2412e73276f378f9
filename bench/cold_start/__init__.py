"""How long a new instance takes until it serves: imports, the first request, and what telemetry adds."""
