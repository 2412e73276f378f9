"""Plays the demo's day: puts transactions on the queue as a POS would, shows what is accepted, checks the ledger."""

import json
import sys
import time
from dataclasses import dataclass, field

import httpx
from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient
from rich.console import Console

from devstack.demo.day import Happening, a_day
from devstack.demo.retailer import STORES, onboard
from devstack.demo.watch import Watch, count_of_lines
from devstack.processes import ChildError
from devstack.stack import Host, Stack

QUEUE = "pos-transactions"
API_VERSION = "2025-07-05"
SALES = 40
PATIENCE_SECONDS = 120
"""How long the last line may take; it takes about a second unless something is wrong."""


@dataclass
class Demo:
    """One run of the demo on a started stack."""

    stack: Stack
    console: Console
    expected: dict[str, dict[str, str]] = field(default_factory=dict)
    """By CRSA and line id: the quantity that must be in effect at the regulator in the end, without its sign."""

    def play(self, pace: float) -> int:
        """Set the retailer up, play the day at `pace` transactions a second, wait for the last line.

        Gives 0 when every line is at the regulator, 1 with the reason when not.
        """
        self.console.print("Setting up: database schema, secrets in the vault, a retailer with three stores …")
        onboard(self.stack.regulator_url, self.stack.app_env(), self.stack.folder)
        host = self.stack.start_host()
        self._tell_where(host)
        watch = Watch(host.log)
        queue = _queue(self.stack.azurite.connection_string)
        for happening in a_day(SALES):
            self._happens(queue, happening)
            self._show(watch, until=time.monotonic() + 1 / pace)
        missing = self._wait_for_all(host, watch)
        if missing:
            self.console.print(f"[red]Not accepted after {PATIENCE_SECONDS} s: {', '.join(missing)}[/red]")
            self.console.print(f"The functions host's log is {host.log}")
            return 1
        lines = sum(len(of_store) for of_store in self.expected.values())
        self.console.print(
            f"[bold green]All {lines} lines are at the regulator stand-in, each in effect once.[/bold green]"
        )
        return 0

    def stay(self) -> None:
        """Keep the stack up until Ctrl-C, showing what is accepted."""
        self.console.print("The stack stays up: send a sale of your own (README). Ctrl-C stops everything.")
        watch = Watch(self.stack.folder / "host.log")
        list(watch.news())  # told already
        while True:
            self._show(watch, until=time.monotonic() + 1)

    def _happens(self, queue: QueueClient, happening: Happening) -> None:
        said = happening.transaction
        self.console.print(
            f"[dim]{happening.store.name:<22} {happening.words}, {count_of_lines(len(said['items']))}[/dim]"
        )
        for item in said["items"]:
            self.expected.setdefault(happening.store.crsa, {})[item["line_id"]] = str(abs(item["quantity"]))
        queue.send_message(json.dumps(said), time_to_live=-1)

    def _show(self, watch: Watch, until: float) -> None:
        while True:
            for line in watch.news():
                self.console.print(line)
            if time.monotonic() >= until:
                return
            time.sleep(0.05)

    def _wait_for_all(self, host: Host, watch: Watch) -> list[str]:
        """Wait until the regulator has every line in its last form; gives what is missing when patience ends."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while missing := self._missing():
            if not host.running:
                raise ChildError(f"the functions host has ended; its log is {host.log}")
            if time.monotonic() > deadline:
                return missing
            self._show(watch, until=time.monotonic() + 0.5)
        self._show(watch, until=time.monotonic())
        return []

    def _missing(self) -> list[str]:
        missing = []
        for store in STORES:
            shown = httpx.get(f"{self.stack.regulator_url}/_control/ledger/{store.crsa}").raise_for_status().json()
            there = {line["line_id"]: line["content"]["inventoryQuantityChange"].removeprefix("-") for line in shown}
            wanted = self.expected.get(store.crsa, {})
            missing += [
                f"{store.crsa} {line_id}" for line_id, quantity in wanted.items() if there.get(line_id) != quantity
            ]
        return missing

    def _tell_where(self, host: Host) -> None:
        self.console.print(f"  The app answers at        {host.url}/api/health/ready")
        self.console.print(
            f"  Post a sale to            {host.url}/api/ocs/transactions  (x-functions-key: {host.function_key})"
        )
        self.console.print(
            f"  The regulator stand-in at {self.stack.regulator_url}/_control/ledger  (NOT the real platform)\n"
        )


def run(stack: Stack, *, once: bool, pace: float) -> int:
    """Play the demo; without `once` the stack stays up afterwards. Gives the exit code."""
    demo = Demo(stack, Console(file=sys.stdout, highlight=False, soft_wrap=True))
    result = demo.play(pace)
    if not once and result == 0:
        demo.stay()
    return result


def _queue(connection_string: str) -> QueueClient:
    queue = QueueClient.from_connection_string(connection_string, QUEUE, api_version=API_VERSION)
    _make(queue)
    return queue


def _make(queue: QueueClient) -> None:
    try:
        queue.create_queue()
    except ResourceExistsError:
        return
