"""Looking for products, what is left of them, and the cards that go into mails."""

import pytest
from sqlalchemy.orm import Session

from concierge.blobs import BlobStore
from concierge.catalogue import queries
from concierge.catalogue.models import ProductNotFound, VariantNotFound
from tests.catalogue.builders import make_picture, make_product, put_on_shelf


@pytest.fixture
def shop(session: Session) -> Session:
    make_product(session)
    make_product(session, "CAL-COR", colour="Coral", sizes={"36": 2, "37": 0})
    make_product(
        session, "LUN-BAG", name="Luna bag", nome="Borsa Luna", designer="Casa Ori", category="bags", colour="Black",
        sizes={"": 0}, tags=("evening",),
    )  # fmt: skip
    session.commit()
    return session


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", ["CAL-TUR", "CAL-COR", "LUN-BAG"]),
        ("calanque", ["CAL-TUR", "CAL-COR"]),
        ("CALANQUE turq", ["CAL-TUR"]),
        ("sandali turchese", ["CAL-TUR"]),
        ("mirelle 37", ["CAL-TUR", "CAL-COR"]),
        ("sandals 38", ["CAL-TUR"]),
        ("evening", ["LUN-BAG"]),
        ("borsa", ["LUN-BAG"]),
        ("cal-cor-36", ["CAL-COR"]),
        ("lun-bag", ["LUN-BAG"]),
        ("100%", []),
        ("_", []),
        ("' OR 1=1 --", []),
    ],
)
def test_every_word_must_be_answered_to(shop: Session, text: str, codes: list[str]) -> None:
    assert [product.code for product in queries.search_products(shop, text)] == codes


def test_a_kind_and_what_is_in_stock_narrow_the_search(shop: Session) -> None:
    assert [each.code for each in queries.search_products(shop, category="bags")] == ["LUN-BAG"]
    assert [each.code for each in queries.search_products(shop, in_stock=True)] == ["CAL-TUR", "CAL-COR"]
    assert queries.count_categories(shop) == {"bags": 1, "sandals": 2}


def test_the_picker_puts_the_size_that_was_typed_first(shop: Session) -> None:
    assert [each.sku for each in queries.search_variants(shop, "calanque 36")] == ["CAL-TUR-36", "CAL-COR-36"]
    assert [each.sku for each in queries.search_variants(shop, "luna")] == ["LUN-BAG"]


def test_what_is_left_is_counted_over_all_places(shop: Session) -> None:
    variant = queries.get_variant_by_sku(shop, "CAL-TUR-37")
    put_on_shelf(shop, variant, 2, location="Milano")
    assert queries.count_available(shop, ["CAL-TUR-36", "CAL-TUR-37", "nobody"]) == {"CAL-TUR-36": 0, "CAL-TUR-37": 3}


def test_a_card_is_in_her_language_and_shows_the_colour_she_asked_for(shop: Session, store: BlobStore) -> None:
    product = queries.get_product(shop, "CAL-TUR")
    key = make_picture(shop, store, product, colour="Turquoise")
    shop.commit()
    card = queries.card(shop, "CAL-TUR-36", "it")
    assert (card.name, card.designer, card.colour, card.sized) == (
        "Sandali Calanque",
        "Atelier Mirelle",
        "Turchese",
        "EU 36",
    )
    assert (card.price, card.available) == ("420\u00a0€", 0)
    assert (card.picture_key, card.picture_type) == (key, "image/jpeg")
    assert card.link == "https://maison-solenne.example/products/cal-tur"


def test_cards_come_together_and_those_that_are_gone_are_left_out(shop: Session) -> None:
    assert set(queries.cards(shop, ["CAL-TUR-36", "LUN-BAG", "GONE"], "en")) == {"CAL-TUR-36", "LUN-BAG"}
    assert queries.card(shop, "LUN-BAG", "en").sized == ""


def test_what_is_not_there_is_said(shop: Session) -> None:
    with pytest.raises(ProductNotFound):
        queries.get_product(shop, "nothing")
    with pytest.raises(VariantNotFound):
        queries.card(shop, "nothing", "en")


def test_beside_a_piece_stand_others_of_its_kind_in_its_size_that_are_there(shop: Session):
    make_product(shop, "GIU-GLD", designer="Casa Ori", price_cents=43_000, sizes={"36": 1, "37": 5})
    make_product(shop, "FAR-RED", designer="Casa Ori", price_cents=90_000, sizes={"36": 1})
    make_product(shop, "SEL-CHE", category="boots", sizes={"36": 1})
    make_product(shop, "GON-ALL", sizes={"36": 0})
    asked = queries.get_variant_by_sku(shop, "CAL-TUR-36")
    assert [each.sku for each in queries.list_alternatives(shop, asked)] == ["CAL-COR-36", "GIU-GLD-36", "FAR-RED-36"]
    assert [each.sku for each in queries.list_alternatives(shop, asked, limit=1)] == ["CAL-COR-36"]
