"""The most she would pay, beside what the piece costs."""

import pytest

from concierge.wishes.prices import PriceTooLow, check_ceiling


def test_a_ceiling_far_below_the_price_is_a_slip() -> None:
    for ceiling in (None, 4_200, 40_000, 90_000):
        check_ceiling(ceiling, 42_000)
    with pytest.raises(PriceTooLow):
        check_ceiling(120, 42_000)
