"""A house whose every figure a hand can reckon: a few wishes of every age, two waves of one restock, some sales."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from concierge.catalogue.models import Variant
from concierge.catalogue.stock_models import Purchase, Restock, ReturnedUnit, ReturnState
from concierge.wishes.models import ENDS, Wish, WishEnding, WishState, WishVariant, WishWay
from concierge.wishes.offer_models import ENDS as OFFER_ENDS
from concierge.wishes.offer_models import Offer, OfferEnding, OfferState, Wave, WavePolicy
from tests.catalogue.builders import make_product
from tests.factories import DAY, HOUR, NOW, make_customer, make_mailbox
from tests.wishes.builders import save_policy

BACK = NOW - 20 * DAY  # when the sandals came back


@dataclass
class House:
    """Its variants, and the restock of the sandals in 36 with its two waves; `other` is a wave without a restock."""

    session: Session
    policy: WavePolicy
    small: Variant
    large: Variant
    boots: Variant
    bag: Variant
    restock: Restock
    other: Wave
    first: Wave
    second: Wave


def furnish(session: Session) -> House:
    """The house as it is at NOW; offers of the two years before had one taken in four, says its prior."""
    make_mailbox(session)
    policy = save_policy(session, prior_taken=1.0, prior_passed=3.0)
    small, large = make_product(session, sizes={"36": 0, "37": 5}).variants
    large.promised, large.safety_minimum = 1, 1
    [boots] = make_product(session, "SEL-CHE", category="boots", price_cents=70_000, sizes={"36": 1}).variants
    [bag] = make_product(session, "LUN-BAG", category="bags", price_cents=99_900, sizes={"": 0}).variants
    bag.product.currency = "USD"
    restock = Restock(variant=small, units=2, at=BACK, flapped=False)
    session.add_all([restock, Restock(variant=large, units=1, at=NOW - DAY, flapped=True, ended_at=NOW - DAY)])
    session.flush()
    waves = [
        Wave(variant=variant, policy=policy, restock_id=restock_id, at=at, units=units, waiting=6)
        for variant, restock_id, at, units in (
            (large, None, BACK, 1), (small, restock.id, BACK, 2), (small, restock.id, BACK + DAY, 1),
        )
    ]  # fmt: skip
    session.add_all(waves)
    house = House(session, policy, small, large, boots, bag, restock, *waves)
    _wish(house)
    _lose(house)
    _offer(house)
    _sell(house)
    session.commit()
    return house


def wish(
    house: House, name: str, choices: list[Variant], days: float, quantity: int = 1, *,
    ended: tuple[WishEnding, float] | None = None,
) -> Wish:  # fmt: skip
    """Hers, confirmed so many days ago, the dearest variant first; `ended` for a reason, so many days ago."""
    customer, at = make_customer(house.session, name), NOW - days * DAY
    made = Wish(
        customer=customer, product_id=choices[0].product_id, mailbox_id=1, way=WishWay.FORM, quantity=quantity,
        state=ENDS[ended[0]] if ended else WishState.WAITING, created_at=at, confirmed_at=at, expires_at=NOW + DAY,
        ended_at=NOW - ended[1] * DAY if ended else None, ended_because=ended[0] if ended else None,
        choices=[
            WishVariant(variant_id=each.id, customer_id=customer.id, preference=place, is_living=not ended)
            for place, each in enumerate(choices, start=1)
        ],
    )  # fmt: skip
    house.session.add(made)
    house.session.flush()
    return made


def _wish(house: House) -> None:
    """Of the sandals in 36: 13 pieces for four people (Quin, the fourth, is offered one), in 37 two for two."""
    small, large = house.small, house.large
    wish(house, "Anna", [small], 3)
    wish(house, "Bea", [small, large], 20, 2)
    wish(house, "Carla", [large], 60)
    wish(house, "Dora", [house.boots], 120)
    wish(house, "Elsa", [house.bag], 300)
    wish(house, "Fay", [large, small], 5)
    wish(house, "Gaia", [small], 100, 9)


def _lose(house: House) -> None:
    """Lost are Hana, of a month at most three, and Ines, of a week; Kim was too long ago, Lia was bought for."""
    wish(house, "Hana", [house.small], 50, 2, ended=(WishEnding.TOO_OLD, 10))
    wish(house, "Ines", [house.bag], 8, 1, ended=(WishEnding.WITHDRAWN_BY_HER, 5))
    wish(house, "Kim", [house.small], 130, 1, ended=(WishEnding.TOO_OLD, 95))
    wish(house, "Lia", [house.small], 30, 1, ended=(WishEnding.BOUGHT_ELSEWHERE, 5))


def _offer(house: House) -> None:
    """Two waves of the restock, three offers each; of the other wave two, one of them more than two years ago."""
    first, second, other, bought = house.first, house.second, house.other, (WishEnding.BOUGHT, 18)
    for name, wave, days, wish_ended, made, hours, because in (
        ("Jana", first, 110, (WishEnding.TOO_OLD, 10), 20, (2, 26), OfferEnding.LAPSED),
        ("Mia", first, 45, bought, 20, (4, 10), OfferEnding.BOUGHT),
        ("Rosa", first, 40, (WishEnding.UNSUBSCRIBED, 18), 20, (3, 5), OfferEnding.BOUNCED),
        ("Noa", second, 24, bought, 19, (24, 32), OfferEnding.BOUGHT),
        ("Ola", second, 22, (WishEnding.PASSED_ON_IT, 18), 19, (25, 30), OfferEnding.PASSED),
        ("Quin", second, 40, None, 1, None, None),
        ("Pia", other, 24, bought, 19, (24, 30), OfferEnding.BOUGHT),
        ("Sara", other, 803, (WishEnding.BOUGHT, 799), 800, (1, 2), OfferEnding.BOUGHT),
    ):
        hers = wish(house, name, [wave.variant], days, ended=wish_ended)
        hers.state = hers.state if wish_ended else WishState.OFFERED
        _make_offer(house, wave, hers, made_at=NOW - made * DAY, hours=hours, because=because)


def _make_offer(
    house: House, wave: Wave, hers: Wish, *, made_at: datetime, hours: tuple[int, int] | None,
    because: OfferEnding | None,
) -> None:  # fmt: skip
    """It left and ended so many hours after the restock; one that did not is taken and not sent."""
    left_at, ended_at = (BACK + hours[0] * HOUR, BACK + hours[1] * HOUR) if hours else (None, None)
    house.session.add(
        Offer(
            wave_id=wave.id, wish_id=hers.id, customer_id=hers.customer_id, variant_id=wave.variant_id, place=1,
            state=OFFER_ENDS.get(because, OfferState.DECLINED) if because else OfferState.TAKEN, price_cents=42_000,
            made_at=made_at, leaves_at=made_at, left_at=left_at, ended_at=ended_at, ended_because=because,
        )
    )  # fmt: skip


def _sell(house: House) -> None:
    """Two in 36 and one in 37; one came back, one was sold long ago, and one more is on its way back."""
    small, large = house.small, house.large
    sales = ((small, 2, 30, False), (small, 1, 31, True), (small, 1, 181, False), (large, 1, 3, False))
    for number, (variant, units, days, returned) in enumerate(sales):
        at = NOW - days * DAY
        house.session.add(
            Purchase(
                source="shop", external_id=f"S-{number}:1", variant=variant, units=units, price_cents=42_000, at=at,
                received_at=at, matched_at=at, returned_at=at + DAY if returned else None,
            )
        )  # fmt: skip
    for number, state in enumerate((ReturnState.ANNOUNCED, ReturnState.INSPECTED)):
        house.session.add(
            ReturnedUnit(
                source="shop", external_id=f"R-{number}", variant=house.small, location="online", units=1, state=state,
                as_of=NOW - DAY, announced_at=NOW - DAY,
            )
        )  # fmt: skip
