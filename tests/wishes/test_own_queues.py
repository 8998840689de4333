"""Two sizes come back together: each is told where she stood for the size she is offered, not in both at once."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from concierge.reports import restocks
from concierge.wishes import queries
from concierge.wishes.offer_models import Wave
from concierge.wishes.own_queues import OwnQueues
from concierge.wishes.queues import Waiting
from concierge.wishes.rounds import Round
from concierge.wishes.waves import Key, Place, order, walk
from tests.factories import DAY, HOUR, NOW
from tests.wishes.builders import offers, sandals, save_policy, share_out, wish_for
from tests.wishes.test_waves import Rules, place

SMALL, LARGE = 1, 2


def _stood(session: Session) -> dict[str, tuple[str, int, int, int]]:
    """Whom the reports say to have stood where: the size, her place, of how many, behind how many by their tier."""
    page = restocks.list_offers(session, restocks.OfferFilter(), language="en")
    return {row.customer: (row.sku, row.place, row.of, row.before_by_tier) for row in page.rows}


def test_each_stood_where_the_page_of_her_size_says(session: Session):
    small, large = sandals(session, s36=1, s36_5=2)
    for number in range(6):
        wish_for(session, small, name=f"N{number}", now=NOW - 9 * DAY + number * HOUR)
    wish_for(session, large, name="Chloé", now=NOW - 8 * DAY)
    wish_for(session, small, large, name="Both", now=NOW - 9 * DAY + 2 * HOUR)
    wish_for(session, large, name="Late", now=NOW - DAY)
    said = {each.id: queries.stand(session, each.id) for each in (small, large)}
    share_out(session, small, now=NOW)
    assert _stood(session) == {
        "N0": (small.sku, 1, 7, 0), "Both": (large.sku, 1, 3, 0), "Chloé": (large.sku, 2, 3, 0),
    }  # fmt: skip
    for each in offers(session):
        where = said[each.variant_id][each.wish_id]
        assert (each.place, each.wave.waiting, each.before_by_tier) == (where.place, where.of, where.before_by_tier)


def test_a_tier_stands_before_those_of_its_own_queue_only(session: Session):
    """Vera overtakes Anna, who waits for 36; for 36.5 nobody waits longer than her."""
    save_policy(session, head_starts={"vip": 7}, tier_share=1.0)
    small, large = sandals(session, s36=3, s36_5=2)
    wish_for(session, small, name="Anna", now=NOW - 5 * DAY)
    wish_for(session, small, large, name="Vera", tier="vip", now=NOW - 4 * DAY)
    wish_for(session, large, name="Late", now=NOW - DAY)
    wish_for(session, small, name="Vittoria", tier="vip", now=NOW - DAY)
    said = {each.id: queries.stand(session, each.id) for each in (small, large)}
    share_out(session, small, now=NOW)
    assert _stood(session) == {
        "Vera": (small.sku, 1, 3, 0), "Vittoria": (small.sku, 2, 3, 1), "Anna": (small.sku, 3, 3, 2),
        "Late": (large.sku, 2, 2, 0),
    }  # fmt: skip
    for each in offers(session):
        where = said[each.variant_id][each.wish_id]
        assert (each.place, each.wave.waiting, each.before_by_tier) == (where.place, where.of, where.before_by_tier)


def test_who_waits_for_both_counts_in_each_also_once_she_was_offered_the_other(session: Session):
    """A round of several transactions: the second size's wave is opened after she was offered the first."""
    small, large = sandals(session, s36=1, s36_5=1)
    wish_for(session, small, large, name="Both", now=NOW - 2 * DAY)
    wish_for(session, large, name="Chloé", now=NOW - DAY)
    session.commit()
    dealing = Round(session, small.id, zone=ZoneInfo("UTC"), now=NOW)
    while not dealing.is_over:
        dealing.deal(session, limit=1)
        session.commit()
    assert _stood(session) == {"Both": (small.sku, 1, 1, 0), "Chloé": (large.sku, 2, 2, 0)}
    assert sorted(session.scalars(sa.select(Wave.waiting))) == [1, 2]


people = st.lists(
    st.tuples(
        st.integers(0, 12), st.sampled_from(["", "", "vip", "gold"]), st.sampled_from([(1,), (2,), (1, 2), (2, 1)])
    ),
    max_size=14,
)


def _plain(everybody: list[Place], variant_id: int, behind: Key) -> Iterator[Waiting]:
    for each in sorted(everybody, key=lambda each: each.key):
        if variant_id in each.choices and not each.has_head_start and each.key > behind:
            yield Waiting(variant_id, each.wish_id, each.rank_at, each.confirmed_at, False, 0, 1, "", 0, "")


@given(people)
@settings(max_examples=200, deadline=None)
def test_counted_together_or_each_queue_for_itself_is_the_same(rows: list[tuple[int, str, tuple[int, ...]]]):
    policy = Rules(tier_share=1.0)
    everybody = [place(number, day, tier, policy, choices=sizes) for number, (day, tier, sizes) in enumerate(rows, 1)]
    alone = {
        (size, turn.who.wish_id): (turn.place, turn.before_by_tier)
        for size in (SMALL, LARGE)
        for turn in order([each for each in everybody if size in each.choices], policy)
    }
    queues, walking = (
        OwnQueues(lambda *key: _plain(everybody, *key), lambda *_: True, several=True),
        walk(everybody, policy),
    )
    while turn := walking.next(lambda _: True):
        offered = turn.who.choices[0]
        assert queues.give(turn, offered) == alone[offered, turn.who.wish_id]
