"""Plays the demo: a day of transactions as a POS sends them, a night of positions, and one thing left to mend."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient
from rich.console import Console

from devstack.demo import night
from devstack.demo.day import Happening, a_day
from devstack.demo.people import MAILS_GO_TO, Staff, grant_all
from devstack.demo.retailer import CROL, STORES, onboard
from devstack.demo.to_mend import POS_SKU, how_to_mend, sale_to_mend, waits
from devstack.demo.watch import Watch, count_of_lines
from devstack.demo.where import where
from devstack.processes import ChildError
from devstack.stack import Host, Stack

QUEUE = "pos-transactions"
API_VERSION = "2025-07-05"
SALES = 40
PATIENCE_SECONDS = 120
"""How long the last line may take; it takes about a second unless something is wrong."""


class NotSeenError(RuntimeError):
    """Something that must arrive did not; the message says what."""


@dataclass
class Demo:
    """One run of the demo on a started stack."""

    stack: Stack
    console: Console
    host: Host = field(init=False)
    watch: Watch = field(init=False)
    staff: Staff = field(init=False)
    said: list[dict[str, Any]] = field(default_factory=list)
    """Every transaction of the day, in order."""

    def play(self, pace: float) -> None:
        """Set the retailer up, play the day at `pace` transactions a second, then the night; leave one line parked.

        Raises NotSeenError when a line or a position does not arrive, or the regulator stand-in finds fault.
        """
        self.console.print(
            "Setting up: database schema, secrets, a retailer with three stores, a person of each role …"
        )
        onboard(self.stack.regulator_url, self.stack.app_env(), self.stack.folder)
        grant_all(self.stack.app_env())
        self.host = self.stack.start_host(night.OFTEN)
        self.watch = Watch(self.host.log)
        self.staff = Staff(self.stack, self.host.url)
        pos_key = self.staff.ask("tenant-admin", "POST", f"tenants/{CROL}/pos-keys", {"label": "the demo's tills"})[
            "key"
        ]
        mails = {"kind": "email", "target": MAILS_GO_TO}
        self.staff.ask("tenant-admin", "PUT", f"tenants/{CROL}/alert-destinations", {"destinations": [mails]})
        for line in where(self.stack, self.host.url, pos_key):
            self.console.print(line, markup=False)
        self._first_positions()
        self._day(pace)
        self._night()
        self._leave_one_to_mend()

    def stay(self) -> None:
        """Keep the stack up until Ctrl-C, showing what is accepted."""
        self.console.print(
            "\nThe stack stays up: mend it, or send a sale of your own (README). Ctrl-C stops everything."
        )
        while True:
            self._show(until=time.monotonic() + 1)

    def _first_positions(self) -> None:
        """Upload what the stores hold and wait for their first positions: the platform reckons from them."""
        self.console.print("Each store's inventory is uploaded; its position of yesterday goes before any event:")
        for store in STORES:
            self.staff.ask("manager", "PUT", f"stores/{store.crsa}/inventory", night.opening(store))
        self._wait(lambda: [store.crsa for store in STORES if not self._positions(store.crsa)], "first positions")

    def _day(self, pace: float) -> None:
        self.console.print("\nThe day:")
        queue = _queue(self.stack.azurite.connection_string)
        for happening in a_day(SALES):
            self._happens(queue, happening)
            self.said.append(happening.transaction)
            self._show(until=time.monotonic() + 1 / pace)
        self._wait(self._lines_missing, "lines")
        lines = sum(len(said["items"]) for said in {said["transaction_id"]: said for said in self.said}.values())
        self._good(f"All {lines} lines are at the regulator stand-in, each in effect once.")

    def _night(self) -> None:
        """Move the app's clock past 01:00 of each zone, and wait each time for the positions of the day."""
        self.console.print("\nThe night: the app's clock is moved past 01:00 of each store's own zone.")
        now = datetime.now(UTC)
        for number, move in enumerate(night.moves(now), start=1):
            names = " and ".join(store.name for store in move.stores)
            self.console.print(f"  It is 01:00 for {names}.")
            shifted = night.OFTEN | {"OCS_CLOCK_SHIFT_SECONDS": str(move.seconds)}
            self.host = self.stack.restart_host(self.host, shifted, f"host-night-{number}")
            self.watch = Watch(self.host.log)
            self._wait(partial(self._positions_missing, move, now), "positions of the day")
        self._good("All three positions are there, and what they say is on hand is what the day left.")
        if found := night.findings(self.stack.regulator_url):
            raise NotSeenError(f"The regulator stand-in finds: {'; '.join(found)}")
        self._good("The regulator stand-in's ten checks find nothing.")

    def _leave_one_to_mend(self) -> None:
        """Let a sale come that only a person can mend, and say so; after the night, so that it disturbs no position."""
        self.console.print("\nOne thing goes wrong:")
        self._happens(_queue(self.stack.azurite.connection_string), sale_to_mend())
        self._wait(lambda: [] if waits(self.staff) else [POS_SKU], "line that must be parked")
        for line in how_to_mend(
            f"{self.host.url}/api/dashboard", f"{self.host.url}/api/ocs", self.stack.sign_in.control
        ):
            self.console.print(line, markup=False)

    def _positions_missing(self, move: night.Move, now: datetime) -> list[str]:
        stock = night.stock_after(self.said)
        there = {
            store.crsa: night.position_at(self.stack.regulator_url, store, night.business_date(store, now))
            for store in move.stores
        }
        wrong = {crsa: found for crsa, found in there.items() if found is not None and found != stock[crsa]}
        if wrong:
            raise NotSeenError(f"Positions differ from what the day left: {wrong}, not {stock}")
        return [crsa for crsa, found in there.items() if found is None]

    def _positions(self, crsa: str) -> list[Any]:
        found: list[Any] = httpx.get(f"{self.stack.regulator_url}/_control/positions/{crsa}").raise_for_status().json()
        return found

    def _happens(self, queue: QueueClient, happening: Happening) -> None:
        said = happening.transaction
        self.console.print(
            f"[dim]{happening.store.name:<22} {happening.words}, {count_of_lines(len(said['items']))}[/dim]"
        )
        queue.send_message(json.dumps(said), time_to_live=-1)

    def _show(self, until: float) -> None:
        while True:
            for line in self.watch.news():
                self.console.print(line)
            if time.monotonic() >= until:
                return
            time.sleep(0.05)

    def _wait(self, missing: Callable[[], list[str]], what: str) -> None:
        """Wait until nothing is missing; raises NotSeenError with what is when patience ends."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while still := missing():
            if not self.host.running:
                raise ChildError(f"the functions host has ended; its log is {self.host.log}")
            if time.monotonic() > deadline:
                seen = f"Not accepted after {PATIENCE_SECONDS} s, {what}: {', '.join(still)}"
                raise NotSeenError(f"{seen}\nThe functions host's log is {self.host.log}")
            self._show(until=time.monotonic() + 0.5)
        self._show(until=time.monotonic() + 0.2)

    def _lines_missing(self) -> list[str]:
        """Give the lines that the regulator does not have in their last form, without their sign."""
        wanted: dict[tuple[str, str], str] = {}
        for said in self.said:
            wanted |= {(said["store_id"], item["line_id"]): str(abs(item["quantity"])) for item in said["items"]}
        there = {}
        for store in STORES:
            shown = httpx.get(f"{self.stack.regulator_url}/_control/ledger/{store.crsa}").raise_for_status().json()
            for line in shown:
                there[store.crsa, line["line_id"]] = line["content"]["inventoryQuantityChange"].removeprefix("-")
        return [f"{crsa} {line_id}" for (crsa, line_id), q in wanted.items() if there.get((crsa, line_id)) != q]

    def _good(self, words: str) -> None:
        self.console.print(f"[bold green]{words}[/bold green]")


def run(stack: Stack, *, once: bool, pace: float) -> int:
    """Play the demo; without `once` the stack stays up afterwards. Gives the exit code: 1 where a fault was seen."""
    demo = Demo(stack, Console(file=sys.stdout, highlight=False, soft_wrap=True))
    try:
        demo.play(pace)
    except NotSeenError as error:
        demo.console.print(f"[red]{error}[/red]")
        return 1
    if once:
        demo.console.print(
            "\nAll else is accepted. The stack ends here, with that line parked; without ONCE=1 it stays up."
        )
    else:
        demo.stay()
    return 0


def _queue(connection_string: str) -> QueueClient:
    queue = QueueClient.from_connection_string(connection_string, QUEUE, api_version=API_VERSION)
    _make(queue)
    return queue


def _make(queue: QueueClient) -> None:
    try:
        queue.create_queue()
    except ResourceExistsError:
        return
