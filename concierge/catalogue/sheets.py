"""Reads the shop's stock from a CSV file as people and tills write them: any separator, English or Italian headings."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from concierge.errors import BadInput

MOST_LINES: Final = 200_000
MOST_UNITS: Final = 1_000_000
_LONGEST: Final = {"sku": 60, "location": 40}
_HEADINGS: Final = {
    "sku": "sku", "code": "sku", "codice": "sku", "article": "sku", "articolo": "sku", "variant sku": "sku",
    "units": "units", "quantity": "units", "qty": "units", "stock": "units", "on hand": "units", "on_hand": "units",
    "available": "units", "quantità": "units", "quantita": "units", "giacenza": "units", "pezzi": "units",
    "location": "location", "store": "location", "boutique": "location", "negozio": "location", "sede": "location",
    "as of": "as_of", "as_of": "as_of", "counted at": "as_of", "date": "as_of", "data": "as_of",
}  # fmt: skip


class NotASheet(BadInput):
    """This is not a stock file. It needs a first line with headings, among them SKU and Units."""


class TooLong(BadInput):
    """This file has more lines than we can take; send it in parts of 200,000."""


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One line: so many units of a SKU are at a location; `as_of` None means as of the whole file."""

    number: int
    sku: str
    location: str
    units: int
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that can't be used: what is wrong ("sku", "units", "location", "as_of", "twice") and what stands there."""

    line: int
    fault: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file says, and the lines that can't be used."""

    lines: tuple[SheetLine, ...]
    faults: tuple[Fault, ...]


def read_sheet(data: bytes, *, location: str) -> Sheet:
    """The lines of a CSV file; those without a location are at `location`.

    UTF-8, UTF-16 or Windows-1252; commas, semicolons, tabs or bars. Raises NotASheet, TooLong.
    """
    rows = _rows(_text(data))
    columns = _columns(next(rows, []))
    lines: list[SheetLine] = []
    faults: list[Fault] = []
    seen: set[tuple[str, str]] = set()
    for number, row in enumerate(rows, start=2):
        if number > MOST_LINES + 1:
            raise TooLong
        if not any(cell.strip() for cell in row):
            continue
        read = _read(number, {name: row[at].strip() if at < len(row) else "" for name, at in columns.items()}, location)
        if isinstance(read, SheetLine) and (read.sku, read.location) in seen:
            read = Fault(number, "twice", read.sku)
        if isinstance(read, Fault):
            faults.append(read)
        else:
            seen.add((read.sku, read.location))
            lines.append(read)
    return Sheet(tuple(lines), tuple(faults))


def write_sheet(lines: Iterable[SheetLine]) -> bytes:
    """A CSV file that reads as these lines."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["sku", "location", "units", "as_of"])
    for line in lines:
        as_of = line.as_of.isoformat() if line.as_of else ""
        writer.writerow([line.sku, line.location, line.units, as_of])
    return text.getvalue().encode()


def _text(data: bytes) -> str:
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _rows(text: str) -> Iterator[list[str]]:
    head = text.split("\n", 1)[0]
    separator = max(",;\t|", key=head.count)
    reader = csv.reader(io.StringIO(text.replace("\x00", ""), newline=""), delimiter=separator)
    try:
        yield from reader
    except csv.Error as error:
        raise NotASheet from error


def _columns(headings: list[str]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for at, heading in enumerate(headings):
        name = _HEADINGS.get(" ".join(heading.strip().lower().split()))
        if name is not None:
            columns.setdefault(name, at)
    if not {"sku", "units"} <= columns.keys():
        raise NotASheet
    return columns


def _read(number: int, cells: dict[str, str], location: str) -> SheetLine | Fault:
    place = cells.get("location") or location
    for name, value in (("sku", cells["sku"]), ("location", place)):
        if not 0 < len(value) <= _LONGEST[name]:
            return Fault(number, name, value[:60])
    units = _units(cells["units"])
    if units is None:
        return Fault(number, "units", cells["units"][:60])
    as_of = _instant(cells.get("as_of", ""))
    if cells.get("as_of") and as_of is None:
        return Fault(number, "as_of", cells["as_of"][:60])
    return SheetLine(number, cells["sku"], place, units, as_of)


def _units(text: str) -> int | None:
    """A whole number of units, also as spreadsheets write it ("4.0"); below none counts as none (oversold)."""
    whole, _, rest = text.replace(",", ".").partition(".")
    digits = whole.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or rest.strip("0") or len(digits) > 9:
        return None
    units = int(whole)
    return max(0, units) if units <= MOST_UNITS else None


def _instant(text: str) -> datetime | None:
    """An ISO 8601 instant; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
