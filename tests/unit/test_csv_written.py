"""A CSV file of ours runs nothing in a spreadsheet."""

import csv
import io

import pytest
from hypothesis import given, strategies as st

from ocs.spreadsheet.written import csv_lines, harmless


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1", '=HYPERLINK("http://x")']
)
def test_a_formula_is_shown_as_text(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize(("cell", "shown"), [(None, ""), (-5, "-5"), ("CRSA1111111", "CRSA1111111"), ("a=b", "a=b")])
def test_the_rest_stays_as_it_is(cell: object, shown: str) -> None:
    assert harmless(cell) == shown


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=3), max_size=4))
def test_a_file_reads_back_and_no_cell_is_a_formula(rows: list[list[str]]) -> None:
    back = list(csv.reader(io.StringIO(csv_lines(rows), newline="")))
    assert back == [[harmless(cell) for cell in row] for row in rows]
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in back for cell in row)
