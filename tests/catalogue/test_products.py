"""A product as the shop tells it: made, changed, told again, told late; what is not said stays, nothing is deleted."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.audit import list_for
from concierge.catalogue.goods import Picture, ProductReport, VariantReport, Wording
from concierge.catalogue.levels import Report
from concierge.catalogue.models import Product, ProductIncomplete, Variant
from concierge.catalogue.products import Reported, ReportedAs, report_product
from concierge.catalogue.queries import get_product, search_products
from concierge.catalogue.stock import report_stock
from concierge.catalogue.stock_models import StockEvent, StockReport
from concierge.config import Policy
from concierge.db import Sessions
from tests.catalogue.builders import make_product
from tests.factories import HOUR, MINUTE, NOW

SANDALS = ProductReport(
    "CAL-TUR",
    designer="Atelier Mirelle",
    category="sandals",
    season="Summer",
    price_cents=42_000,
    link="https://maison-solenne.example/products/cal-tur",
    tags=("satin", "wedding"),
    texts={"en": Wording("Calanque sandals", "Silk satin."), "it": Wording("Sandali Calanque", "Raso di seta.")},
    variants=(
        VariantReport("CAL-TUR-36", "36", colour="Turquoise"),
        VariantReport("CAL-TUR-37", "37", None, "Turquoise"),
    ),
    pictures=(Picture("0" * 64, 8, 10, "Turquoise"),),
)


def tell(session: Session, report: ProductReport = SANDALS, **said: Any) -> Reported:
    told = report_product(session, replace(report, **said), source="shop", now=NOW, policy=Policy())
    session.commit()
    return told


def changes(session: Session, **said: Any) -> tuple[str, ...]:
    """What is changed by a report that says only this."""
    return tell(session, ProductReport("CAL-TUR"), **said).changed


def verbs(session: Session, product: Product) -> list[str]:
    return [entry.verb for entry in list_for(session, product)]


def test_a_product_comes_whole_into_an_empty_house(session: Session) -> None:
    told = tell(session)
    assert told.state is ReportedAs.ADDED
    session.expire_all()
    product = get_product(session, "CAL-TUR")
    assert (product.designer, product.season, product.price_cents, product.currency) == (
        "Atelier Mirelle", "Summer", 42_000, "EUR",
    )  # fmt: skip
    assert (product.name("it"), product.description("en"), product.tags) == (
        "Sandali Calanque", "Silk satin.", ["satin", "wedding"],
    )  # fmt: skip
    assert [(each.sku, each.size, each.size_system, each.colour) for each in product.variants] == [
        ("CAL-TUR-36", "36", "EU", "Turquoise"), ("CAL-TUR-37", "37", "EU", "Turquoise"),
    ]  # fmt: skip
    assert [each.colour for each in product.pictures] == ["Turquoise"]
    assert verbs(session, product) == ["product.added"]
    assert [each.code for each in search_products(session, "sandali 37 turch")] == ["CAL-TUR"]


def test_the_same_again_changes_nothing(session: Session) -> None:
    tell(session)
    rows = sa.text("SELECT id FROM product_picture UNION ALL SELECT id FROM product_text")
    before = session.execute(rows).all()
    told = tell(session)
    assert (told.state, told.changed) == (ReportedAs.SAME, ())
    assert before == session.execute(rows).all()
    assert verbs(session, told.product) == ["product.added"]


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        ({"price_cents": 39_000}, ("price_cents",)),
        ({"texts": {"it": Wording(description="Raso.")}}, ("texts.it",)),
        ({"texts": {"fr": Wording("Sandales Calanque")}}, ("texts.fr",)),
        ({"tags": ()}, ("tags",)),
        ({"link": ""}, ("link",)),
        ({"variants": (VariantReport("CAL-TUR-36", colour="Teal"),)}, ("CAL-TUR-36",)),
        ({"variants": (VariantReport("CAL-TUR-38", "38"),)}, ("CAL-TUR-38",)),
        ({"pictures": ()}, ("pictures",)),
        ({"price_cents": 42_000, "variants": (VariantReport("CAL-TUR-36", "36"),)}, ()),
        ({}, ()),
    ],
)
def test_what_is_said_is_changed_and_all_else_stays(session: Session, said: dict[str, Any], changed: tuple[str, ...]):
    tell(session)
    assert changes(session, **said) == changed
    assert changes(session, **said) == ()
    # all the rest is as it was: saying it again is no news, but for what was said above
    again = tell(session, **{name: getattr(ProductReport("x"), name) for name in said})
    assert set(again.changed) == set()


def test_what_was_told_earlier_and_comes_later_changes_nothing(session: Session) -> None:
    tell(session, as_of=NOW - HOUR)
    assert tell(session, price_cents=1, as_of=NOW - 2 * HOUR).state is ReportedAs.LATE
    assert get_product(session, "CAL-TUR").price_cents == 42_000
    assert tell(session, price_cents=2, as_of=NOW - HOUR).state is ReportedAs.CHANGED
    # what does not say of when counts as now, and so does what is dated ahead
    assert changes(session, price_cents=3, as_of=NOW + HOUR) == changes(session, price_cents=4) == ("price_cents",)
    assert tell(session, price_cents=5, as_of=NOW - MINUTE).state is ReportedAs.LATE


def test_reports_of_products_and_of_stock_at_once_wait_for_each_other_in_one_order(
    session: Session, sessions: Sessions
) -> None:  # F05
    """Four tell of sizes in opposite orders while four count them: nothing is lost, and nobody waits in a circle."""
    # made in this order, so that they would be written in this order
    tell(session, variants=SANDALS.variants[::-1])

    def say(number: int) -> None:
        for each in range(4):
            with sessions() as own:
                if number % 2:
                    sizes = tuple(VariantReport(f"CAL-TUR-{size}", colour=f"{number}{each}") for size in (37, 36))
                    report_product(own, replace(SANDALS, variants=sizes), source="shop", now=NOW, policy=Policy())
                else:
                    for size in (36, 37):
                        name, sku = f"{number}:{each}:{size}", f"CAL-TUR-{size}"
                        moved = Report("shop", name, sku, "online", StockReport.DELTA, 1, NOW)
                        report_stock(own, moved, now=NOW, policy=Policy())
                own.commit()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(say, range(8)))
    session.expire_all()
    assert [each.on_hand for each in get_product(session, "CAL-TUR").variants] == [16, 16]
    assert len({each.colour for each in get_product(session, "CAL-TUR").variants}) == 1


@pytest.mark.parametrize("missing", [{"texts": {}}, {"texts": {"en": Wording(description="x")}}, {"price_cents": None}])
def test_a_new_product_needs_a_name_and_a_price(session: Session, missing: dict[str, Any]) -> None:
    with pytest.raises(ProductIncomplete):
        tell(session, **missing)
    session.rollback()
    assert search_products(session) == []


def test_nobody_said_whose_or_of_which_kind_it_is(session: Session) -> None:
    product = tell(session, designer=None, category=None).product
    assert (product.designer, product.category) == ("", "other")


def test_a_sku_of_another_product_is_left_there(session: Session) -> None:
    make_product(session, "CAL-COR")
    told = tell(session, variants=(VariantReport("CAL-COR-36", "40"), VariantReport("CAL-TUR-36", "36")))
    assert told.elsewhere == {"CAL-COR-36": "CAL-COR"}
    assert [each.sku for each in told.product.variants] == ["CAL-TUR-36"]
    assert session.scalars(sa.select(Variant.size).where(Variant.sku == "CAL-COR-36")).one() == "36"


def test_what_the_shop_no_longer_has_stays_and_has_no_units(session: Session) -> None:
    product = make_product(session)  # 36: none, 37: one, 38: four
    only = (VariantReport("CAL-TUR-37", "37"),)
    assert changes(session, variants=only) == ()
    assert changes(session, variants=only, names_all=True) == ("order", "CAL-TUR-38")
    session.expire_all()
    assert {each.sku: each.available for each in product.variants} == {
        "CAL-TUR-36": 0, "CAL-TUR-37": 1, "CAL-TUR-38": 0,
    }  # fmt: skip
    assert [(each.source, each.units) for each in session.scalars(sa.select(StockEvent))] == [("shop-gone", 0)]
    assert changes(session, variants=only, names_all=True) == ()


def test_sizes_stand_as_the_shop_has_them(session: Session) -> None:
    tell(session)
    half = VariantReport("CAL-TUR-36.5", "36½")
    tell(session, variants=(SANDALS.variants[0], half, SANDALS.variants[1]), names_all=True)
    product = get_product(session, "CAL-TUR")
    session.refresh(product)
    assert [each.size for each in product.variants] == ["36", "36.5", "37"]


@pytest.mark.parametrize(
    ("category", "size", "house", "kept"),
    [
        ("sandals", "36,5", "EU", ("36.5", "EU")),
        ("sandals", "UK 4", "EU", ("4", "UK")),
        ("sandals", "38 it", "EU", ("38", "IT")),
        ("sandals", "7", "EU", ("7", "")),
        ("sandals", "7", "US", ("7", "US")),
        ("dresses", "44", "IT", ("44", "IT")),
        ("dresses", "M", "IT", ("M", "")),
        ("belts", "85", "EU", ("85", "")),
        ("bags", "", "EU", ("", "")),
    ],
)
def test_a_bare_size_is_in_the_houses_system_where_that_has_it(
    session: Session, category: str, size: str, house: str, kept: tuple[str, str]
) -> None:
    report = replace(SANDALS, category=category, variants=(VariantReport("X", size),))
    told = report_product(session, report, source="shop", now=NOW, policy=Policy(shop_sizes=house))  # type: ignore[arg-type]
    assert [(each.size, each.size_system) for each in told.product.variants] == [kept]
    session.commit()
    assert tell(session, report).changed == ()


def test_a_new_size_is_in_the_system_of_its_sisters(session: Session) -> None:
    tell(session, category="dresses", variants=(VariantReport("D-44", "44", "IT"), VariantReport("D-S", "S", "INT")))
    tell(session, category="dresses", variants=(VariantReport("D-46", "46"), VariantReport("D-44", "44")))
    systems = {each.sku: each.size_system for each in get_product(session, "CAL-TUR").variants}
    assert systems == {"D-44": "IT", "D-S": "INT", "D-46": "IT"}
