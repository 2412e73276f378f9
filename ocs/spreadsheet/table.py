"""Reads a CSV file into rows, and names each fault by the line and the column that a person sees.

What makes the whole file doubtful (its encoding, its header, a quote left open) raises BadInput. What is wrong in one
line is kept as a fault beside the good rows, so that a caller may take those and refuse the rest.

Text that begins with = + - or @ is kept as it is. Whoever writes a CSV file for people must not write it raw: a
spreadsheet would run it as a formula.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ocs.bad_input import BadInput, FieldFault, quoted
from ocs.spreadsheet.cells import Column, Value, read_cell
from ocs.spreadsheet.text import CURE, LINE_END, require_commas, text_of, wrong_file

MOST_ROWS = 20_000


@dataclass(frozen=True)
class Row:
    """One line of the file: its number as a person counts, the header's line included, and its filled cells."""

    line: int
    values: dict[str, Value]

    def text(self, column: str) -> str:
        """Give a cell's text; the empty text where the cell is empty or the column is missing."""
        return str(self.values.get(column, ""))

    def number(self, column: str) -> Decimal | None:
        """Give a cell's number, None where the cell is empty or the column is missing."""
        value = self.values.get(column)
        return value if isinstance(value, Decimal) else None


@dataclass(frozen=True)
class Table:
    """The rows in which nothing is wrong, what is wrong in the others, and how many lines of data there were."""

    rows: list[Row]
    faults: list[FieldFault]
    lines: int

    def require_all_right(self) -> None:
        """Raise BadInput with every fault, if there is any."""
        if self.faults:
            raise BadInput(self.faults)


def place(line: int, column: str) -> str:
    """Write where a fault is: `line 7, column "quantity"`."""
    return f'line {line}, column "{column}"'


def read_table(
    body: bytes, columns: Sequence[Column], *, unique: Sequence[str] = (), most_rows: int = MOST_ROWS
) -> Table:
    """Read a CSV file with these columns, in any order; raises BadInput when the file as a whole cannot be trusted.

    Cells lose their outer spaces. Of lines that have the same cells in all of the columns `unique`, none is a good
    row: nothing says which of them is meant.
    """
    records = _Records(text_of(body), [column.name for column in columns])
    header = records.header(columns)
    rows: list[Row] = []
    faults: list[FieldFault] = []
    lines = 0
    for line, cells in records:
        lines += 1
        if lines > most_rows:
            raise wrong_file(f"line {line}", "more lines", f"at most {most_rows} lines of data: send it in parts")
        values, wrong = _read_row(line, cells, header)
        faults += wrong
        if not wrong:
            rows.append(Row(line, values))
    repeated = _repeats(rows, unique) if unique else {}
    rows = [row for row in rows if row.line not in repeated]
    faults += [fault for fault in repeated.values() if fault is not None]
    return Table(rows, faults, lines)


class _Records:
    """The records of a file that are not blank, with the line on which each begins."""

    def __init__(self, text: str, names: Sequence[str]) -> None:
        numbered = enumerate(LINE_END.split(text), start=1)
        header = next(((line, found) for line, found in numbered if found.strip(', \t"')), None)
        if header is None:
            raise wrong_file("the whole file", "nothing", f"a line with the columns' names: {', '.join(names)}")
        require_commas(*header, names)
        self._reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        while True:
            line = self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error:
                expected = f'a closing quote, and a quote within a cell written twice (""); {CURE}'
                found = 'a quote (") that is left open, or has text behind it'
                raise wrong_file(f"line {line}", found, expected) from None
            if _without_empty_end(cells):
                yield line, cells

    def header(self, columns: Sequence[Column]) -> list[Column]:
        """Give the columns in the order of the file's header; raises BadInput for missing, unknown or double ones."""
        by_name = {column.name: column for column in columns}
        line, cells = next(iter(self), (1, []))
        if not cells:
            raise wrong_file("the whole file", "nothing", f"a line with the columns' names: {', '.join(by_name)}")
        given = [cell.strip() for cell in _without_empty_end(cells)]
        names = [name.lower() for name in given]
        faults = [
            FieldFault(place(line, name), "nothing", "a column of this name")
            for name, column in by_name.items()
            if column.required and name not in names
        ]
        known = ", ".join(by_name)
        for number, name in enumerate(names):
            if name not in by_name:
                faults.append(FieldFault(f"line {line}", f"the column {quoted(given[number])}", f"one of {known}"))
            elif name in names[:number]:
                faults.append(FieldFault(place(line, name), "a second column of this name", "one only"))
        if faults:
            raise BadInput(faults)
        return [by_name[name] for name in names]


def _read_row(line: int, cells: list[str], header: list[Column]) -> tuple[dict[str, Value], list[FieldFault]]:
    given = len(cells) if len(cells) < len(header) else max(len(_without_empty_end(cells)), len(header))
    if given != len(header):
        expected = f"{len(header)}: one for each column; a value with a comma in it needs quotes around it"
        return {}, [FieldFault(f"line {line}", "1 cell" if given == 1 else f"{given} cells", expected)]
    values: dict[str, Value] = {}
    faults = []
    for column, raw in zip(header, cells, strict=False):  # what is left over was seen to be empty
        try:
            value = read_cell(column, raw)
        except ValueError as error:
            faults.append(FieldFault(place(line, column.name), quoted(raw), str(error)))
            continue
        if value is not None:
            values[column.name] = value
    return values, faults


def _without_empty_end(cells: list[str]) -> list[str]:
    """Leave out the empty cells that Excel writes behind a table that was wider once."""
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _repeats(rows: Iterable[Row], unique: Sequence[str]) -> dict[int, FieldFault | None]:
    """Give the lines that say something of the same thing; the first of each carries no fault of its own."""
    firsts: dict[tuple[str, ...], Row] = {}
    found: dict[int, FieldFault | None] = {}
    for row in rows:
        key = tuple(row.text(name) for name in unique)
        first = firsts.setdefault(key, row)
        if first is not row:
            shown = quoted(", ".join(part for part in key if part))
            expected = f"each only once: line {first.line} has it too"
            found.setdefault(first.line, None)
            found[row.line] = FieldFault(place(row.line, unique[0]), shown, expected)
    return found
