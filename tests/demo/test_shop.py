"""The demo's shop: sold out, wished for, come in, taken, paid — the whole circle without a script."""

import re

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from concierge import clock
from concierge.app import create_app
from concierge.catalogue.models import Product, Variant
from concierge.demo import goods
from concierge.wishes import jobs
from concierge.wishes.models import Wish, WishEnding, WishState
from concierge.wishes.offer_models import Offer
from tests.factories import make_editor, make_mailbox, sign_in
from tests.public.circle import FORM, links_of, mails, path
from tests.public.conftest import client

__all__ = ["client"]


@pytest.fixture
def shop(client: FlaskClient, config, session, store) -> FlaskClient:
    """The collection is in the shop, and Nadia plays the shop behind its counter."""
    make_mailbox(session)
    goods.bring_collection(session, store, now=clock.now(), shop=f"{config.base_url}/shop/")
    nadia = make_editor(session)
    session.commit()
    sign_in(client, nadia)
    return client


def test_the_whole_circle_can_be_walked(shop, config, session, sessions):
    page = shop.get("/shop/CAL-TUR")
    assert "sold out in 36" in page.text and "<wish-form" in page.text and 'action="/wishes/requests"' in page.text
    shop.post("/wishes/requests", data=FORM)
    link = re.search(r"https?://\S+/wish-request/\S+", mails(session, "wish_request")[0].content["text"])
    shop.post(path(config, link[0]))
    assert shop.post("/shop/CAL-TUR/counter", data={"sku": "CAL-TUR-36"}).status_code == 303
    session.commit()
    assert jobs.open_waves(config, sessions) == 1
    offer = session.scalars(sa.select(Offer)).unique().one()
    here = links_of(config, offer.wish, offer)["offer"]
    checkout = shop.post(f"{here}/take").headers["Location"]
    assert checkout.startswith(f"{config.base_url}/shop/CAL-TUR?hold=")
    kept = shop.get(path(config, checkout))
    till = re.search(r'href="(/shop/checkout\?sku=CAL-TUR-36[^"]+)"', kept.text)[1].replace("&amp;", "&")
    assert "Buy 36<" in kept.text and "sold out in 36<" not in kept.text, "of each size one thing is said"
    assert 'value="barbara@example.com"' in shop.get(till).text
    hold = till.partition("hold=")[2]
    paid = shop.post("/shop/checkout", data={"sku": "CAL-TUR-36", "hold": hold, "email": "barbara@example.com"})
    assert paid.status_code == 303 and "S-" in shop.get(paid.headers["Location"]).text
    session.commit()
    assert jobs.match_purchases(config, sessions) == 1
    wish = session.scalars(sa.select(Wish).execution_options(populate_existing=True)).unique().one()
    assert (wish.state, wish.ended_because) == (WishState.FULFILLED, WishEnding.BOUGHT)
    sandals = session.scalar(sa.select(Variant).where(Variant.sku == "CAL-TUR-36"))
    session.refresh(sandals)
    assert (sandals.on_hand, sandals.promised) == (0, 0)
    bought = shop.get(path(config, checkout)).text
    assert "sold out in 36<" in bought and "Buy 36<" not in bought and "One is kept" not in bought


def test_what_is_sold_out_or_kept_for_another_is_not_sold(shop, session):
    for sku, hold in (("CAL-TUR-36", ""), ("CAL-TUR-36", "rubbish"), ("CAL-TUR-36", "IjEi.x.y")):
        answer = shop.post("/shop/checkout", data={"sku": sku, "hold": hold, "email": "mallory@example.com"})
        assert answer.status_code == 409
    assert shop.post("/shop/checkout", data={"sku": "CAL-TUR-37", "email": "nobody"}).status_code == 422


def test_only_a_colleague_stands_behind_the_counter(app, shop, session):
    visitor = app.test_client()
    assert "Behind the counter" not in visitor.get("/shop/CAL-TUR").text
    assert "/sign-in" in visitor.post("/shop/CAL-TUR/counter", data={"sku": "CAL-TUR-36"}).headers["Location"]
    session.expire_all()
    assert session.scalar(sa.select(Variant.on_hand).where(Variant.sku == "CAL-TUR-36")) == 0


def test_a_real_house_has_no_shop(config):
    real = create_app(config.model_copy(update={"demo": False})).test_client()
    assert {real.get(each).status_code for each in ("/shop/", "/shop/CAL-TUR", "/shop/checkout")} == {404}


def test_the_collections_links_follow_the_shop_to_another_port(shop, session):
    moved = goods.move_shop(session, "http://127.0.0.1:9999/shop/")
    links = session.scalars(sa.select(Product.link)).all()
    assert moved == len(links) and all(each.startswith("http://127.0.0.1:9999/shop/") for each in links)
