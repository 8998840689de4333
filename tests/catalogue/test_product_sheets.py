"""Files of products: a line for each SKU, faults by line, each product wholly or not at all, and shown first."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.orm import Session

from concierge.catalogue import cli
from concierge.catalogue.goods import Wording
from concierge.catalogue.models import Product
from concierge.catalogue.product_sheets import (
    NotAProductSheet,
    ProductSaidTwice,
    ProductSheet,
    TooManyProducts,
    read_products,
)
from concierge.catalogue.queries import get_product
from concierge.cli import main
from concierge.config import Config
from tests.catalogue.builders import make_product

FILE = """\
Code;SKU;Name;Nome (it);Designer;Category;Price;Size;Colour;Tags
CAL-TUR;CAL-TUR-36;Calanque sandals;Sandali Calanque;Atelier Mirelle;Sandals;420,00;36;Turquoise;satin, wedding
CAL-TUR;CAL-TUR-37;;;;;;37;Turquoise;
LUN-BAG;LUN-BAG;Luna bag;;Orsola Venti;Borse;€ 1.200;;Black;
BAD;BAD-1;Bad;;X;Bags;about ten;;;
BAD;BAD-2;;;;;;;;
"""


def read(text: str, *, language: str = "en", currency: str = "EUR") -> ProductSheet:
    return read_products(text.encode(), language=language, currency=currency)


def faults(text: str) -> list[tuple[int, str]]:
    return [(each.line, each.fault) for each in read(text).faults]


def test_a_product_is_read_over_its_lines() -> None:
    sheet = read(FILE)
    (line, sandals), (_line, bag) = sheet.reports
    assert (line, sandals.code, sandals.designer, sandals.category, sandals.price_cents, sandals.tags) == (
        2, "CAL-TUR", "Atelier Mirelle", "sandals", 42_000, ("satin", "wedding"),
    )  # fmt: skip
    assert sandals.texts == {"en": Wording("Calanque sandals"), "it": Wording("Sandali Calanque")}
    assert [(each.sku, each.size, each.colour) for each in sandals.variants] == [
        ("CAL-TUR-36", "36", "Turquoise"), ("CAL-TUR-37", "37", "Turquoise"),
    ]  # fmt: skip
    assert (bag.category, bag.price_cents, bag.tags, bag.season, bag.names_all) == ("bags", 120_000, None, None, False)
    assert [(each.line, each.fault, each.value) for each in sheet.faults] == [(5, "price", "about ten")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("code,sku\n,A\n", [(2, "code")]),
        ("code,sku\na/b,A\n", [(2, "code")]),
        ("code,sku\nA,\n", [(2, "sku")]),
        ("code,sku,currency\nA,A,euro\n", [(2, "currency")]),
        ("code,sku,link\nA,A,javascript:alert(1)\n", [(2, "link")]),
        ("code,sku,link\nA,A,javascript://shop.example/%0Aalert(1)\n", [(2, "link")]),  # T33
        ("code,sku,link\nA,A,https://shop.example/a\n", []),
        (f"code,sku,colour\nA,A,{'x' * 41}\n", [(2, "long")]),
        ("code,sku,price\nA,A-1,1\nA,A-2,2\n", [(3, "differs")]),
        ("code,sku\nA,A-1\nB,A-1\n", [(3, "twice")]),
    ],
)
def test_a_line_that_cant_be_used_is_named(text: str, expected: list[tuple[int, str]]) -> None:
    assert faults(text) == expected


def test_what_is_no_file_of_products_is_said() -> None:
    for text, error in (
        ("sku,units\nA,1\n", NotAProductSheet),
        ("", NotAProductSheet),
        ("code,sku,size,taglia\nA,A,1,1\n", ProductSaidTwice),
        ("code,sku\n" + "A,A\n" * 10_002, TooManyProducts),
    ):
        with pytest.raises(error):
            read(text)


def test_yen_have_no_cents() -> None:
    (_line, report), *_ = read("code,sku,price\nA,A,42000\n", currency="JPY").reports
    assert report.price_cents == 42_000


@pytest.fixture
def run(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CONCIERGE_DATABASE_URL", config.database_url)

    def invoke(text: str, *more: str, answer: str = "") -> str:
        file = tmp_path / "products.csv"
        file.write_text(text, encoding="utf-8")
        command = ["products", "import", str(file), "--data", str(config.data), *more]
        return " ".join(CliRunner().invoke(main, command, input=answer).output.split())

    return invoke


def codes(session: Session) -> list[str]:
    session.rollback()
    found = list(session.scalars(sa.select(Product.code).order_by(Product.code)))
    session.rollback()
    return found


def test_the_command_shows_and_asks(run, session: Session) -> None:
    said = run(FILE, answer="n\n")
    assert "Products: 2 new, 0 changed, 0 as they were." in said and "1 fault; its product is left as before" in said
    assert "line 5: not a price such as 420 or 1,200.50 (about ten)" in said
    assert "Nothing was changed." in said
    assert codes(session) == []
    assert "Applied." in run(FILE, answer="y\n")
    assert codes(session) == ["CAL-TUR", "LUN-BAG"]
    again = run(FILE, "--yes")
    assert "Products: 0 new, 0 changed, 2 as they were." in again
    assert "Nothing was changed." in again
    assert "1 changed" in run("code,sku,price\nCAL-TUR,CAL-TUR-36,390\nNEW,NEW,1\n", "--yes")
    session.expire_all()
    assert get_product(session, "CAL-TUR").price_cents == 39_000
    assert get_product(session, "CAL-TUR").name("it") == "Sandali Calanque"


def test_a_product_with_a_fault_is_left_wholly_as_it_is(run, session: Session) -> None:
    make_product(session)
    session.commit()
    said = run(
        "code,sku,name,price\nNEW,CAL-TUR-36,New,1\nOLD,OLD-1,,\nCAL-TUR,CAL-TUR-36,Else,0\nCAL-TUR,,,\n", "--yes"
    )
    assert "line 2: another product has this SKU (CAL-TUR-36, CAL-TUR)" in said
    assert "line 3: this product is new: it needs a name and a price (OLD)" in said
    assert "line 4: an earlier line has this SKU" in said
    assert codes(session) == ["CAL-TUR"]
    assert get_product(session, "CAL-TUR").name("en") == "Calanque sandals"


def test_what_was_shown_is_done_or_nothing_is(run, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def meanwhile(*_told: object, **_more: object) -> bool:
        make_product(session)
        session.commit()
        return True

    monkeypatch.setattr(cli.click, "confirm", meanwhile)
    assert "The catalogue has changed since this was shown" in run(FILE)
    assert codes(session) == ["CAL-TUR"]
    assert get_product(session, "CAL-TUR").description("en") == "Silk satin, gathered by hand."
