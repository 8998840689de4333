"""Reads a CSV file as people and spreadsheets write them: any separator and encoding, titles above the headings."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Final

from concierge.errors import BadInput

# The headings stand among so many first lines; a title or the name of the shop may stand above them.
_MOST_ABOVE: Final = 10
# The line by which spreadsheets tell each other the separator.
_TELLS_SEPARATOR: Final = re.compile(r'"?sep=([,;\t|])"?\s*', re.IGNORECASE)

Row = tuple[int, list[str]]


def read_rows(
    data: bytes, columns_of: Callable[[list[str]], dict[str, int]], *, refused: type[BadInput]
) -> tuple[Iterator[Row], dict[str, int]]:
    """What stands below the headings, with the numbers of the rows, and where each column is.

    `columns_of` says where each column is by a row of headings, {} when it is none; the separator is the one by which
    there are headings. What stands above them (a spreadsheet's `sep=;`, a title, the day of the count) is passed over.
    Raises `refused` for what is no such file, also while its rows are read.
    """
    text = _text(data)
    told = next(filter(None, map(_TELLS_SEPARATOR.fullmatch, re.split(r"[\r\n]+", text[:10_000]))), None)
    for separator in told[1] if told else ",;\t|":
        rows = _rows(text, separator, refused)
        with suppress(refused):
            for _number, row in islice(rows, _MOST_ABOVE):
                if columns := columns_of(row):
                    return rows, columns
    raise refused


def plain_heading(heading: str) -> str:
    """A heading as it is compared: in lower case, its words one space apart."""
    return " ".join(heading.strip().lower().split())


def _text(data: bytes) -> str:
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _rows(text: str, separator: str, refused: type[BadInput]) -> Iterator[Row]:
    """The rows in which something stands, with their numbers."""
    reader = csv.reader(io.StringIO(text.replace("\x00", ""), newline=""), delimiter=separator)
    try:
        yield from ((number, row) for number, row in enumerate(reader, start=1) if any(cell.strip() for cell in row))
    except csv.Error as error:
        raise refused from error
