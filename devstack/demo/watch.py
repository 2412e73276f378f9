"""Reads the functions host's log as it grows and tells each accepted batch in one line."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.text import Text

from devstack.demo.retailer import STORES

NAMES = {store.crsa: store.name for store in STORES}
TOLD = {
    "dead letter": "red",
    "line parked": "red",
    "batch split in two": "yellow",
    "batch not accepted": "yellow",
    "breaker: open": "yellow",
    "breaker: the platform answers again": "green",
    "alert opened": "red",
    "lines mapped": "green",
}
"""Events besides acceptance that the demo shows, with their colours."""


class Watch:
    """Follows one log file from its beginning; says nothing twice."""

    def __init__(self, log: Path) -> None:
        """Open the log; it may not be there yet."""
        self._log = log
        self._place = 0

    def news(self) -> Iterator[Text]:
        """Give a line for each thing that happened since the last time."""
        if not self._log.exists():
            return
        with self._log.open("rb") as log:
            log.seek(self._place)
            for raw in log:
                if not raw.endswith(b"\n"):
                    break
                self._place += len(raw)
                told = _told(_event(raw))
                if told is not None:
                    yield told


def count_of_lines(number: int) -> str:
    """Write "1 line" or "2 lines"."""
    return f"{number} line{'' if number == 1 else 's'}"


def _event(raw: bytes) -> Mapping[str, Any]:
    try:
        event = json.loads(raw[raw.find(b"{") :])  # the host puts its time and level before what the app logs
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _store(event: Mapping[str, Any]) -> str:
    return f"{NAMES.get(str(event['crsa']), str(event['crsa'])):<22}"


def _accepted(event: Mapping[str, Any]) -> Text:
    is_position, seconds = event["kind"] == "positions", event["seconds_since_sale"]
    what = "position" if is_position else count_of_lines(int(event["lines"]))
    told = Text("  accepted  ", style="green")
    told.append(f"{_store(event)} {what:>9}   reference {event['reference_id']}", style="default")
    if seconds is None:
        return told
    return told.append(f"   {seconds:.2f} s after {'it was made' if is_position else 'the sale'}", style="cyan")


def _told(event: Mapping[str, Any]) -> Text | None:
    name = str(event.get("event", ""))
    if name == "batch accepted":
        return _accepted(event)
    if name == "position frozen":
        return Text(f"  {_store(event)}  its position of {event['business_date']}: {event['lines']} items", style="dim")
    if name in TOLD:
        facts = ", ".join(f"{key} {event[key]}" for key in ("crsa", "said", "reason", "message") if key in event)
        return Text(f"  {name}: {facts}", style=TOLD[name])
    return None
