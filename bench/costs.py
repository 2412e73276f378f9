"""What a run costs, from /proc: CPU seconds and resident memory by process. Linux only."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
BUSY_FIELDS = (0, 1, 2, 5, 6)
"""Of /proc/stat's cpu line: user, nice, system, irq, softirq (proc(5))."""
KIB = 1024


@dataclass(frozen=True)
class Costs:
    """CPU seconds by process with its children, and those of the whole machine, since some moment."""

    by_process: Mapping[str, float]
    machine: float

    def since(self, before: "Costs") -> "Costs":
        """Give what was spent between two readings."""
        spent = {name: seconds - before.by_process[name] for name, seconds in self.by_process.items()}
        return Costs(spent, self.machine - before.machine)

    @property
    def total(self) -> float:
        """CPU seconds of all named processes."""
        return sum(self.by_process.values())


def read_costs(pids: Mapping[str, int]) -> Costs:
    """Read the CPU seconds of these processes until now; raises ProcessLookupError for one that is gone.

    This process counts as "the bench", and without its children: they are the others.
    """
    parents = _parents()
    missing = {name for name, pid in pids.items() if pid not in parents}
    if missing:
        raise ProcessLookupError(f"gone before it was read: {', '.join(sorted(missing))}")
    spent = {name: sum(_seconds(one) for one in _tree(pid, parents)) for name, pid in pids.items()}
    return Costs({**spent, "the bench itself": time.process_time()}, _machine_seconds())


def resident_mb(pid: int) -> float:
    """Give a process's resident memory in MB (10^6 bytes) of its own, without its children."""
    return _memory_mb(pid, "VmRSS")


def peak_resident_mb(pid: int) -> float:
    """Give the most resident memory in MB that a process had at any moment of its life, as the kernel noted it."""
    return _memory_mb(pid, "VmHWM")


def _memory_mb(pid: int, name: str) -> float:
    for line in (PROC / str(pid) / "status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * KIB / 1e6
    raise ProcessLookupError(f"process {pid} has no memory: it ended")


def _stat(pid: int) -> list[str]:
    # The command's name stands in parentheses and may hold spaces: proc(5).
    return (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _parents() -> dict[int, int]:
    found = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = int(_stat(int(entry.name))[1])
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile
    return found


def _tree(root: int, parents: Mapping[int, int]) -> list[int]:
    children = [pid for pid, parent in parents.items() if parent == root]
    return [root, *(below for child in children for below in _tree(child, parents))]


def _seconds(pid: int) -> float:
    try:
        # utime, stime and those of children that ended and were waited for.
        return sum(int(ticks) for ticks in _stat(pid)[11:15]) / TICKS
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def _machine_seconds() -> float:
    fields = (PROC / "stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    return sum(int(fields[place]) for place in BUSY_FIELDS) / TICKS
