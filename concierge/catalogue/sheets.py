"""Reads the shop's stock from a CSV file as people and tills write them: any separator, English or Italian headings."""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from concierge.catalogue.levels import YEARS
from concierge.catalogue.spreadsheets import plain_heading, read_rows
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
_NAMES: Final = ("sku", "units", "location", "as_of")
# Where two columns speak of the same thing, these are the ones that are meant.
_FIRST: Final = {"sku": "sku", "variant sku": "sku", "units": "units", "on hand": "units", "on_hand": "units"}
# A thousand to one reader, one with three decimals to another.
_AMBIGUOUS: Final = re.compile(r"-?[1-9]\d{0,2}([.,]\d{3})+", re.ASCII)


class NotASheet(BadInput):
    """This is not a stock file. Save it as CSV, with a first line of headings, among them SKU and Units."""


class SaidTwice(BadInput):
    """Two columns of this file speak of the same thing, such as Stock and Quantity. Leave the one that counts."""


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
    """A line that can't be used: what is wrong and what stands there; `sku` is what it speaks of all the same.

    Wrong is "sku", "location", "units", "ambiguous" (units that are two numbers), "as_of", or it stands there "twice"
    (when the two differ, neither is used).
    """

    line: int
    fault: str
    value: str = ""
    sku: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file says, and the lines that can't be used."""

    lines: tuple[SheetLine, ...]
    faults: tuple[Fault, ...]


def read_sheet(data: bytes, *, location: str, zone: ZoneInfo) -> Sheet:
    """The lines of a CSV file; those without a location are at `location`, times without a zone are by the clock there.

    UTF-8, UTF-16 or Windows-1252; commas, semicolons, tabs or bars. Raises NotASheet, SaidTwice, TooLong.
    """
    rows, columns = read_rows(data, _columns, refused=NotASheet)
    lines: dict[tuple[str, str], SheetLine] = {}
    faults: list[Fault] = []
    contradicted: set[tuple[str, str]] = set()
    for number, row in rows:
        if number > MOST_LINES + 1:
            raise TooLong
        cells = {name: row[at].strip() if at < len(row) else "" for name, at in columns.items()}
        read = _read(number, cells, location, zone)
        if isinstance(read, Fault):
            faults.append(read)
            continue
        first = lines.setdefault((read.sku, read.location), read)
        if first is not read:
            faults.append(Fault(number, "twice", read.sku, read.sku))
        if (first.units, first.as_of) != (read.units, read.as_of):
            contradicted.add((read.sku, read.location))
    # nobody knows which of the two is meant
    faults += [Fault(lines[each].number, "twice", each[0], each[0]) for each in contradicted]
    sound = tuple(line for each, line in lines.items() if each not in contradicted)
    return Sheet(sound, tuple(sorted(faults, key=lambda fault: fault.line)))


def write_sheet(lines: Iterable[SheetLine]) -> bytes:
    """A CSV file that reads as these lines."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["sku", "location", "units", "as_of"])
    for line in lines:
        as_of = line.as_of.isoformat() if line.as_of else ""
        writer.writerow([line.sku, line.location, line.units, as_of])
    return text.getvalue().encode()


def _columns(headings: list[str]) -> dict[str, int]:
    """Where each column is; {} when these are no headings. Raises SaidTwice."""
    written = [plain_heading(each) for each in headings]
    found = {name: [at for at, each in enumerate(written) if _HEADINGS.get(each) == name] for name in _NAMES}
    if not (found["sku"] and found["units"]):
        return {}
    columns = {}
    for name, places in found.items():
        meant = [at for at in places if _FIRST.get(written[at]) == name] if len(places) > 1 else places
        if places and len(meant) != 1:
            raise SaidTwice
        if meant:
            columns[name] = meant[0]
    return columns


def _read(number: int, cells: dict[str, str], location: str, zone: ZoneInfo) -> SheetLine | Fault:
    sku, place, counted, told = cells["sku"], cells.get("location") or location, cells["units"], cells.get("as_of", "")
    for name, value in (("sku", sku), ("location", place)):
        if not 0 < len(value) <= _LONGEST[name]:
            return Fault(number, name, value[:60], "" if name == "sku" else sku)
    if _AMBIGUOUS.fullmatch(counted):
        return Fault(number, "ambiguous", counted[:60], sku)
    if (units := _units(counted)) is None:
        return Fault(number, "units", counted[:60], sku)
    as_of = _instant(told, zone)
    if told and as_of is None:
        return Fault(number, "as_of", told[:60], sku)
    return SheetLine(number, sku, place, units, as_of)


def _units(text: str) -> int | None:
    """A whole number of units, also as spreadsheets write it ("4.0"); below none counts as none (oversold)."""
    whole, _, rest = text.replace(",", ".").partition(".")
    digits = whole.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or rest.strip("0") or len(digits) > 9:
        return None
    units = int(whole)
    return max(0, units) if units <= MOST_UNITS else None


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    """An ISO 8601 instant within reason; without a zone it is by the clock of `zone`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.year not in YEARS:
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)
