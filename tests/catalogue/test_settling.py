"""Sold units that the shop's reports don't have missing yet."""

from datetime import timedelta

from concierge.catalogue.settling import Count, Drop, Sale, still_unsettled
from tests.factories import MINUTE, NOW

LATER, BEFORE = NOW + MINUTE, NOW - MINUTE
ONLINE = {"online": Count(BEFORE, 2)}


def test_a_sale_is_open_until_its_place_is_counted_again():
    assert still_unsettled([Sale(1, NOW, 1, "online")], ONLINE, []) == {1: 1}
    assert still_unsettled([Sale(1, NOW, 1, "online")], {"online": Count(NOW, 2)}, []) == {1: 0}


def test_a_count_elsewhere_says_nothing_of_a_sale_whose_place_is_known():
    counts = ONLINE | {"Milano": Count(LATER, 0)}
    assert still_unsettled([Sale(1, NOW, 1, "online")], counts, [Drop(LATER, "Milano", 1)]) == {1: 1}
    assert still_unsettled([Sale(1, NOW, 1, "")], counts, [Drop(LATER, "Milano", 1)]) == {1: 0}


def test_of_a_sale_from_nobody_says_where_every_place_with_units_must_have_been_counted():
    assert still_unsettled([Sale(1, NOW, 1)], {"online": Count(LATER, 1), "Milano": Count(BEFORE, 3)}, []) == {1: 1}
    assert still_unsettled([Sale(1, NOW, 1)], {"online": Count(LATER, 1), "Milano": Count(BEFORE, 0)}, []) == {1: 0}


def test_a_unit_that_went_missing_accounts_for_one_sale_only_the_oldest():
    sales = [Sale(2, NOW + timedelta(seconds=1), 1, "online"), Sale(1, NOW, 1, "online")]
    assert still_unsettled(sales, ONLINE, [Drop(LATER, "online", 1)]) == {1: 0, 2: 1}
    assert still_unsettled(sales, ONLINE, [Drop(LATER, "online", 2)]) == {1: 0, 2: 0}
    assert still_unsettled(sales, ONLINE, [Drop(BEFORE, "online", 2)]) == {1: 1, 2: 1}


def test_a_sale_of_two_may_be_half_accounted_for():
    assert still_unsettled([Sale(1, NOW, 2)], ONLINE, [Drop(LATER, "online", 1)]) == {1: 1}
