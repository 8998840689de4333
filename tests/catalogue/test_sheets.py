"""Stock files as tills, spreadsheets and people write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concierge.catalogue.sheets import Fault, NotASheet, SheetLine, read_sheet, write_sheet


def lines(data: bytes) -> list[tuple[str, str, int]]:
    return [(line.sku, line.location, line.units) for line in read_sheet(data, location="online").lines]


@pytest.mark.parametrize(
    "data",
    [
        b"SKU,Units\nCAL-36,2\n",
        b"\xef\xbb\xbfsku;quantity\r\nCAL-36;2\r\n",
        "Codice\tGiacenza\nCAL-36\t2\n".encode("utf-16"),
        b'"SKU"|"On hand"|"note"\n"CAL-36"|"2.0"|"x|y"\n',
        "Articolo;Quantità\nCAL-36;2,0\n".encode("cp1252"),
        b"units,name,sku\n2,Calanque,CAL-36\n\n,,\n",
    ],
)
def test_a_file_is_read_however_it_is_written(data: bytes) -> None:
    assert lines(data) == [("CAL-36", "online", 2)]


def test_locations_and_times_may_stand_in_the_line() -> None:
    sheet = read_sheet(b"sku,units,location,as_of\nA,1,Milano,2026-05-12T09:30:00+02:00\nA,-3,,\n", location="online")
    assert sheet.lines[0].as_of == datetime(2026, 5, 12, 7, 30, tzinfo=UTC)
    assert sheet.lines[1] == SheetLine(3, "A", "online", 0)  # oversold


def test_a_line_that_cant_be_used_is_named_with_its_number() -> None:
    data = b"sku,units,as of\nA,1,\n,1,\nB,many,\nC,1.5,\nD,9999999999,\nA,2,\nE,1,yesterday\n"
    sheet = read_sheet(data, location="online")
    assert [line.sku for line in sheet.lines] == ["A"]
    assert sheet.faults == (
        Fault(3, "sku", ""), Fault(4, "units", "many"), Fault(5, "units", "1.5"), Fault(6, "units", "9999999999"),
        Fault(7, "twice", "A"), Fault(8, "as_of", "yesterday"),
    )  # fmt: skip


@pytest.mark.parametrize("data", [b"", b"\x00\xff", b"hello\nworld", b"sku\nA", b"PK\x03\x04 a zip, not a sheet"])
def test_what_is_no_stock_file_is_refused(data: bytes) -> None:
    with pytest.raises(NotASheet):
        read_sheet(data, location="online")


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for begun in (data, b"sku,units\n" + data):
        try:
            read_sheet(begun, location="online")
        except NotASheet:
            continue


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.text("AB-\"',;é", min_size=1, max_size=5), st.integers(0, 99)), unique_by=lambda each: each[0]
    )
)
def test_what_is_written_reads_the_same(rows: list[tuple[str, int]]) -> None:
    written = write_sheet(SheetLine(0, sku, "Milano, Via Gesù", units) for sku, units in rows)
    assert lines(written) == [(sku, "Milano, Via Gesù", units) for sku, units in rows]
