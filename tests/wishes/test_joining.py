"""Wishes of two customers who are one person: one line, one hold, and back again to the last row."""

from contextlib import suppress
from datetime import date, timedelta
from random import Random

import pytest
import sqlalchemy as sa

from concierge.catalogue.stock_models import Purchase
from concierge.conversations.joining import HasMore, join_customer
from concierge.customers.queries import get_person
from concierge.wishes import links
from concierge.wishes.commands import change_wish, withdraw_wish
from concierge.wishes.models import (
    LIVING,
    AlreadyWished,
    Wish,
    WishEnding,
    WishState,
    WishVariant,
)
from concierge.wishes.offer_models import Offer, OfferEnding, OfferState
from concierge.wishes.offering import fulfil_wish, lapse_offer, pass_offer, take_offer
from concierge.wishes.uniting import TakenTwice
from tests.factories import DAY, NOW, make_customer, sign_in
from tests.wishes.builders import FRIDAY, make_consent, offers, restock, sandals, wish_for
from tests.wishes.joins import join, rows, separate, sound

LATER = FRIDAY + DAY


def variants_of(wish):
    return [each.variant.size for each in wish.choices]


def test_of_two_wishes_for_one_piece_the_older_stays_in_line_with_what_she_said_last(session, two, nadia):
    s36, s37 = sandals(session, s36=0, s37=0)
    hers = wish_for(session, s36, customer=two[0], now=NOW + DAY, quantity=2, needed_by=date(2026, 7, 1))
    older = wish_for(session, s36, s37, customer=two[1], now=NOW, or_similar=True, ceiling_cents=50_000)
    rank, before = older.rank_at, rows(session)
    join(session, two, nadia)
    assert (hers.state, hers.ended_because) == (WishState.WITHDRAWN, WishEnding.JOINED)
    assert (older.state, older.customer_id, older.rank_at, variants_of(older)) == (
        WishState.WAITING, two[0].id, rank, ["36", "37"],
    )  # fmt: skip
    assert (older.quantity, older.needed_by, older.ceiling_cents, older.or_similar) == (2, date(2026, 7, 1), None, True)
    assert older.consent_id and hers.consent_id
    assert separate(session, two, nadia) == []
    assert rows(session) == before


def test_wishes_for_other_pieces_and_orders_go_along_and_come_back(session, two, nadia):
    s36, s37 = sandals(session, s36=0, s37=0)
    wish_for(session, s36, customer=two[0])
    other = wish_for(session, s37, customer=two[1])
    bought = Purchase(
        source="shop", external_id="1", variant_id=s36.id, customer_id=two[1].id, normalised="bea@example.com",
        price_cents=1, at=NOW, received_at=NOW, matched_at=NOW,
    )  # fmt: skip
    session.add(bought)
    before = rows(session)
    join(session, two, nadia)
    assert {other.customer_id, bought.customer_id, *(each.customer_id for each in other.choices)} == {two[0].id}
    assert other.state is WishState.WAITING
    assert separate(session, two, nadia) == []
    assert rows(session) == before


def test_a_piece_held_for_the_younger_wish_stays_held_at_the_older_ones_place(session, two, nadia):
    s36, s37 = sandals(session, s36=0, s37=0)
    older = wish_for(session, s36, customer=two[0], now=NOW)
    younger = wish_for(session, s37, s36, customer=two[1], now=NOW + DAY)
    restock(session, s37)
    [offer] = offers(session)
    assert offer.wish_id == younger.id
    before = rows(session)
    join(session, two, nadia)
    assert (offer.wish_id, offer.customer_id, offer.ended_at) == (older.id, two[0].id, None)
    assert (older.state, variants_of(older), younger.state) == (WishState.OFFERED, ["36", "37"], WishState.WITHDRAWN)
    assert separate(session, two, nadia) == []
    assert rows(session) == before


def held_twice(session, two):
    [s36] = sandals(session, s36=0)
    wishes = [wish_for(session, s36, customer=each, now=NOW + n * DAY) for n, each in enumerate(two)]
    restock(session, s36, 2)
    return s36, wishes, offers(session)


def test_one_person_is_held_one_piece_and_the_second_is_free(session, two, nadia):
    s36, wishes, [first, second] = held_twice(session, two)
    before = rows(session)
    join(session, two, nadia)
    assert (first.ended_at, second.ended_because) == (None, OfferEnding.WITHDRAWN)
    assert (s36.on_hand, s36.promised) == (2, 1)
    assert [each.state for each in wishes] == [WishState.OFFERED, WishState.WITHDRAWN]
    assert separate(session, two, nadia) == []
    assert rows(session) == before


def test_what_she_has_taken_goes_before_what_is_only_held(session, two, nadia):
    _s36, [older, _younger], [first, second] = held_twice(session, two)
    take_offer(session, second, now=FRIDAY)
    join(session, two, nadia)
    assert (second.state, second.wish_id, first.ended_because) == (OfferState.TAKEN, older.id, OfferEnding.WITHDRAWN)


def test_two_pieces_she_has_taken_are_not_made_one(session, two, nadia):
    _s36, _wishes, both = held_twice(session, two)
    for each in both:
        take_offer(session, each, now=FRIDAY)
    session.commit()
    with pytest.raises(TakenTwice):
        join_customer(session, *two, by=nadia, now=LATER)
    session.rollback()
    sound(session)


def test_what_was_held_twice_and_given_away_since_is_said(session, two, nadia):
    s36, [_older, younger], [_first, second] = held_twice(session, two)
    join(session, two, nadia)
    wish_for(session, s36, name="Anna Rossi", now=LATER)
    restock(session, s36, 0, now=LATER)
    assert len(offers(session)) == 2
    [said] = separate(session, two, nadia)
    assert "no longer free" in said
    assert (younger.state, younger.customer_id, second.ended_because) == (
        WishState.WAITING, two[1].id, OfferEnding.WITHDRAWN,
    )  # fmt: skip


def test_a_wish_that_changed_since_stays_and_the_other_waits_again(session, two, nadia):
    s36, s37 = sandals(session, s36=0, s37=0)
    older = wish_for(session, s36, customer=two[0], now=NOW)
    younger = wish_for(session, s36, customer=two[1], now=NOW + DAY)
    rank = younger.rank_at
    join(session, two, nadia)
    terms = {"quantity": 3, "needed_by": None, "ceiling_cents": None, "or_similar": False}
    change_wish(session, older, variants=[s36, s37], **terms, by=nadia, now=LATER)
    [said] = separate(session, two, nadia)
    assert "changed since" in said
    assert (older.quantity, variants_of(older), older.customer_id) == (3, ["36", "37"], two[0].id)
    assert (younger.state, younger.rank_at, younger.customer_id) == (WishState.WAITING, rank, two[1].id)


@pytest.mark.parametrize("ending", ["withdrawn", "bought"])
def test_a_wish_that_ended_since_is_over_for_both(session, two, nadia, ending):
    [s36] = sandals(session, s36=0)
    older = wish_for(session, s36, customer=two[0], now=NOW)
    younger = wish_for(session, s36, customer=two[1], now=NOW + DAY)
    join(session, two, nadia)
    if ending == "withdrawn":
        withdraw_wish(session, older, WishEnding.WITHDRAWN_BY_HER, by=None, now=LATER)
    else:
        bought = Purchase(
            source="shop", external_id="1", variant_id=s36.id, customer_id=two[0].id, price_cents=1, at=LATER,
            received_at=LATER, matched_at=LATER,
        )  # fmt: skip
        session.add(bought)
        session.flush()
        fulfil_wish(session, older, bought, now=LATER)
    [said] = separate(session, two, nadia)
    assert "ended since" in said
    assert (older.is_living, younger.is_living, younger.customer_id) == (False, False, two[1].id)


def test_what_she_has_not_said_yes_to_gives_way(session, two, nadia):
    s36, s37 = sandals(session, s36=0, s37=0)
    hers = wish_for(session, s36, customer=two[0], now=NOW + DAY)
    asked = wish_for(session, s36, s37, customer=two[1], now=NOW, confirmed=False, quantity=4)
    before = rows(session)
    join(session, two, nadia)
    assert (asked.state, variants_of(asked), hers.quantity) == (WishState.UNCONFIRMED, ["37"], 1)
    assert separate(session, two, nadia) == []
    assert rows(session) == before


def test_a_yes_to_other_mails_still_belongs_to_its_address(session, two, nadia):
    make_consent(session, two[1], purpose="plan")
    with pytest.raises(HasMore):
        join_customer(session, *two, by=nadia, now=LATER)


def test_her_links_are_hers_whoever_she_was(session, two, nadia):
    join(session, two, nadia)
    assert get_person(session, two[1].id) is two[0]
    separate(session, two, nadia)
    assert get_person(session, two[1].id) is two[1]


def furnished(session, two, seed):
    """Wishes of both, and of others, made and offered by chance; the variants."""
    chance = Random(seed)
    variants = sandals(session, s36=0, s37=0, s38=0, s39=0)
    others = [make_customer(session, name) for name in ("Anna Rossi", "Carla Rossi")]
    for number in range(10):
        customer = chance.choice([*two, *two, *others])
        terms = {"quantity": chance.choice([1, 1, 2]), "or_similar": chance.random() < 0.3}
        terms["needed_by"] = chance.choice([None, date(2026, 8, 1)])
        moment = NOW + timedelta(hours=number + chance.randrange(5))
        wanted = chance.sample(variants, chance.choice([1, 1, 2, 3]))
        with suppress(AlreadyWished):
            wish_for(session, *wanted, customer=customer, now=moment, confirmed=chance.random() < 0.85, **terms)
    for variant in chance.sample(variants, 2):
        restock(session, variant, chance.randrange(4))
    for offer in offers(session):
        if chance.random() < 0.2:
            take_offer(session, offer, now=FRIDAY)
    session.commit()
    return variants, chance


def places(session, two):
    """The best place either has in each queue, and what either has taken."""
    session.expire_all()
    numbers = [each.id for each in two]
    living = session.scalars(sa.select(WishVariant).where(WishVariant.customer_id.in_(numbers), WishVariant.is_living))
    best = {}
    for each in living:
        if each.wish.rank_at is not None:
            best[each.variant_id] = min(best.get(each.variant_id, each.wish.rank_at), each.wish.rank_at)
    taken = sa.select(Offer.id).where(Offer.customer_id.in_(numbers), Offer.ended_at.is_(None))
    return best, set(session.scalars(taken.where(Offer.state == OfferState.TAKEN)))


@pytest.mark.parametrize("seed", range(8))
def test_whatever_both_wish_for_no_place_is_lost_nothing_is_held_twice_and_all_comes_back(session, two, nadia, seed):
    furnished(session, two, seed)
    before, (best, taken) = rows(session), places(session, two)
    try:
        join_customer(session, *two, by=nadia, now=LATER)
    except TakenTwice:
        session.rollback()
        assert len(taken) > 1
    else:
        sound(session)
        after, still = places(session, two)
        assert still == taken
        assert after.keys() == best.keys()
        assert all(after[number] <= best[number] for number in best)
        assert separate(session, two, nadia) == []
    assert rows(session) == before


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_meanwhile_the_house_is_sound_and_both_have_their_own(session, two, nadia, seed):
    variants, chance = furnished(session, two, seed)
    theirs = set(session.scalars(sa.select(Wish.id).where(Wish.customer_id == two[1].id)))
    try:
        join_customer(session, *two, by=nadia, now=LATER)
    except TakenTwice:
        return
    for wish in session.scalars(sa.select(Wish).where(Wish.state.in_(LIVING)).order_by(Wish.id)).unique().all():
        match chance.randrange(6):
            case 0:
                withdraw_wish(session, wish, WishEnding.WITHDRAWN_BY_HER, by=None, now=LATER)
            case 1:
                restock(session, chance.choice(variants), 1, now=LATER)
            case 2 if offers(session):
                lapse_offer(session, chance.choice(offers(session)), now=LATER)
            case 3 if opened := [each for each in offers(session) if each.state is OfferState.OPEN]:
                pass_offer(session, chance.choice(opened), now=LATER)
    sound(session)
    separate(session, two, nadia)
    session.expire_all()
    assert theirs == set(session.scalars(sa.select(Wish.id).where(Wish.customer_id == two[1].id)))
    for table in (WishVariant, Offer):
        strays = sa.select(table).join(Wish, Wish.id == table.wish_id).where(table.customer_id != Wish.customer_id)
        assert session.scalars(strays).unique().all() == []


def test_on_the_page_they_are_joined_and_separated_and_what_stays_is_said(session, two, nadia, client):
    [s36] = sandals(session, s36=0)
    older = wish_for(session, s36, customer=two[0], now=NOW)
    wish_for(session, s36, customer=two[1], now=NOW + DAY)
    address = two[1].addresses[0].id
    session.commit()
    sign_in(client, nadia)
    path = f"/customers/{two[0].id}"
    assert client.post(f"{path}/join", data={"address": "bea@example.com"}).status_code == 303
    assert "one with an earlier wish of hers" in client.get(f"{path}/wishes").get_data(as_text=True)
    session.expire_all()
    withdraw_wish(session, older, WishEnding.WITHDRAWN_BY_HER, by=None, now=LATER)
    session.commit()
    there = client.post(f"{path}/addresses/{address}/separate").headers["Location"]
    assert "her wish has changed or ended since" in client.get(there).get_data(as_text=True)


def test_the_way_out_in_an_old_letter_ends_what_she_wishes_for_now(session, two, nadia, config, client):
    [s36] = sandals(session, s36=0)
    wish = wish_for(session, s36, customer=two[1])
    link = links.unsubscribe_link(config, two[1].id).removeprefix(config.base_url)
    join(session, two, nadia)
    session.commit()
    assert client.post(link, data={"List-Unsubscribe": "One-Click"}).status_code < 400
    session.expire_all()
    assert wish.ended_because is WishEnding.UNSUBSCRIBED
