"""Every file that can be taken away: parsed as a spreadsheet would, no cell of it is a formula."""

import csv
import io
import re

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from concierge import clock
from concierge.accounts.models import Editor
from concierge.catalogue.stock_models import Restock
from concierge.db import Sessions
from concierge.reports import jobs, tables
from tests.catalogue.builders import make_product, make_variant
from tests.factories import DAY, NOW, make_customer, make_editor
from tests.reports.furnished import BACK, House, furnish
from tests.wishes.builders import share_out, wish_for

# What a customer, a shop or a colleague may have called something; each is a formula to some spreadsheet (CWE-1236).
FORMULAS = [
    '=HYPERLINK("https://evil.example","x")', "+1+1", "-2+3", "@SUM(1,2)", "\t=1+1", "\r=1+1", "\n=1", "＝1+1",
    "\x01=1", " =1+1", "\u00a0=1", "|calc", "%0A=1", '=1"', '";=1;"', "=1\r\n+2",
]  # fmt: skip
FILES = "board rows offers goods restocks demand chances curve times waves reorder".split()
# In these stand numbers and our own words alone.
OURS = {"/wishes/demand.csv", "/wishes/chances.csv", "/wishes/times.csv"}
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")


def dangerous(cells: list[str]) -> list[str]:
    """Cells a spreadsheet would calculate; numbers are none, and an apostrophe makes words of anything."""
    words = [each for each in cells if not re.fullmatch(r"-?\d+(\.\d+)?", each)]
    return [each for each in words if each.strip().startswith(DANGEROUS) or each.startswith(("\t", "\r", "\n"))]


def cells_of(data: bytes) -> list[list[str]]:
    """The file as a spreadsheet opens it."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.fixture
def hostile_house(session: Session, sessions: Sessions, config) -> None:
    """A house where everything that has a name is named after a formula; three wishes wait, one is offered, each."""
    now = clock.now()
    for number in range(0, len(FORMULAS), 4):
        some = FORMULAS[number : number + 4]
        product = make_product(
            session, f"=P{number}", name=some[0], nome=some[1], designer=some[2], colour=some[3], category=some[0][:40],
            sizes={f"+{number}": 1, f"-{number}": 3},
        )  # fmt: skip
        editor = make_editor(session, f"{some[1].strip()} {number}", email=f"e{number}@maison.example")
        for place, name in enumerate(some):
            customer = make_customer(session, name, address=f"=p{number}{place}@example.com")
            wish = wish_for(session, product.variants[0], customer=customer, now=now - DAY, editor=editor)
            wish.moved_at, wish.moved_by, wish.moved_because = now, editor, name
        offered, spare = product.variants
        session.add_all([Restock(variant=each, units=1, at=now, flapped=False) for each in (offered, spare)])
        share_out(session, offered, now=now)
    session.commit()
    jobs.count_demand(config, sessions)


def files(app: Flask) -> list[str]:
    """The address of everything that is handed out as a table."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.endswith((".csv", ".tsv", ".xlsx"))]
    return sorted(rule.rule for rule in rules if "GET" in (rule.methods or ()) and not rule.arguments)


def open_files(app: Flask, marta: FlaskClient) -> dict[str, list[list[str]]]:
    """Each of them, opened."""
    found = {}
    for path in files(app):
        answer = marta.get(path)
        assert (answer.status_code, answer.mimetype) == (200, "text/csv")
        assert "attachment" in answer.headers["Content-Disposition"]
        found[path] = cells_of(answer.data)
    return found


@pytest.mark.usefixtures("hostile_house")
def test_no_cell_of_any_file_is_a_formula(app: Flask, marta: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    found = open_files(app, marta)  # T21
    assert {f"/wishes/{name}.csv" for name in FILES} <= set(found)
    for path, lines in found.items():
        assert path in OURS or len(lines) > len(FORMULAS) // 4, path
        assert {len(line) for line in lines} == {len(lines[0])}, path
        assert [each for line in lines for each in dangerous(line)] == [], path
    assert "'=HYPERLINK" in "".join(cell for line in found["/wishes/rows.csv"] for cell in line)
    # the control: a file that guards nothing is seen
    monkeypatch.setattr(tables, "cell", lambda value: "" if value is None else str(value))
    assert all(path in OURS or any(map(dangerous, lines)) for path, lines in open_files(app, marta).items())


@given(st.lists(st.text("=+-@\t\r\n\x00 |%'\"a1;,\u00a0＝", max_size=6), min_size=1, max_size=6))
@settings(max_examples=50)
def test_whatever_words_there_are_the_file_says_them_and_none_calculates(words: list[str]) -> None:  # T21
    [line] = cells_of(b"".join(tables.csv_bytes(["A"], [words])))[1:]
    assert dangerous(line) == []
    for cell, said in zip(line, words, strict=True):
        clean = re.sub(r"[\x00-\x08\x0b-\x1f]", " ", said)
        assert cell in {clean, f"'{clean}"}


@pytest.fixture
def furnished(session: Session, sessions: Sessions, config, at) -> House:
    at(NOW)
    house = furnish(session)
    jobs.count_demand(config, sessions)
    return house


def lines_of(marta: FlaskClient, path: str) -> list[list[str]]:
    """What stands in a file below its head."""
    return cells_of(marta.get(path).data)[1:]


def test_the_board_as_a_file_says_what_each_size_is_worth_and_since_when(marta: FlaskClient, furnished: House) -> None:
    by_sku = {each[6]: each[7:] for each in lines_of(marta, "/wishes/board.csv")}
    # wishes, content too, pieces, worth, likely, and the wishes by age
    small, large = by_sku["CAL-TUR-36"], by_sku["CAL-TUR-37"]
    assert small[:11] == ["4", "1", "13", "5460.0", "1601.0", "EUR", "1", "1", "1", "1", "0"]
    assert small[11:] == [(NOW - 100 * DAY).isoformat(sep=" ", timespec="seconds"), "0", "1"]
    assert large[:11] == ["2", "1", "2", "840.0", "320.0", "EUR", "1", "0", "1", "0", "0"]
    assert large[12:] == ["3", "0"]
    old = {each[6]: each[7:13] for each in lines_of(marta, "/wishes/board.csv?age=3")}
    assert old["CAL-TUR-36"] == ["1", "", "9", "3780.0", "945.0", "EUR"]


def test_a_size_to_order_again_is_told_from_its_sisters(
    marta: FlaskClient, session: Session, sessions: Sessions, config, at
) -> None:
    at(NOW)
    house = furnish(session)
    make_variant(session, house.small.product, sku="CAL-COR-36", size="36", colour="Coral")
    wish_for(session, house.bag, quantity=9)
    session.commit()
    jobs.count_demand(config, sessions)
    page = marta.get("/wishes/demand").text
    assert '<td data-column="Size">Turquoise, EU 36</td>' in page and '<td data-column="Size">one size</td>' in page


def test_numbers_are_written_as_the_reader_writes_them(marta: FlaskClient, session: Session, furnished: House) -> None:
    session.execute(sa.update(Editor).values(language="it"))
    session.commit()
    demand, board = marta.get("/wishes/demand").text, marta.get("/wishes").text
    assert "se ne venderebbero 3,8" in demand and ">4,0</a>" in demand and ">4.0</a>" not in demand
    assert ">1 libero</a>" in board and "1 liberi" not in board


def test_yen_are_no_hundredths_in_a_file_nor_on_a_page(
    marta: FlaskClient, session: Session, sessions: Sessions, config, at
) -> None:
    at(NOW)
    house = furnish(session)
    house.small.product.currency = house.boots.product.currency = "JPY"
    session.commit()
    jobs.count_demand(config, sessions)
    by_currency = {each[0]: each[1:] for each in lines_of(marta, "/wishes/demand.csv")}
    assert by_currency["JPY"] == ["7", "16", "700000.0", "209600.0", "1", "84000.0", "28000.0"]
    assert "¥700,000" in marta.get("/wishes/demand").text
    assert {each[10] for each in lines_of(marta, "/wishes/rows.csv")} >= {"42000.0", "999.0"}


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "demand",
            [
                ["EUR", "7", "16", "7000.0", "2096.0", "1", "840.0", "280.0"],
                ["USD", "1", "1", "999.0", "249.75", "1", "999.0", "428.14"],
            ],
        ),
        (
            "chances",
            [
                ["up to a week", "2", "2", "1", "0.4286"], ["up to a month", "1", "1", "0", "0.4"],
                ["up to three months", "2", "1", "1", "0.3333"], ["up to six months", "2", "0", "0", "0.25"],
                ["older", "1", "0", "0", "0.25"],
            ],
        ),
        (
            "curve",
            [
                ["Sandals", "EU", "36", "13", "0", "2", "86.7", "0.0", "66.7", "86.7"],
                ["Sandals", "EU", "37", "2", "3", "1", "13.3", "100.0", "33.3", "-86.7"],
                ["Boots", "EU", "36", "1", "1", "0", "100.0", "100.0", "0.0", "0.0"],
            ],
        ),
        (
            "times",
            [
                ["Restock to mail", "4.0", "24.0", "24.6", "5"], ["Mail to purchase", "7.0", "7.5", "7.8", "2"],
                ["Restock to purchase", "21.0", "26.5", "29.8", "2"],
            ],
        ),
        ("reorder", [["CAL-TUR", "Calanque sandals", "Turquoise", "EU 36", "CAL-TUR-36", "3", "1260.0", "EUR", "13",
                      "3.81", "0", "1"]]),
    ],
)  # fmt: skip
def test_the_figures_as_files_are_those_of_the_page(marta, furnished: House, name: str, lines: list[list[str]]) -> None:
    assert lines_of(marta, f"/wishes/{name}.csv") == lines


def test_restocks_and_waves_as_files_are_those_of_their_pages(marta: FlaskClient, furnished: House) -> None:
    [restock] = lines_of(marta, "/wishes/restocks.csv")
    back = BACK.isoformat(sep=" ", timespec="seconds")
    assert restock[1:] == [
        "CAL-TUR", "Calanque sandals", "Turquoise", "EU 36", "CAL-TUR-36", back, "2", "2", "6", "3", "2", "",
    ]  # fmt: skip
    assert lines_of(marta, "/wishes/restocks.csv?product=LUN-BAG") == []
    rates = [each[5:] for each in lines_of(marta, "/wishes/waves.csv")]
    assert rates == [["1", "3", "2", "1", "0.6667"], ["2", "3", "1", "1", "0.5"], ["1", "2", "2", "0", "1.0"]]
    assert [each[0] for each in lines_of(marta, "/wishes/curve.csv?kind=boots|EU")] == ["Boots"]
