"""A round is cut into handfuls, a commit after each: what people read of their place is true all the same."""

from itertools import cycle
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from concierge.catalogue.models import Variant
from concierge.reports import restocks
from concierge.wishes.models import Wish
from concierge.wishes.rounds import Round
from concierge.wishes.waves import Standing
from concierge.wishes.words import explain
from tests.factories import DAY, HOUR, NOW
from tests.wishes.builders import offers, sandals, save_policy, wish_for

CUTS = [[1], [2], [3, 1], [1, 5], [1000]]


def _deal(session: Session, variant: Variant, sizes: list[int]) -> None:
    """A round in handfuls of these sizes by turns."""
    dealing, handfuls = Round(session, variant.id, zone=ZoneInfo("UTC"), now=NOW), cycle(sizes)
    while not dealing.is_over:
        dealing.deal(session, limit=next(handfuls))
        session.flush()


def _sentences(session: Session) -> dict[str, str]:
    """What a person reads of why it was her turn, by name."""
    return {
        each.customer: explain(
            Standing(each.place, each.of, each.before_by_tier, each.since, each.tiers), "en", now=NOW
        )
        for each in restocks.list_offers(session, restocks.OfferFilter(), language="en").rows
    }


@pytest.mark.parametrize("sizes", CUTS)
def test_whoever_overtook_in_an_earlier_handful_still_stands_before_her(session: Session, sizes: list[int]):
    save_policy(session, head_starts={"vip": 7}, tier_share=1.0)
    small, _ = sandals(session, s36=5, s36_5=0)
    for day, (name, tier) in enumerate([("Anna", ""), ("Bea", ""), ("Vera", "vip"), ("Viola", "vip"), ("Cleo", "")]):
        wish_for(session, small, name=name, tier=tier, now=NOW - (9 - day) * DAY)
    _deal(session, small, sizes)
    assert _sentences(session) == {
        "Vera": "first of five: waiting since 5 May",
        "Viola": "second of five: one VIP place before her, waiting since 6 May",
        "Anna": "third of five: two VIP places before her, waiting since 3 May",
        "Bea": "fourth of five: two VIP places before her, waiting since 4 May",
        "Cleo": "fifth of five: two VIP places before her, waiting since 7 May",
    }


def test_the_share_of_a_round_is_that_of_all_its_handfuls(session: Session):
    """Two sizes, tiers held to their share, a pair, somebody over her price: cut or not, each stood where she did."""
    save_policy(session, head_starts={"vip": 7, "gold": 3}, tier_share=1 / 3)
    small, large = sandals(session, s36=14, s36_5=14)
    for number in range(18):
        tier = ("", "", "vip", "", "gold")[number % 5]
        choices = ((small,), (large,), (small, large))[number % 3]
        wish_for(session, *choices, name=f"N{number}", tier=tier, now=NOW - 9 * DAY + number * 7 * HOUR)
    wish_for(session, small, name="Two", quantity=2, now=NOW - 6 * DAY)
    wish_for(session, small, name="Thrifty", ceiling_cents=100, now=NOW - 7 * DAY)
    session.commit()
    found = []
    for sizes in CUTS:
        _deal(session, small, sizes)
        found.append(_sentences(session))
        session.rollback()
    assert len(found[0]) == 19
    assert found == [found[0]] * len(CUTS)


def test_a_round_that_is_lost_half_way_goes_on_as_a_round_of_those_who_wait_still(session: Session):
    save_policy(session, head_starts={"vip": 7}, tier_share=1.0)
    small, _ = sandals(session, s36=3, s36_5=0)
    for day, (name, tier) in enumerate([("Anna", ""), ("Bea", ""), ("Vera", "vip")]):
        wish_for(session, small, name=name, tier=tier, now=NOW - (9 - day) * DAY)
    session.commit()
    Round(session, small.id, zone=ZoneInfo("UTC"), now=NOW).deal(session, limit=1)
    session.commit()
    _deal(session, small, [1000])
    assert _sentences(session) == {
        "Vera": "first of three: waiting since 5 May",
        "Anna": "first of two: waiting since 3 May",
        "Bea": "second of two: waiting since 4 May",
    }


def test_nobody_stands_further_back_than_people_waited(session: Session):
    """Somebody says yes while the round is under way, and is reached by it."""
    small, _ = sandals(session, s36=50, s36_5=0)
    for number in range(40):
        wish_for(session, small, name=f"N{number}", now=NOW - 9 * DAY + number * HOUR)
    session.commit()
    dealing = Round(session, small.id, zone=ZoneInfo("UTC"), now=NOW)
    dealing.deal(session, limit=10)
    wish_for(session, small, name="Late", now=NOW)
    session.commit()
    dealing.deal(session)
    last = offers(session)[-1]
    assert session.get_one(Wish, last.wish_id).customer.display_name == "Late"
    assert (last.place, last.wave.waiting) == (41, 41)
