"""Three customers who are one person, joined one after the other; and one who answers while she is joined."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from sqlalchemy.orm import object_session

from concierge.accounts.models import Editor
from concierge.catalogue.purchases import PurchaseReport, report_purchase
from concierge.catalogue.stock_models import Purchase
from concierge.conversations.joining import JoinedSince, join_customer, separate_customer
from concierge.customers.models import Customer
from concierge.customers.queries import get_person
from concierge.wishes import jobs, links
from concierge.wishes.answers import confirm_request
from concierge.wishes.models import WishRequest, WishWay
from tests.factories import DAY, NOW, make_customer
from tests.wishes.builders import offers, sandals, share_out, wish_for
from tests.wishes.joins import LATER, join, rows, separate, sound


def test_who_says_yes_while_she_is_joined_wishes_as_who_she_is_from_then_on(app, config, sessions, two, nadia):
    session = object_session(nadia)
    [size] = sandals(session, s36=0)
    wish_for(session, size, name="Anna")  # the house has a mailbox
    hers = two[1].addresses[0]
    wanted = {"skus": [size.sku], "quantity": 1, "needed_by": None, "ceiling_cents": None, "or_similar": False}
    asked = WishRequest(
        address=hers.address, normalised=hers.normalised, product_id=size.product_id, wanted=wanted,
        way=WishWay.FORM, language="en", words="Write to me", network="n", created_at=NOW,
    )  # fmt: skip
    session.add(asked)
    session.commit()
    she, other, editor, number = two[0].id, two[1].id, nadia.id, asked.id
    session.close()

    def say_yes():
        with app.test_request_context(), sessions() as her:
            request = her.get_one(WishRequest, number)
            wish = confirm_request(her, config.policy, request, number, network="n", now=NOW)
            her.commit()
            return wish.customer_id

    with ThreadPoolExecutor(1) as pool, sessions() as desk:
        people = (desk.get_one(Customer, each) for each in (she, other))
        join_customer(desk, *people, by=desk.get_one(Editor, editor), now=NOW)
        desk.flush()
        saying = pool.submit(say_yes)
        wait([saying], timeout=0.5)
        assert not saying.done()
        desk.commit()
        assert saying.result(20) == she


def test_what_she_buys_with_our_token_while_she_is_joined_is_whose_she_is_from_then_on(config, sessions, two, nadia):
    session = object_session(nadia)
    [size] = sandals(session, s36=1)
    wish_for(session, size, customer=two[1])
    share_out(session, size, now=NOW)
    [offer] = offers(session)
    report = PurchaseReport("shop", "S-1:1", size.sku, LATER, hold_token=links.hold_token(config, offer.id))
    bought = report_purchase(session, report, now=LATER).id
    session.commit()
    she, other, editor = two[0].id, two[1].id, nadia.id
    session.close()

    def match():
        return jobs.match_purchases(config, sessions)

    with ThreadPoolExecutor(1) as pool, sessions() as desk:
        people = (desk.get_one(Customer, each) for each in (she, other))
        join_customer(desk, *people, by=desk.get_one(Editor, editor), now=LATER)
        desk.flush()
        matching = pool.submit(match)
        wait([matching], timeout=0.5)
        assert not matching.done()
        desk.commit()
        assert matching.result(20) == 1
    assert session.get_one(Purchase, bought).customer_id == she


def _three(session, two, sizes):
    """A third customer, and all three wish for something of these sizes; each has what the next one wants too."""
    s36, s37 = sizes
    third = make_customer(session, "Chloé Petit")
    wish_for(session, s36, customer=two[0], now=NOW + DAY)
    wish_for(session, s36, s37, customer=two[1], now=NOW)
    wish_for(session, s37, customer=third, now=NOW - DAY)
    return third


def _address_of(customer, beginning):
    return next(each.id for each in customer.addresses if each.normalised.startswith(beginning))


def test_of_two_joins_that_touch_the_same_wishes_the_later_is_undone_first(session, two, nadia):
    third = _three(session, two, sandals(session, s36=0, s37=0))
    before = rows(session)
    join(session, two, nadia)
    once = rows(session)
    join(session, (two[0], third), nadia, now=LATER + DAY)
    with pytest.raises(JoinedSince):
        separate_customer(session, two[0], _address_of(two[0], "bea"), by=nadia, now=LATER + 2 * DAY)
    separate_customer(session, two[0], _address_of(two[0], "chlo"), by=nadia, now=LATER + 2 * DAY)
    sound(session)
    assert rows(session) == once
    separate(session, two, nadia, now=LATER + 3 * DAY)
    assert rows(session) == before


def test_joins_that_touch_other_wishes_are_undone_in_any_order(session, two, nadia):
    s36, s37 = sandals(session, s36=0, s37=0)
    third = make_customer(session, "Chloé Petit")
    for she, piece in ((two[0], s36), (two[1], s36), (third, s37)):
        wish_for(session, piece, customer=she)
    before = rows(session)
    join(session, two, nadia)
    join(session, (two[0], third), nadia, now=LATER + DAY)
    for beginning in ("bea", "chlo"):
        separate_customer(session, two[0], _address_of(two[0], beginning), by=nadia, now=LATER + 2 * DAY)
        sound(session)
    assert rows(session) == before


def test_who_was_joined_and_then_joined_on_comes_back_by_the_same_way(session, two, nadia):
    third = _three(session, two, sandals(session, s36=0, s37=0))
    before = rows(session)
    join(session, two, nadia)
    once = rows(session)
    join(session, (third, two[0]), nadia, now=LATER + DAY)
    assert get_person(session, two[1].id) is get_person(session, two[0].id) is third
    separate_customer(session, third, _address_of(third, "barb"), by=nadia, now=LATER + 2 * DAY)
    sound(session)
    assert rows(session) == once
    separate(session, two, nadia, now=LATER + 3 * DAY)
    assert rows(session) == before
