"""The one place that asks what time it is; always aware, always UTC."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Give the current instant in UTC. Leases and waits use the database's clock instead, so that hosts may differ."""
    return datetime.now(UTC)
