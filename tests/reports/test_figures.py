"""Each figure of the demand page beside what a hand reckons of a small house."""

import pytest
from sqlalchemy.orm import Session

from concierge.reports import counting, restocks
from concierge.reports.figures import HouseCount, Size
from concierge.reports.quantiles import Spread
from tests.factories import NOW
from tests.reports.furnished import House, furnish

# (taken + 1) ÷ (answered + 4), by age: up to a week 2 of 3 taken, to a month 1 of 1, to three months 1 of 2
CHANCES = [3 / 7, 2 / 5, 2 / 6, 1 / 4, 1 / 4]
# Anna 1 × 3/7, Bea 2 × 2/5, Quin 1 × 1/3, Gaia 9 × 1/4
SMALL = 3 / 7 + 4 / 5 + 1 / 3 + 9 / 4
LARGE = 1 / 3 + 3 / 7


@pytest.fixture
def furnished(session: Session) -> House:
    return furnish(session)


@pytest.fixture
def figures(furnished: House) -> HouseCount:
    return counting.count_house(furnished.session, furnished.policy, now=NOW).house


def test_how_likely_she_still_wants_it_is_what_became_of_offers_of_that_age(figures: HouseCount) -> None:
    assert [(each.taken, each.refused) for each in figures.ages] == [(2, 1), (1, 0), (1, 1), (0, 0), (0, 0)]
    assert figures.chances == pytest.approx(CHANCES)


def test_what_can_be_won_and_what_was_lost_are_price_times_pieces_times_chance(figures: HouseCount) -> None:
    euro, dollar = figures.totals
    assert (euro.currency, euro.wishes, euro.units, euro.value) == ("EUR", 7, 16, 15 * 42_000 + 70_000)
    assert euro.likely == round((SMALL + LARGE) * 42_000 + 70_000 / 4)
    assert (dollar.currency, dollar.wishes, dollar.value, dollar.likely) == ("USD", 1, 99_900, 24_975)
    # Hana wanted two and had waited forty days; Ines one, for three
    assert (euro.gone, euro.gone_value, euro.gone_likely) == (1, 84_000, 28_000)
    assert (dollar.gone, dollar.gone_value, dollar.gone_likely) == (1, 99_900, round(99_900 * 3 / 7))


def test_the_size_curve_says_of_each_size_what_is_wished_for_free_and_sold(figures: HouseCount) -> None:
    sandals, boots = figures.curves
    assert (sandals.category, sandals.system, sandals.wished) == ("sandals", "EU", 15)
    assert sandals.sizes == [Size("36", 13, 0, 2), Size("37", 2, 3, 1)]
    assert (boots.category, boots.sizes) == ("boots", [Size("36", 1, 1, 0)])


def test_what_to_order_is_who_is_likely_to_buy_less_what_is_there_or_coming(furnished: House, figures) -> None:
    [order] = figures.orders
    [suggestion] = order.suggestions
    shelf = suggestion.shelf
    assert order.product_id == furnished.small.product_id
    assert (shelf.sku, shelf.wished, shelf.free, shelf.on_its_way) == ("CAL-TUR-36", 13, 0, 1)
    assert shelf.likely == pytest.approx(SMALL)  # 3.81
    assert (suggestion.units, suggestion.value_cents) == (3, 126_000)


def test_the_way_to_her_hands_is_timed_over_offers_that_left_after_a_restock(figures: HouseCount) -> None:
    # hours from the restock to the mail: 2, 3, 4, 24, 25; two bought, after 4 + 6 and 24 + 8
    journeys = figures.journeys
    assert journeys.to_mail == Spread(5, 4.0, 24.0, pytest.approx(24.6))
    assert journeys.to_purchase == Spread(2, 7.0, 7.5, pytest.approx(7.8))
    assert journeys.together == Spread(2, 21.0, pytest.approx(26.5), pytest.approx(29.8))


def test_each_wave_says_what_became_of_its_offers(furnished: House, figures: HouseCount) -> None:
    found = [(each.id, each.restock_id, each.round, each.units) for each in figures.waves]
    back = furnished.restock.id
    assert found == [
        (furnished.second.id, back, 2, 1), (furnished.first.id, back, 1, 2), (furnished.other.id, None, 1, 1),
    ]  # fmt: skip
    assert [(each.offers, each.taken, each.refused) for each in figures.waves] == [(3, 2, 1), (3, 1, 1), (2, 2, 0)]


def test_what_only_flapped_is_not_among_the_restocks(furnished: House) -> None:
    found, older = restocks.list_restocks(furnished.session)
    assert [(each.restock.id, each.waves, each.offers, each.taken, each.not_taken) for each in found] == [
        (furnished.restock.id, 2, 6, 3, 2)
    ]
    assert older is None
