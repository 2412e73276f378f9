"""What is said of alerts: a mail's subject and text, a webhook's JSON; of one, or of many in a digest."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

Event = Literal["opened", "closed"]
LISTED = 50
"""Alerts that a digest names; of the others it says how many."""


@dataclass(frozen=True)
class News:
    """That an alert opened or closed; times are UTC, `time_zone` is the store's own where it is a store's."""

    event: Event
    alert_id: int
    cause: str
    title: str
    severity: str
    message: str
    opened_at: datetime
    closed_at: datetime | None
    crol: str | None = None
    crsa: str | None = None
    store_name: str | None = None
    connection_name: str | None = None
    time_zone: str | None = None

    @property
    def place(self) -> str:
        """Where it is, as people call it."""
        if self.crsa is not None:
            return f"store {self.crsa} ({self.store_name})"
        if self.connection_name is not None:
            return f"connection {self.connection_name} of {self.crol}"
        return "the whole platform" if self.crol is None else f"tenant {self.crol}"


@dataclass(frozen=True)
class Letter:
    """What is sent: for a mail its subject and text, for a webhook its type and JSON."""

    subject: str
    body: str


def mail(news: Sequence[News], page_url: str | None) -> Letter:
    """Write the mail of one piece of news, or of many."""
    return _mail_of_one(news[0], page_url) if len(news) == 1 else _mail_of_many(news, page_url)


def webhook(news: Sequence[News], page_url: str | None, now: datetime) -> Letter:
    """Write the webhook of one piece of news, or of many; `now` (UTC) is when it is written."""
    if len(news) == 1:
        kind, data = f"alert.{news[0].event}", _as_data(news[0], page_url)
    else:
        kind = "alert.digest"
        data = {
            "count": len(news),
            "causes": [
                {"cause": cause, "event": event, "count": count}
                for (cause, event), count in sorted(Counter((one.cause, one.event) for one in news).items())
            ],
            "alerts": [_as_data(one, page_url) for one in news[:LISTED]],
        }
    body = {"type": kind, "timestamp": now.astimezone(UTC).isoformat(), "data": data}
    return Letter(kind, json.dumps(body, ensure_ascii=False))


def trial(kind: Literal["webhook", "email"], now: datetime) -> Letter:
    """Write the message by which a destination is tried."""
    if kind == "email":
        text = "Somebody tries whether this address gets the alerts. It does. There is nothing to do.\n"
        return Letter("OCS alerts: a test", text)
    body = {"type": "alert.test", "timestamp": now.astimezone(UTC).isoformat(), "data": {}}
    return Letter("alert.test", json.dumps(body))


def _as_data(one: News, page_url: str | None) -> dict[str, Any]:
    return {
        "event": one.event,
        "alert_id": one.alert_id,
        "cause": one.cause,
        "title": one.title,
        "severity": one.severity,
        "message": one.message,
        "tenant": one.crol,
        "store": one.crsa,
        "connection": one.connection_name,
        "opened_at": one.opened_at.isoformat(),
        "closed_at": one.closed_at.isoformat() if one.closed_at else None,
        "url": _link(one, page_url),
    }


def _mail_of_one(one: News, page_url: str | None) -> Letter:
    lines = [one.message, "", f"Where: {one.place}", f"Since: {_moment(one.opened_at, one.time_zone)}"]
    if one.event == "closed" and one.closed_at is not None:
        lines.insert(0, "This is over. It said:")
        lines.append(f"Over: {_moment(one.closed_at, one.time_zone)}")
    else:
        lines.append(f"How grave: {one.severity}")
    link = _link(one, page_url)
    lines += [] if link is None else ["", f"See it, say that you look after it, or silence it: {link}"]
    head = "OCS alert" if one.event == "opened" else "OCS alert over"
    return Letter(f"{head}: {one.title}, {one.place}", "\n".join(lines) + "\n")


def _mail_of_many(news: Sequence[News], page_url: str | None) -> Letter:
    counts = Counter((one.event, one.title) for one in news)
    lines = [f"{len(news)} alerts opened or closed. To spare you a mail for each, this one tells of all of them.", ""]
    lines += [f"{count} {event}: {title}" for (event, title), count in counts.most_common()]
    lines += ["", *(f"- {one.event}: {one.title}, {one.place}: {one.message}" for one in news[:LISTED])]
    lines += [f"- and {len(news) - LISTED} more"] if len(news) > LISTED else []
    lines += [] if page_url is None else ["", f"All of them: {page_url.rstrip('/')}/api/dashboard/alerts"]
    return Letter(f"OCS alerts: {len(news)} opened or closed", "\n".join(lines) + "\n")


def _moment(at: datetime, time_zone: str | None) -> str:
    zone = time_zone or "UTC"
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"


def _link(one: News, page_url: str | None) -> str | None:
    return None if page_url is None else f"{page_url.rstrip('/')}/api/dashboard/alerts#alert-{one.alert_id}"
