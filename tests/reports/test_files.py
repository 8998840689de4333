"""Every file that can be taken away: parsed as a spreadsheet would, no cell of it is a formula."""

import csv
import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from concierge import clock
from concierge.db import Sessions
from concierge.reports import jobs, tables
from tests.catalogue.builders import make_product
from tests.factories import DAY, make_customer, make_editor
from tests.wishes.builders import share_out, wish_for

# What a customer, a shop or a colleague may have called something; each is a formula to some spreadsheet (CWE-1236).
FORMULAS = [
    '=HYPERLINK("https://evil.example","x")', "+1+1", "-2+3", "@SUM(1,2)", "\t=1+1", "\r=1+1", "\n=1", "＝1+1",
    "\x01=1", " =1+1", "\u00a0=1", "|calc", "%0A=1", '=1"', '";=1;"', "=1\r\n+2",
]  # fmt: skip
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")


def dangerous(cells: list[str]) -> list[str]:
    """Cells a spreadsheet would calculate; numbers are none, and an apostrophe makes words of anything."""
    return [each for each in cells if each.strip().startswith(DANGEROUS) or each.startswith(("\t", "\r", "\n"))]


def cells_of(data: bytes) -> list[list[str]]:
    """The file as a spreadsheet opens it."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.fixture
def hostile_house(session: Session, sessions: Sessions, config) -> None:
    """A house where everything that has a name is named after a formula; one wish waits, one is offered, each."""
    now = clock.now()
    for number in range(0, len(FORMULAS), 4):
        some = FORMULAS[number : number + 4]
        product = make_product(
            session, f"=P{number}", name=some[0], nome=some[1], designer=some[2], colour=some[3], category=some[0][:40],
            sizes={f"+{number}": 1},
        )  # fmt: skip
        editor = make_editor(session, f"{some[1].strip()} {number}", email=f"e{number}@maison.example")
        for place, name in enumerate(some):
            customer = make_customer(session, name, address=f"=p{number}{place}@example.com")
            wish = wish_for(session, *product.variants, customer=customer, now=now - DAY, editor=editor)
            wish.moved_at, wish.moved_by, wish.moved_because = now, editor, name
        share_out(session, product.variants[0], now=now)
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
    assert {"/wishes/board.csv", "/wishes/rows.csv", "/wishes/offers.csv"} <= set(found)
    for path, lines in found.items():
        assert len(lines) > len(FORMULAS) // 4, path
        assert {len(line) for line in lines} == {len(lines[0])}, path
        assert [each for line in lines for each in dangerous(line)] == [], path
    assert "'=HYPERLINK" in "".join(cell for line in found["/wishes/rows.csv"] for cell in line)
    # the control: a file that guards nothing is seen
    monkeypatch.setattr(tables, "cell", lambda value: "" if value is None else str(value))
    assert all(any(map(dangerous, lines)) for lines in open_files(app, marta).values())


@given(st.lists(st.text("=+-@\t\r\n\x00 |%'\"a1;,\u00a0＝", max_size=6), min_size=1, max_size=6))
@settings(max_examples=50)
def test_whatever_words_there_are_the_file_says_them_and_none_calculates(words: list[str]) -> None:  # T21
    [line] = cells_of(b"".join(tables.csv_bytes(["A"], [words])))[1:]
    assert dangerous(line) == []
    for cell, said in zip(line, words, strict=True):
        clean = re.sub(r"[\x00-\x08\x0b-\x1f]", " ", said)
        assert cell in {clean, f"'{clean}"}
