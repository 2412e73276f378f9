"""The local stack's commands: `python -m devstack run` plays the demo, `python -m devstack up` just starts it."""

import argparse
import json
import logging
import signal
import sys
from pathlib import Path

import httpx
from azure.core.exceptions import AzureError

from devstack.demo.play import run
from devstack.demo.retailer import OperatorError, operator
from devstack.processes import ChildError
from devstack.stack import DEFAULT_FOLDER, Stack, StackInUseError


def _up(stack: Stack) -> int:
    """Migrate the database, show the app's settings as JSON, and stay until Ctrl-C."""
    operator(stack.app_env(), "migrate")
    doors = {"sign_in_control": stack.sign_in.control, "mailbox_control": stack.mailbox.control}
    shown = stack.app_env() | {"regulator": stack.regulator_url} | doors
    print(json.dumps(shown, indent=2), flush=True)
    signal.pause()
    return 0


def main() -> int:
    """Run one command; 0 when it did its work, 1 with the reason when not, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m devstack", description=__doc__)
    parser.add_argument("command", choices=["run", "up"])
    parser.add_argument(
        "--once", action="store_true", help="end when all is accepted but the one line that is left to mend"
    )
    parser.add_argument("--pace", type=float, default=4, help="transactions a second (default 4)")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where data and logs lie")
    args = parser.parse_args()
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("devstack").setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print("Starting the local stack (stand-ins; nothing here is the real thing) …", flush=True)
    try:
        with Stack(args.folder, keep=args.command == "up") as stack:
            return run(stack, once=args.once, pace=args.pace) if args.command == "run" else _up(stack)
    except (StackInUseError, ChildError, OperatorError) as error:
        print(error, file=sys.stderr)
        return 1
    except (httpx.HTTPError, AzureError) as error:
        print(
            f"A part of the stack does not answer ({type(error).__name__}); its log is in {args.folder}",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
