"""Reads the words, runs one command, and says what came of it.

Exit codes: 0 done; 1 not done, or not all of it, with the reason on standard error; 2 the words make no command.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence

import psycopg
from pydantic_core import to_jsonable_python

from ocs.cli.command import PROGRAM, Answer, Call, Command
from ocs.cli.database import COMMANDS as DATABASE
from ocs.cli.looking import COMMANDS as LOOKING
from ocs.cli.mending import COMMANDS as MENDING
from ocs.cli.people import COMMANDS as PEOPLE
from ocs.cli.retailers import COMMANDS as RETAILERS
from ocs.cli.show import painted
from ocs.errors import OcsError

COMMANDS: tuple[Command, ...] = (*LOOKING, *MENDING, *RETAILERS, *PEOPLE, *DATABASE)
EPILOG = """exit codes: 0 done; 1 not done, with the reason on standard error; 2 the words make no command.
Each command has its own --help with examples. --json answers for programs; without it colours are used on a
terminal only, never with NO_COLOR set. What changes something is noted in the audit, with --why if given."""


def parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    layout = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Operate the reporting to the OCS Data Platform.",
        epilog=EPILOG,
        formatter_class=layout,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        text = (command.verb.__doc__ or "").splitlines()[0]
        examples = "\n".join(f"  {PROGRAM} {example}" for example in command.examples)
        one = commands.add_parser(
            command.name,
            help=text,
            description=text,
            epilog=f"examples:\n{examples}" if examples else None,
            formatter_class=layout,
        )
        one.set_defaults(verb=command.verb)
        for names, options in command.arguments:
            one.add_argument(*names, **options)
        one.add_argument("--json", action="store_true", help="answer as JSON")
        if command.acts:
            one.add_argument("--why", default="", help="why it is done: kept in the audit")
    return top


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    args = parser().parse_args(words)
    try:
        answer = asyncio.run(_run(Call(args)))
    except (OcsError, psycopg.Error, OSError) as error:
        sys.stderr.write(f"{args.command}: {error}\n")
        return 1
    if args.json:
        text = json.dumps(to_jsonable_python(answer.data), indent=2, ensure_ascii=False)
    else:
        text = painted(answer.text)
    sys.stdout.write(f"{text}\n")
    return answer.exit_code


async def _run(call: Call) -> Answer:
    try:
        answer: Answer = await call.args.verb(call)
    finally:
        if call.own is not None:
            await call.own.close()
    return answer
