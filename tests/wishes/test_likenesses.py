"""What is read of a customer's taste: what she kept, sent back and passed on, and whose pieces these were."""

import pytest
import sqlalchemy as sa

from concierge.catalogue.models import Variant
from concierge.catalogue.stock_models import Purchase
from concierge.mailing.models import Delivery
from concierge.mailing.sheets import unfold
from concierge.wishes import release
from concierge.wishes.likenesses import tastes_of
from concierge.wishes.offering import pass_offer
from concierge.wishes.similar import Taste
from tests.catalogue.builders import make_product
from tests.factories import DAY, NOW, make_customer
from tests.wishes.builders import offers, restock, sandals, save_policy, share_out, wish_for


@pytest.fixture
def barbara(session):
    save_policy(session)
    return make_customer(session)


@pytest.fixture
def shelf(session):
    """A piece of each of these designers, of which the house has one."""

    def put(*designers: str) -> list[Variant]:
        pieces = [make_product(session, f"P-{each}", designer=each, sizes={"36": 1}) for each in designers]
        return [each.variants[0] for each in pieces]

    return put


def buy(session, customer, variant: Variant, *, sent_back: bool = False) -> None:
    session.add(
        Purchase(
            variant_id=variant.id, customer_id=customer.id, source="shop", external_id=f"{customer.id}-{variant.sku}",
            price_cents=42_000, at=NOW - DAY, received_at=NOW - DAY, returned_at=NOW if sent_back else None,
        )
    )  # fmt: skip
    session.flush()


def test_what_she_kept_and_what_she_sent_back_are_told_apart_and_so_are_their_designers(session, barbara, shelf):
    kept, returned = shelf("Ori", "Mirelle")
    buy(session, barbara, kept)
    buy(session, barbara, returned, sent_back=True)
    assert tastes_of(session, [barbara.id]) == {
        barbara.id: Taste(
            owned=frozenset({kept.product_id}),
            disliked=frozenset({returned.product_id}),
            liked_designers=frozenset({"Ori"}),
            disliked_designers=frozenset({"Mirelle"}),
        )
    }


def test_a_designer_of_whom_she_kept_one_and_sent_one_back_says_nothing(session, barbara):
    for code, sent_back in (("ONE", False), ("TWO", True)):
        piece = make_product(session, code, designer="Ori", sizes={"36": 1}).variants[0]
        buy(session, barbara, piece, sent_back=sent_back)
    taste = tastes_of(session, [barbara.id])[barbara.id]
    assert taste.liked_designers == taste.disliked_designers == frozenset()
    assert len(taste.owned) == len(taste.disliked) == 1


def test_what_she_passed_on_she_does_not_want_and_what_she_only_was_offered_says_nothing(session, barbara):
    passed, open_still = sandals(session, s36=1)[0], make_product(session, "BRERA", sizes={"36": 1}).variants[0]
    for each in (passed, open_still):
        wish_for(session, each, customer=barbara)
        share_out(session, each, now=NOW)
    pass_offer(session, offers(session)[0], now=NOW)
    assert tastes_of(session, [barbara.id])[barbara.id] == Taste(disliked=frozenset({passed.product_id}))


def test_nobody_has_anothers_taste(session, barbara, shelf):
    chloe, [piece] = make_customer(session, "Chloé Martin", "chloe@example.com"), shelf("Ori")
    buy(session, chloe, piece)
    found = tastes_of(session, [barbara.id, chloe.id])
    assert found[barbara.id] == Taste()
    assert found[chloe.id].owned == {piece.product_id}
    assert set(tastes_of(session, [barbara.id])) == {barbara.id}


@pytest.mark.usefixtures("nadia", "at")
def test_what_she_owns_sent_back_or_passed_on_is_not_shown_beside_an_offer(session, sessions, config, store, barbara):
    [sandal] = sandals(session)
    names = {"MAREA": "Marea", "LUNA": "Luna", "ALBA": "Alba", "NUIT": "Nuit"}
    other = {code: make_product(session, code, name=name, sizes={"36": 3}).variants[0] for code, name in names.items()}
    buy(session, barbara, other["MAREA"])
    buy(session, barbara, other["LUNA"], sent_back=True)
    wish_for(session, other["ALBA"], customer=barbara)
    share_out(session, other["ALBA"], now=NOW)
    pass_offer(session, offers(session)[0], now=NOW)
    wish_for(session, sandal, customer=barbara, or_similar=True)
    restock(session, sandal)
    session.commit()
    release.release_due(config, sessions)
    [delivery] = session.scalars(sa.select(Delivery))
    text = unfold(delivery.content, store.get).text
    assert [name for name in names.values() if name in text] == ["Nuit"]
