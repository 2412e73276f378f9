"""Loads a room's `queries.sql`: named statements, each with one line of purpose."""

import re
from pathlib import Path
from typing import LiteralString, cast

HEADING = re.compile(r"^-- name: (?P<name>\w+)\n-- purpose: (?P<purpose>\S.*)\n", re.MULTILINE)


def load(python_file: str) -> dict[str, LiteralString]:
    """Read the `queries.sql` that lies beside a module (`load(__file__)`), by name.

    Raises ValueError for a statement without a name and a purpose, or a name given twice.
    """
    path = Path(python_file).with_name("queries.sql")
    pieces = HEADING.split(path.read_text(encoding="utf-8"))
    if pieces[0].strip() and not all(line.startswith("--") for line in pieces[0].split("\n") if line):
        raise ValueError(f"{path}: a statement stands before the first `-- name:`")
    names = pieces[1::3]
    if len(set(names)) != len(names):
        raise ValueError(f"{path}: a name is given twice")
    # A file of the source tree is as literal as a string in it: nothing a user wrote can be in there.
    return {name: cast("LiteralString", text.strip()) for name, text in zip(names, pieces[3::3], strict=True)}
