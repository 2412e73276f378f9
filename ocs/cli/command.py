"""What a command is: its words, its verb, and what it answers, as data for programs and as text for people."""

import argparse
import getpass
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from ocs import runtime as process, settings as settings_of_app
from ocs.audit.acts import Act
from ocs.errors import OcsError
from ocs.runtime import Runtime
from ocs.settings import Settings

PROGRAM = "python -m ocs"


class NotDone(OcsError):  # noqa: N818 - read as a sentence at the raise
    """The command did not do what it was asked to, or not all of it; the text says what is left."""


@dataclass(frozen=True)
class Answer:
    """What a command answers; `exit_code` is 1 where what was asked is answered with no."""

    data: Any
    text: str
    exit_code: int = 0


@dataclass
class Call:
    """One call of a command: its words, and the app's parts, put together when the command asks for them."""

    args: argparse.Namespace
    own: Runtime | None = None

    @property
    def settings(self) -> Settings:
        """The app's settings; raises ConfigurationError."""
        return settings_of_app.load()

    @cached_property
    def act(self) -> Act:
        """Who does it (the user of the operating system), by which command, and why."""
        return Act.of_operator(getpass.getuser(), f"{PROGRAM} {self.args.command}", getattr(self.args, "why", ""))

    async def runtime(self) -> Runtime:
        """Give the app's parts; raises ConfigurationError and SchemaBehind."""
        # Kept before the schema is checked, so that it is closed where the check fails.
        self.own = process.unchecked()
        return await process.current()


Verb = Callable[[Call], Awaitable[Answer]]
Argument = tuple[tuple[str, ...], dict[str, Any]]


@dataclass(frozen=True)
class Command:
    """One command: `acts` says that it changes something, so that it takes a reason for the audit."""

    name: str
    verb: Verb
    arguments: Sequence[Argument] = ()
    examples: Sequence[str] = field(default_factory=tuple)
    acts: bool = False


def argument(*names: str, **options: Any) -> Argument:
    """Describe an argument in argparse's own words."""
    return names, options


def instant(text: str) -> datetime:
    """Read an instant with its offset, as argparse wants it."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError("a time with its offset, such as 2026-11-20T10:00:00-05:00")
    return at


def day(text: str) -> date:
    """Read a date, as argparse wants it."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a date, such as 2026-11-20") from None


CROL = argument("crol", metavar="CROL", help="the retailer, by CROL or id")
CRSA = argument("crsa", metavar="CRSA", help="the store, by CRSA or id")
