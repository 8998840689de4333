"""Rows as a CSV file, written as it is read: UTF-8 that spreadsheets know as such, and no cell they would calculate."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Final

# A cell that begins so is a formula to a spreadsheet (OWASP, "CSV injection"); full-width signs count for some.
_BEGIN_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")
_BYTE_ORDER_MARK: Final = "\ufeff"
_LINES_AT_ONCE: Final = 200

Cell = str | int | float | date | datetime | None


def csv_bytes(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The file in pieces, lines ended as RFC 4180 has it."""
    page = _Page()
    writer = csv.writer(page, lineterminator="\r\n")
    page.write(_BYTE_ORDER_MARK)
    writer.writerow(head)
    for number, row in enumerate(rows, start=1):
        writer.writerow([cell(each) for each in row])
        if number % _LINES_AT_ONCE == 0:
            yield page.tear_off()
    yield page.tear_off()


def cell(value: Cell) -> str:
    """What stands in the cell; words that would begin a formula get an apostrophe, control characters a space."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if not isinstance(value, str):
        return str(value)
    words = "".join(" " if ord(each) < 32 and each not in "\n\t" else each for each in value)
    # some trim what looks like nothing before they look for a formula
    begins = words.startswith(_BEGIN_FORMULAS) or words.lstrip().startswith(_BEGIN_FORMULAS)
    return f"'{words}" if begins else words


class _Page:
    """What was written since the last piece was torn off."""

    def __init__(self) -> None:
        self._words: list[str] = []

    def write(self, words: str) -> int:
        self._words.append(words)
        return len(words)

    def tear_off(self) -> bytes:
        piece = "".join(self._words).encode("utf-8")
        self._words.clear()
        return piece
