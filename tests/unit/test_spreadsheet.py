"""A table reads back as it was written, and every fault names a line and a column that a person finds."""

import csv
import io
import re
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from ocs.bad_input import BadInput
from ocs.spreadsheet.cells import Column, Kind
from ocs.spreadsheet.table import Table, read_table

COLUMNS = (
    Column("sku", Kind.SKU),
    Column("upc", Kind.BARCODE, required=False),
    Column("quantity", Kind.EACHES),
    Column("cost", Kind.MONEY, required=False),
    Column("note", Kind.TEXT, required=False),
)
HEADER = "sku,upc,quantity,cost,note\n"

words = (
    st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp")), min_size=1, max_size=20)
    .map(str.strip)
    .filter(bool)
)
skus = words.filter(lambda word: not re.match(r"""^'|^="|^[+-]?\d[\d.,]*E[+-]\d""", word, re.IGNORECASE))
notes = words.filter(lambda word: not word.startswith('="'))
barcodes = st.text("0123456789", min_size=12, max_size=14)
eaches = st.integers(0, 1_000_000).map(Decimal)
money = st.decimals(0, 1_000_000, places=4)
right_rows = st.lists(st.tuples(skus, barcodes, eaches, money, notes), max_size=20)


def table(text: str, most_rows: int = 100) -> Table:
    """Read lines below the usual header."""
    return read_table((HEADER + text).encode(), COLUMNS, most_rows=most_rows)


def only_fault(text: str) -> tuple[str, str, str]:
    """Give the one fault of lines below the usual header: where, found, expected."""
    (fault,) = table(text).faults
    return fault.field, fault.found, fault.expected


def refusal(body: bytes) -> BadInput:
    """Give the error with which a file is refused as a whole."""
    with pytest.raises(BadInput) as caught:
        read_table(body, COLUMNS)
    return caught.value


@given(right_rows, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_table_reads_back_as_it_was_written(rows: list[tuple[object, ...]], encoding: str, end: str) -> None:
    """Also under a byte order mark, with each kind of line end, and whatever must be quoted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=end)
    writer.writerow([column.name for column in COLUMNS])
    writer.writerows(rows)
    read = read_table(out.getvalue().encode(encoding), COLUMNS)
    assert read.faults == []
    assert [tuple(row.values.values()) for row in read.rows] == rows
    assert [row.line for row in read.rows] == list(range(2, len(rows) + 2))


@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: (HEADER + text).encode(errors="replace")))
)
def test_whatever_is_sent_each_fault_names_a_line_that_is_there(body: bytes) -> None:
    try:
        faults = read_table(body, COLUMNS).faults
    except BadInput as error:
        faults = list(error.faults)
    lines = len(re.findall(r"\r\n|\r|\n", body.decode("latin-1"))) + 1
    for fault in faults:
        found = re.match(r"line (\d+)\b", fault.field)
        assert fault.field == "the whole file" or (found is not None and 1 <= int(found[1]) <= lines)
        assert fault.found
        assert fault.expected


@pytest.mark.parametrize(
    ("cells", "column", "expected"),
    [
        ("1E+13,,1,,", "sku", "Excel"),
        ("A,7.08762E+11,1,,", "upc", "Excel"),
        ('A,"7,08762E+11",1,,', "upc", "Excel"),
        ("A,8762000695,1,,", "upc", "leading zeros may have been lost"),
        ("A,708762000695123,1,,", "upc", "12 to 14 digits"),
        ("A,70876200069X,1,,", "upc", "digits and nothing else"),
        ("A,,1.5,,", "quantity", "a whole number of eaches"),
        ("A,,-1,,", "quantity", "0 or more"),
        ('A,,"1,5",,', "quantity", "a decimal point, not a comma"),
        ('A,,"1,000",,', "quantity", "without separators"),
        ("A,,1 000,,", "quantity", "without separators"),
        ('A,,1,"1.234,50",', "cost", "without separators"),
        ("A,,1000001,,", "quantity", "at most 1000000"),
        ("A,,many,,", "quantity", "a number such as 12"),
        ("A,,NaN,,", "quantity", "a number such as 12"),
        ("A,,1E+2,,", "quantity", "a number such as 12"),
        ("A,,\u0661,,", "quantity", "a number such as 12"),
        ("A,,,,", "quantity", "must be filled"),
        (",,1,,", "sku", "must be filled"),
        ("A,,1,$4.00,", "cost", "without a currency sign"),
        ("A,,1,4.00001,", "cost", "at most 4 decimals"),
        ("A\x00B,,1,,", "sku", "U+0000"),
        ("A\u200bB,,1,,", "sku", "U+200B"),
        ('A,,1,,"two\nlines"', "note", "U+000A"),
        (f"{'A' * 101},,1,,", "sku", "at most 100 characters"),
    ],
)
def test_each_wrong_cell_is_named_with_what_would_be_right(cells: str, column: str, expected: str) -> None:
    field, found, said = only_fault(f"B,,2,,\n\n{cells}\n")
    assert field == f'line 4, column "{column}"'
    assert found.startswith('"')
    assert expected in said


def test_the_good_lines_are_there_beside_the_faults() -> None:
    read = table("A,,1,,\nB,,x,y,\nC,,3,,\n")
    assert [(row.line, row.values) for row in read.rows] == [
        (2, {"sku": "A", "quantity": 1}),
        (4, {"sku": "C", "quantity": 3}),
    ]
    assert [fault.field for fault in read.faults] == ['line 3, column "quantity"', 'line 3, column "cost"']
    assert read.lines == 3
    with pytest.raises(BadInput) as caught:
        read.require_all_right()
    assert list(caught.value.faults) == read.faults


def test_what_keeps_leading_zeros_in_excel_is_read_as_text() -> None:
    read = table('\'0012,="00708762000695",1,,\n"=""0013""",\'00708762000695,1,,\n')
    assert [(row.text("sku"), row.text("upc")) for row in read.rows] == [
        ("0012", "00708762000695"),
        ("0013", "00708762000695"),
    ]


def test_a_text_that_looks_like_a_formula_is_kept() -> None:
    assert table("A,,1,,=1+2\n").rows[0].text("note") == "=1+2"


def test_numbers_lose_what_does_not_count() -> None:
    row = table("A,, 12.00 ,+4.50,\n").rows[0]
    assert (str(row.number("quantity")), str(row.number("cost"))) == ("12", "4.50")
    assert str(table("A,,-0,,\n").rows[0].number("quantity")) == "0"


def test_columns_come_in_any_order_and_case_and_may_be_left_out() -> None:
    row = read_table(b' Quantity ,"SKU",,\n3,A,,\n', COLUMNS).rows[0]
    assert row.values == {"quantity": 3, "sku": "A"}
    assert (row.text("upc"), row.number("cost")) == ("", None)


def test_blank_lines_and_empty_cells_behind_are_passed_over() -> None:
    read = table("\n,,,,\nA,,1,,,,\n \n")
    assert [(row.line, row.text("sku")) for row in read.rows] == [(4, "A")]
    assert read.lines == 1


@pytest.mark.parametrize(("cells", "found"), [("A,,1", "3 cells"), ("A,,1,,x,y", "6 cells"), ("A;1", "1 cell")])
def test_a_line_with_another_number_of_cells_is_a_fault_of_its_own(cells: str, found: str) -> None:
    assert only_fault(f"{cells}\n")[:2] == ("line 2", found)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_is_recognised_and_named(delimiter: str) -> None:
    error = refusal(
        ("\n" + HEADER + "A,,1,,\n").replace(",", delimiter).encode("utf-16" if delimiter == "\t" else "utf-8")
    )
    assert error.faults[0].field == "line 2"
    assert "CSV UTF-8 (comma delimited)" in error.faults[0].expected


def test_the_header_names_what_is_missing_unknown_and_double() -> None:
    faults = refusal(b"sku,colour,sku\nA,red,A\n").faults
    assert [(fault.field, fault.found) for fault in faults] == [
        ('line 1, column "quantity"', "nothing"),
        ("line 1", 'the column "colour"'),
        ('line 1, column "sku"', "a second column of this name"),
    ]


def test_bytes_of_windows_1252_are_refused_with_their_line() -> None:
    fault = refusal((HEADER + "A,,1,,x\r\nB,,1,,Café\r\n").encode("cp1252")).faults[0]
    assert (fault.field, "é" in fault.found) == ("line 3", True)
    assert "CSV UTF-8" in fault.expected


@pytest.mark.parametrize("body", [b"", b"\n \n", b",,,\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_told_the_columns_it_needs(body: bytes) -> None:
    assert "sku, upc, quantity, cost, note" in refusal(body).faults[0].expected


@pytest.mark.parametrize("body", [b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0rest"])
def test_a_workbook_is_named_as_one(body: bytes) -> None:
    assert "workbook" in refusal(body).faults[0].found


def test_a_quote_left_open_is_named_by_the_line_on_which_it_opens() -> None:
    fault = refusal((HEADER + 'A,,1,,x\n"B,,1,,x\nC,,1,,x\n').encode()).faults[0]
    assert fault.field == "line 3"
    assert "quote" in fault.found


def test_a_file_too_large_and_lines_too_many_are_refused() -> None:
    assert "at most" in refusal(b"a" * (4 * 1024 * 1024 + 1)).faults[0].expected
    with pytest.raises(BadInput, match="line 4"):
        table("A,,1,,\nB,,1,,\nC,,1,,\n", most_rows=2)
    assert len(table("A,,1,,\nB,,1,,\n", most_rows=2).rows) == 2


def test_lines_of_the_same_thing_are_named_with_both_numbers_and_none_is_taken() -> None:
    body = (HEADER + "A,,1,,\nB,,1,,\nA,,2,,\nA,,3,,\n").encode()
    read = read_table(body, COLUMNS, unique=["sku"])
    assert [row.text("sku") for row in read.rows] == ["B"]
    assert [(fault.field, "line 2" in fault.expected) for fault in read.faults] == [
        ('line 4, column "sku"', True),
        ('line 5, column "sku"', True),
    ]
