"""`python -m bench [cold-start] [easy] [load] [memory] [night] [one-store] [staff]`: measure the app, or all of it."""

import argparse
import logging
import signal
import sys
from collections.abc import Collection

from bench import easy_pace, load, memory
from bench.cold_start import run as cold_start
from bench.costs import PROC
from bench.night import one_store, ontario
from bench.night.tell import tell
from bench.report import CONSOLE, RESULTS
from bench.scene.ground import BenchError
from bench.staff import run as staff
from bench.staff.tell import tell as tell_staff
from devstack.processes import ChildError
from devstack.stack import StackInUseError

BENCHES = ("cold-start", "easy", "load", "memory", "night", "one-store", "staff")
ALL_ONTARIO, SMALL = 1800, 180
"""Stores of a night."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("benches", nargs="*", metavar="bench", help=f"any of {', '.join(BENCHES)}; all without it")
    parser.add_argument("--easy-seconds", type=float, default=60, help="how long to sell at an easy pace")
    parser.add_argument("--easy-pace", type=float, default=1, help="sales a second")
    parser.add_argument("--stores", type=int, default=1000, help="stores under load")
    # Azurite collects its garbage every minute and, with many thousand messages, stands still for most of the next one:
    # the run ends before that.
    parser.add_argument("--transactions", type=int, default=2800, help="transactions under load")
    parser.add_argument("--backlog", type=int, default=100, help="messages that wait on the queue under load")
    parser.add_argument(
        "--profile",
        action="store_true",
        help="under load and in the largest night, sample the host by layer (a little slower)",
    )
    parser.add_argument("--memory-seconds", type=float, default=60, help="how long to watch the host's memory")
    parser.add_argument("--memory-pace", type=float, default=20, help="transactions a second meanwhile")
    parser.add_argument("--history", type=int, default=10_000_000, help="event lines behind what staff look at")
    parser.add_argument("--staff-stores", type=int, default=ALL_ONTARIO, help="stores that they look at")
    parser.add_argument("--asks", type=int, default=40, help="how often each of the staff's routes is asked")
    parser.add_argument("--small", action="store_true", help=f"the night of {SMALL} stores only, for a quick look")
    parser.add_argument("--starts", type=int, default=5, help="new processes of which the quickest counts")
    found = parser.parse_args()
    if unknown := set(found.benches) - set(BENCHES):
        parser.error(f"unknown bench {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    return found


def _run(arguments: argparse.Namespace, chosen: Collection[str]) -> None:
    if "cold-start" in chosen:
        cold_start.run(arguments.starts)
    if "easy" in chosen:
        easy_pace.run(arguments.easy_seconds, arguments.easy_pace)
    if "load" in chosen:
        load.run(arguments.stores, arguments.transactions, arguments.backlog, sampled=arguments.profile)
    if "memory" in chosen:
        memory.run(arguments.memory_seconds, arguments.memory_pace)
    if "night" in chosen:
        sizes = (SMALL,) if arguments.small else (SMALL, ALL_ONTARIO)
        tell(ontario.run(sizes, sampled=arguments.profile), sampled=arguments.profile)
    if "one-store" in chosen:
        one_store.run()
    if "staff" in chosen:
        tell_staff(staff.run(arguments.history, arguments.staff_stores, arguments.asks))


def main() -> int:
    """Run the benches; 0 when each ran and every line was accepted once, 1 with the reason when not."""
    arguments = _arguments()
    if not (PROC / "self" / "stat").exists():
        print("the bench reads CPU and memory from /proc, which this system does not have", file=sys.stderr)
        return 1
    for noisy in ("httpx", "azure"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = arguments.benches or BENCHES
    CONSOLE.print("On the local stack of stand-ins: the numbers compare with each other, not with Azure.\n")
    try:
        _run(arguments, chosen)
    except (BenchError, ChildError, StackInUseError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    CONSOLE.print(f"The same numbers as JSON: {RESULTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
