"""Stock files as tills, spreadsheets and people write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concierge.catalogue.sheets import Fault, NotASheet, SaidTwice, SheetLine, read_sheet, write_sheet

ROME = ZoneInfo("Europe/Rome")


def lines(data: bytes) -> list[tuple[str, str, int]]:
    return [(line.sku, line.location, line.units) for line in read_sheet(data, location="online", zone=ROME).lines]


@pytest.mark.parametrize(
    "data",
    [
        b"SKU,Units\nCAL-36,2\n",
        b"\xef\xbb\xbfsku;quantity\r\nCAL-36;2\r\n",
        "Codice\tGiacenza\nCAL-36\t2\n".encode("utf-16"),
        b'"SKU"|"On hand"|"note"\n"CAL-36"|"2.0"|"x|y"\n',
        "Articolo;Quantità\nCAL-36;2,0\n".encode("cp1252"),
        b"units,name,sku\n2,Calanque,CAL-36\n\n,,\n",
        b"sep=;\r\nSKU;Units;a,b,c,d\r\nCAL-36;2;\r\n",
        b'"sep=\t"\nsku\tunits\nCAL-36\t2\n',
        b"\r\n;;\r\nsku;units\r\nCAL-36;2\r\n",
        "Giacenze, negozio di Milano\n12 maggio 2026, ore 9\n\nCodice;Quantità\nCAL-36;2\n".encode(),
        b"Stock of all shops;;\r\nsep=;\r\nsku;location;units\r\nCAL-36;;2\r\n",
        b"Handle,SKU,Code,Available,On hand\nx,CAL-36,y,1,2\n",
    ],
)
def test_a_file_is_read_however_it_is_written(data: bytes) -> None:
    assert lines(data) == [("CAL-36", "online", 2)]


def test_locations_and_times_may_stand_in_the_line() -> None:
    data = b"sku,units,location,as_of\nA,1,Milano,2026-05-12T09:30:00+02:00\nA,-3,,\n"
    sheet = read_sheet(data, location="online", zone=ROME)
    assert sheet.lines[0].as_of == datetime(2026, 5, 12, 7, 30, tzinfo=UTC)
    assert sheet.lines[1] == SheetLine(3, "A", "online", 0)  # oversold


def test_a_line_that_cant_be_used_is_named_with_its_number() -> None:
    data = b"sku,units,as of\nA,1,\n,1,\nB,many,\nC,1.5,\nD,9999999999,\nA,1,\nE,1,yesterday\n"
    sheet = read_sheet(data, location="online", zone=ROME)
    assert [line.sku for line in sheet.lines] == ["A"]
    assert sheet.faults == (
        Fault(3, "sku", ""), Fault(4, "units", "many"), Fault(5, "units", "1.5"), Fault(6, "units", "9999999999"),
        Fault(7, "twice", "A"), Fault(8, "as_of", "yesterday"),
    )  # fmt: skip


def test_of_two_lines_that_contradict_each_other_neither_is_used() -> None:
    sheet = read_sheet(b"sku,units\nA,4\nB,1\nA,5\nA,4\n", location="online", zone=ROME)
    assert [(line.sku, line.units) for line in sheet.lines] == [("B", 1)]
    assert [(fault.line, fault.fault) for fault in sheet.faults] == [(2, "twice"), (4, "twice"), (5, "twice")]


@pytest.mark.parametrize("units", ["1.000", "1,000", "-1.000", "12.000.000", "999,999"])
def test_what_may_be_a_thousand_or_one_is_never_guessed(units: str) -> None:
    sheet = read_sheet(f"sku;units\nA;{units}\n".encode(), location="online", zone=ROME)
    assert (sheet.lines, sheet.faults) == ((), (Fault(2, "ambiguous", units),))
    assert sheet.faults[0].sku == "A"


@pytest.mark.parametrize(("units", "meant"), [("2.0", 2), ("2,00", 2), ("0.000", 0), ("1000", 1000), ("1.0000", 1)])
def test_decimals_that_say_nothing_are_passed_over(units: str, meant: int) -> None:
    assert lines(f"sku;units\nA;{units}\n".encode()) == [("A", "online", meant)]


def test_a_time_without_a_zone_is_by_the_houses_clock() -> None:
    times = ("2026-05-12T10:00", "2026-01-12 10:00", "0001-01-01T00:00", "9999-12-31T23:00-12:00")
    data = "\n".join(["sku,units,as of", *(f"{number},1,{time}" for number, time in enumerate(times))])
    sheet = read_sheet(data.encode(), location="online", zone=ROME)
    assert [line.as_of for line in sheet.lines] == [
        datetime(2026, 5, 12, 8, tzinfo=UTC), datetime(2026, 1, 12, 9, tzinfo=UTC),
    ]  # fmt: skip
    assert [(fault.line, fault.fault) for fault in sheet.faults] == [(4, "as_of"), (5, "as_of")]


def test_a_line_keeps_its_number_below_what_is_passed_over() -> None:
    sheet = read_sheet(b"\nsep=;\n\nsku;units\nA;many\n", location="online", zone=ROME)
    assert [fault.line for fault in sheet.faults] == [5]


@pytest.mark.parametrize("data", [b"", b"\x00\xff", b"hello\nworld", b"sku\nA", b"PK\x03\x04 a zip, not a sheet"])
def test_what_is_no_stock_file_is_refused(data: bytes) -> None:
    with pytest.raises(NotASheet):
        read_sheet(data, location="online", zone=ROME)


@pytest.mark.parametrize(
    "headings", ["sku,stock,quantity", "code,article,units", "sku,units,units", "sku,units,date,data"]
)
def test_of_two_columns_for_one_thing_none_is_chosen_in_silence(headings: str) -> None:
    with pytest.raises(SaidTwice):
        read_sheet(f"{headings}\nA,1,2,3\n".encode(), location="online", zone=ROME)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for begun in (data, b"sku,units\n" + data):
        try:
            read_sheet(begun, location="online", zone=ROME)
        except (NotASheet, SaidTwice):
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
