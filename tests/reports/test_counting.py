"""What is counted of the wishes and their offers, beside an oracle that looks at one wish after the other."""

from collections import Counter
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from concierge.catalogue.models import Variant
from concierge.reports import counting
from concierge.wishes.models import ENDS, Wish, WishEnding, WishState, WishVariant, WishWay
from concierge.wishes.offer_models import Offer, OfferEnding, OfferState, Wave, WavePolicy
from tests.catalogue.builders import make_product
from tests.factories import DAY, NOW, make_customer, make_mailbox
from tests.wishes.builders import save_policy

PEOPLE = 8
# up to a week, a month, three months, six months, older
UPTO = (7, 30, 90, 180)
LOST = {WishEnding.TOO_OLD, WishEnding.NEEDED_BY_PASSED, WishEnding.WITHDRAWN_BY_HER}
YES, NO = {"bought", "bought_elsewhere", "taken"}, {"passed", "not_now", "lapsed"}


class Drawn(NamedTuple):
    """A wish: variants by number, the dearest first; days since its yes (None: never said); how it and offers ended."""

    choices: list[int]
    quantity: int
    days: float | None
    ended: tuple[WishEnding, float] | None
    offers: list[tuple[str, float]]


days = st.sampled_from([0.5, 6.5, 7, 7.5, 29.5, 30, 30.5, 89.5, 91.5, 179.5, 180, 181.5, 500.5])
drawn = st.builds(
    Drawn,
    st.sampled_from([[0], [1], [0, 1], [1, 0], [2]]),
    st.integers(1, 3),
    st.one_of(days, days, days, st.none()),
    st.one_of(st.none(), st.none(), st.tuples(st.sampled_from(list(WishEnding)), st.sampled_from([0.3, 89.6, 90.4]))),
    st.lists(
        st.tuples(st.sampled_from([*(each.value for each in OfferEnding), "taken"]), st.sampled_from([0.2, 5.1, 40.2])),
        max_size=2,
    ),
)


@pytest.fixture
def house(session: Session) -> list[Variant]:
    """Two sizes of sandals and a bag, eight people, a wave of long ago."""
    make_mailbox(session)
    variants = [*make_product(session, sizes={"36": 0, "37": 2}).variants]
    variants += make_product(session, "LUN-BAG", sizes={"": 1}, price_cents=99_900, category="bags").variants
    for number in range(PEOPLE):
        make_customer(session, f"N{number}")
    policy = save_policy(session, prior_taken=1.0, prior_passed=3.0)
    session.add(Wave(variant_id=variants[0].id, policy_id=policy.id, at=NOW, units=1, waiting=1))
    session.commit()
    return variants


def build(session: Session, variants: list[Variant], rows: list[Drawn]) -> None:
    """The wishes as rows, one for each customer."""
    for number, row in enumerate(rows, start=1):
        confirmed = None if row.days is None else NOW - row.days * DAY
        ended = row.ended and NOW - row.ended[1] * DAY
        state = ENDS[row.ended[0]] if row.ended else WishState.WAITING if confirmed else WishState.UNCONFIRMED
        wish = Wish(
            customer_id=number, product_id=variants[row.choices[0]].product_id, mailbox_id=1, state=state,
            way=WishWay.FORM, quantity=row.quantity, created_at=confirmed or NOW - DAY, confirmed_at=confirmed,
            expires_at=NOW + DAY, ended_at=ended, ended_because=row.ended[0] if row.ended else None,
            choices=[
                WishVariant(variant_id=variants[each].id, customer_id=number, preference=place + 1, is_living=not ended)
                for place, each in enumerate(row.choices)
            ],
        )  # fmt: skip
        session.add(wish)
        session.flush()
        for ending, ago in row.offers:
            open_ = ending == "taken"
            session.add(
                Offer(
                    wave_id=1, wish_id=wish.id, customer_id=number, variant_id=variants[row.choices[0]].id,
                    state=OfferState.TAKEN if open_ else OfferState.DECLINED, price_cents=1, place=1,
                    made_at=NOW - ago * DAY, leaves_at=NOW, ended_at=None if open_ else NOW,
                    ended_because=None if open_ else OfferEnding(ending),
                )
            )  # fmt: skip
    session.flush()


def age(days: float) -> int:
    return next((number for number, most in enumerate(UPTO) if days <= most), len(UPTO))


class Oracle:
    """The same, counted one by one."""

    def __init__(self, rows: list[Drawn]) -> None:
        self.first: Counter[tuple[int, int]] = Counter()
        self.units: Counter[tuple[int, int]] = Counter()
        self.also: Counter[int] = Counter()
        self.gone: Counter[int] = Counter()
        self.taken, self.refused = [0] * 5, [0] * 5
        self.oldest: dict[int, float] = {}
        for row in rows:
            if row.days is not None:
                self._count(row, row.days)

    def _count(self, row: Drawn, days: float) -> None:
        first, *others = row.choices
        if row.ended is None:
            self.first[first, age(days)] += 1
            self.units[first, age(days)] += row.quantity
            self.also.update(others)
            self.oldest[first] = max(days, self.oldest.get(first, 0))
        elif row.ended[0] in LOST and row.ended[1] <= 90 and not row.offers:
            self.gone[first] += row.quantity
        for ending, ago in row.offers:
            self.taken[age(days - ago)] += ending in YES
            self.refused[age(days - ago)] += ending in NO

    def wishes(self, variant: int) -> list[int]:
        return [self.first[variant, number] for number in range(5)]

    def likely(self, variant: int) -> float:
        chances = [(1 + yes) / (4 + yes + no) for yes, no in zip(self.taken, self.refused, strict=True)]
        return sum(self.units[variant, number] * chances[number] for number in range(5))


# An offer of a living wish is still open in this drawing only when it was taken; one open offer a wish is the law.
lawful = drawn.filter(lambda row: sum(ending == "taken" for ending, _ in row.offers) < 2)


@given(st.lists(lawful, max_size=PEOPLE))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_wishes_are_counted_as_the_plain_oracle_counts_them(session: Session, house, rows: list[Drawn]) -> None:
    build(session, house, rows)
    count, oracle = counting.count_house(session, session.get_one(WavePolicy, 1), now=NOW), Oracle(rows)
    for number, variant in enumerate(house):
        tally, wishes = count.variants.get(variant.id), oracle.wishes(number)
        assert (tally is not None) == bool(sum(wishes) or oracle.also[number])
        assert tally is None or (tally["wishes_by_age"], tally["also"]) == (wishes, oracle.also[number])
    for product, numbers, price in ((house[0].product_id, (0, 1), 42_000), (house[2].product_id, (2,), 99_900)):
        oldest = [oracle.oldest[each] for each in numbers if each in oracle.oldest]
        row = count.products.get(product)
        assert (row is not None) == bool(oldest)
        if row is not None:
            units = sum(oracle.units[each, number] for each in numbers for number in range(5))
            assert (row["units"], row["value_cents"]) == (units, units * price)
            assert row["likely_cents"] == sum(round(oracle.likely(each) * price) for each in numbers)
            assert row["oldest_at"] == NOW - max(oldest) * DAY
    assert [(each.taken, each.refused) for each in count.house.ages] == list(
        zip(oracle.taken, oracle.refused, strict=True)
    )
    lost = sum(units * (42_000 if number < 2 else 99_900) for number, units in oracle.gone.items())
    assert sum(each.gone_value for each in count.house.totals) == lost
    session.rollback()


def test_somebody_content_with_either_size_is_one_person(session: Session, house: list[Variant]) -> None:
    build(session, house, [Drawn([0, 1], 2, 3, None, [])])
    count = counting.count_house(session, session.get_one(WavePolicy, 1), now=NOW)
    assert sum(each["wishes"] for each in count.variants.values()) == 1
    assert sum(each["wishes"] + each["also"] for each in count.variants.values()) == 2
    assert session.scalar(sa.select(sa.func.count()).select_from(WishVariant)) == 2
    assert [each.value for each in count.house.totals] == [84_000]
