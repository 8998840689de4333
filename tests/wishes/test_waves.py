"""The rules of a queue beside a plain oracle that follows their words."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concierge.wishes import waves, words
from concierge.wishes.waves import Place, Running, Shelf, Standing, bounded_offers, choose_variant, order, rank_at, walk
from tests.wishes.model import exact_excess

START = datetime(2026, 5, 1, tzinfo=UTC)


@dataclass
class Rules:
    """A policy."""

    head_starts: dict[str, float] = field(default_factory=lambda: {"vip": 7, "gold": 2})
    tier_share: float = 0.5
    alpha: float = 0.05
    prior_taken: float = 1.0
    prior_passed: float = 3.0


def place(number: int, day: float, tier: str = "", policy: Rules | None = None, **values: object) -> Place:
    """Somebody who confirmed on that day of May."""
    at = START + timedelta(days=day)
    return Place(number, rank_at(at, tier, policy or Rules()), at, **values)  # type: ignore[arg-type]


def ids(turns: list[waves.Turn]) -> list[int]:
    """The wishes, in order."""
    return [turn.who.wish_id for turn in turns]


def plain_order(places: list[Place], policy: Rules, running: Running) -> list[tuple[int, bool]]:
    """The oracle: looks at everybody anew for each turn."""
    left, given_out, by_tier, result = list(places), running.given, running.by_tier, []
    while left:
        first = min(left, key=lambda each: (each.rank_at, each.confirmed_at, each.wish_id))
        ordinary = [each for each in left if each.moved or each.rank_at >= each.confirmed_at]
        overtaken = [
            each
            for each in ordinary
            if (each.rank_at, each.confirmed_at, each.wish_id) < (first.confirmed_at, first.confirmed_at, first.wish_id)
        ]
        overtakes = first not in ordinary and bool(overtaken)
        if overtakes and by_tier + 1 > ceil(Fraction(str(policy.tier_share)) * (given_out + 1)):
            first = min(overtaken, key=lambda each: (each.rank_at, each.confirmed_at, each.wish_id))
            overtakes = False
        left.remove(first)
        result.append((first.wish_id, overtakes))
        given_out, by_tier = given_out + 1, by_tier + overtakes
    return result


queues = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from(["", "", "vip", "gold"]),
        st.booleans(),
        st.integers(1, 3),
        st.sampled_from(["", "", "", "no_consent"]),
    ),
    max_size=14,
)
shares = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 1.0])


def people(rows: list[tuple[int, str, bool, int, str]], policy: Rules) -> list[Place]:
    """Them all, each content with the same variant."""
    return [
        place(number, day, tier, policy, moved=moved, quantity=quantity, void=void, choices=(1,))
        for number, (day, tier, moved, quantity, void) in enumerate(rows, start=1)
    ]


@given(queues, shares, st.integers(0, 9), st.integers(0, 9), st.sampled_from([1, 3, 1000]))
@settings(max_examples=100, deadline=None)
def test_the_order_is_that_of_the_plain_oracle(rows, share, given_out, by_tier, far):
    """However few places are kept in hand."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(waves, "FAR", far)
        _compare(rows, share, given_out, by_tier)


def _compare(rows, share, given_out, by_tier):
    policy, running = Rules(tier_share=share), Running(given_out, min(by_tier, given_out))
    everybody = [each for each in people(rows, policy) if not each.void]
    turns = order(everybody, policy, running)
    assert [(turn.who.wish_id, turn.by_tier) for turn in turns] == plain_order(everybody, policy, running)
    assert [turn.place for turn in turns] == list(range(1, len(everybody) + 1))


@given(queues, shares, st.integers(0, 12), st.sampled_from([1, 3, 1000]))
@settings(max_examples=100, deadline=None)
def test_units_are_given_as_the_plain_oracle_gives_them(rows, share, units, far):
    """All or nothing: at each turn, among those who may be offered one and whose wish fits, the first by the order."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(waves, "FAR", far)
        _give_out(rows, share, units)


def _give_out(rows, share, units):
    policy = Rules(tier_share=share)
    everybody, running = people(rows, policy), Running()
    expected, left, free = [], [each for each in everybody if not each.void], units
    while fitting := [each for each in left if each.quantity <= free]:
        wish_id, by_tier = plain_order(fitting, policy, running)[0]
        chosen = next(each for each in left if each.wish_id == wish_id)
        left.remove(chosen)
        free, running = free - chosen.quantity, running.after(by_tier=by_tier)
        expected.append(wish_id)
    shelves, walking = {1: Shelf(units)}, walk(everybody, policy)
    given_out = []
    while turn := walking.next(lambda who: choose_variant(who, shelves) is not None):
        assert shelves[1].give(turn.who.quantity)
        given_out.append(turn.who.wish_id)
    assert given_out == expected
    assert shelves[1].free == free


def test_a_head_start_is_worth_its_days_so_nobody_starves():
    vips = [place(number, 5 + number, "vip", policy=Rules(tier_share=1.0)) for number in range(1, 40)]
    ordinary = place(100, 4)
    assert ids(order([*vips, ordinary], Rules(tier_share=1.0))).index(100) == 5


def test_of_single_units_one_after_the_other_half_go_by_tier():
    """The running sequence goes on from one small restock to the next."""
    policy, running, served = Rules(), Running(), []
    waiting = [place(number, number / 10, "vip" if number > 5 else "") for number in range(1, 11)]
    while waiting:
        turn = order(waiting, policy, running)[0]
        running = running.after(by_tier=turn.by_tier)
        served.append(turn.who.wish_id)
        waiting.remove(turn.who)
    assert served == [6, 1, 7, 2, 8, 3, 9, 4, 10, 5]


def test_whoever_was_moved_by_hand_stands_where_she_was_put():
    moved = Place(3, START, START + timedelta(days=9), moved=True)
    assert ids(order([place(1, 1), place(2, 2, "vip"), moved], Rules())) == [2, 3, 1]


@given(
    units=st.integers(1, 8),
    more=st.integers(0, 25),
    history=st.tuples(st.integers(0, 30), st.integers(0, 30)),
    alpha=st.sampled_from([0.01, 0.05, 0.2, 0.5]),
    prior=st.sampled_from([(1, 1), (1, 3), (2, 3), (3, 1)]),
)
@settings(max_examples=80, deadline=None)
def test_bounded_offers_are_the_most_an_exact_sum_allows(units, more, history, alpha, prior):
    policy, (taken, passed) = Rules(alpha=alpha, prior_taken=prior[0], prior_passed=prior[1]), history
    offers = [
        number
        for number in range(units, units + more + 1)
        if number == units or exact_excess(number, units, prior[0] + taken, prior[1] + passed) <= alpha
    ]
    found = bounded_offers(units, taken=taken, passed=passed, policy=policy, at_most=units + more)
    assert found == max(offers)


def test_a_large_restock_is_bounded_quickly_and_never_below_its_units():
    policy = Rules()
    found = bounded_offers(20_000, taken=250, passed=750, policy=policy, at_most=100_000)
    assert 70_000 < found < 80_000
    assert bounded_offers(5, taken=1000, passed=0, policy=policy, at_most=100) == 5
    assert bounded_offers(0, taken=0, passed=9, policy=policy, at_most=100) == 0


def test_a_unit_held_is_better_than_a_dearer_one_that_is_not():
    shelves = {1: Shelf(0, singles=1, singles_held=1, bears=lambda units: 5), 2: Shelf(1)}
    who = place(1, 1, choices=(1, 2))
    assert choose_variant(who, shelves) == 2
    shelves[2].give(1)
    assert choose_variant(who, shelves) == 1
    assert choose_variant(place(1, 1, choices=(1,), quantity=2), shelves) is None


@pytest.mark.parametrize(
    ("standing", "sentence"),
    [
        (
            Standing(3, 11, 2, START + timedelta(days=2), ("vip",)),
            "third of eleven: two VIP places before her, waiting since 3 May",
        ),
        (Standing(1, 1, 0, START), "first of one: waiting since 1 May"),
        (Standing(23, 140, 1, START, ("Gold",)), "no. 23 of 140: one Gold place before her, waiting since 1 May"),
        (Standing(4, 4, 3, START, ("vip", "Oro", "Argento")), "three VIP, Oro or Argento places before her"),
        (Standing(2, 4, 1, START), "second of four: one place before her by tier, waiting since 1 May"),
    ],
)
def test_where_she_stands_is_one_sentence(standing, sentence):
    assert sentence in words.explain(standing, "en", now=START)


def test_a_tier_has_its_own_name_in_every_language():
    standing = Standing(3, 3, 2, START, ("vip", "Amiche"))
    assert (
        words.explain(standing, "it", now=START)
        == "terza di tre: due posti VIP o Amiche prima di lei, in attesa dal giorno 1 maggio"
    )


def test_the_year_is_said_when_it_is_another():
    assert words.explain(Standing(1, 2, 0, START), "en").endswith("since 1 May 2026")
