"""An operator for tests: runs commands as `python -m ocs` would, on the test's database and the scripted platform."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from ocs import runtime as process
from ocs.cli import main
from ocs.runtime import Runtime, assemble
from ocs.settings import Settings
from tests.integration.platform import FakeQueues, Platform

T = TypeVar("T")


@dataclass
class Operator:
    """Runs a command in a process of its own, as far as the app can tell; nothing is kept from one to the next."""

    settings: Settings
    platform: Platform
    queues: FakeQueues
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """Give a command's exit code, what it printed and what it complained of."""
        own = process._Process  # noqa: SLF001 - what a new process begins with
        for name, value in {"runtime": None, "checked": False, "lock": None}.items():
            self.monkeypatch.setattr(own, name, value)
        self.monkeypatch.setattr(process, "assemble", self._assemble)
        self.capsys.readouterr()
        code = main(list(words))
        printed = self.capsys.readouterr()
        return code, printed.out, printed.err

    def json(self, *words: str) -> Any:
        """Give what a command answers as JSON; it must have done what it was asked to."""
        code, out, err = self(*words, "--json")
        assert code == 0, err
        return json.loads(out)

    def arrange(self, verb: Callable[[Runtime], Awaitable[T]]) -> T:
        """Do something with the app's parts beside the commands."""

        async def done() -> T:
            own = self._assemble(self.settings)
            await own.pool.open()
            try:
                return await verb(own)
            finally:
                await own.close()

        return asyncio.run(done())

    def _assemble(self, settings: Settings) -> Runtime:
        own = assemble(settings)
        own.http, own.vault, own.queues = self.platform.client(), self.platform.vault(), self.queues
        return own
