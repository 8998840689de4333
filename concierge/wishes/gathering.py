"""How long a mail waits for what else is about to be hers: what comes back within the hour is one mail."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from concierge.catalogue.models import Variant
from concierge.rows import one_of
from concierge.wishes.addressing import Addressed, Circumstances, Later, Sorted, is_awake
from concierge.wishes.leaving import STILL_WANTED
from concierge.wishes.models import Wish, WishVariant
from concierge.wishes.offer_models import Offer
from concierge.wishes.shelves import FREE
from concierge.wishes.waves import TOO_FEW

# What is believed in is shared out within some seconds; nobody waits longer than this for it.
DEALT: Final = timedelta(minutes=1)
# After so long it is looked again whether it has been.
MOMENT: Final = timedelta(seconds=2)


class Coming(NamedTuple):
    """A piece another wish of hers is content with, beside an offer made to her: when it is believed in, if not yet."""

    made_at: datetime
    offered_from: datetime | None

    @property
    def believed_from(self) -> datetime:
        """The moment from which both may be hers."""
        return max(self.made_at, self.offered_from or self.made_at)

    def looked_for(self, now: datetime, *, at_most: timedelta) -> datetime | None:
        """When to look whether it has become hers; None when it was to be by now."""
        if now < self.believed_from:
            return self.believed_from + MOMENT
        return now + MOMENT if now < self.believed_from + min(DEALT, at_most) else None


def wait_until(
    coming: Collection[Coming], *, now: datetime, longest: timedelta, is_awake: Callable[[datetime], bool]
) -> datetime | None:
    """When her mail leaves after all, if it waits for any of these; None when it leaves now.

    It waits for what is believed in no later than `longest` after the first of her offers was made, and then for its
    being shared out; never into her sleep.
    """
    latest = min((each.made_at for each in coming), default=now) + longest
    moments = [each.looked_for(now, at_most=longest) for each in coming if each.believed_from <= latest]
    return max((each for each in moments if each is not None and is_awake(each)), default=None)


def gathered(
    mail: Sorted, coming: Mapping[int, Collection[Coming]], around: Circumstances, *, within: timedelta
) -> Sorted:
    """The mail that may leave now, or when it leaves instead: with what else is about to be hers `within` this time."""
    if not (isinstance(mail, Addressed) and coming):
        return mail
    beside = [one for offer in mail.offers for one in coming.get(offer.offer_id, ())]
    first, policy = mail.offers[0], around.policies[mail.offers[0].policy_id]
    # longer than the hold itself nothing is kept for somebody who does not know of it
    longest = min(within, timedelta(hours=policy.hold_hours))
    until = wait_until(beside, now=around.now, longest=longest, is_awake=partial(is_awake, first, around))
    return Later(mail.offers, until) if until else mail


def list_coming(
    session: Session, offer_ids: Collection[int], *, now: datetime, zone: ZoneInfo
) -> Mapping[int, list[Coming]]:
    """Beside each of these offers, what other wishes of hers wait for and may be given, that could be the same mail.

    `zone` is the house's, by whose days a wish is needed.
    """
    hers, other = aliased(Wish), aliased(Wish)
    today = now.astimezone(zone).date()
    statement = (
        sa.select(Offer.id, Offer.made_at, Variant.offered_from)
        .join(hers, hers.id == Offer.wish_id)
        .join(other, (other.customer_id == hers.customer_id) & (other.id != hers.id))
        .join(WishVariant, WishVariant.wish_id == other.id)
        .join(Variant, Variant.id == WishVariant.variant_id)
        .where(one_of(Offer.id, offer_ids), other.ended_at.is_(None), STILL_WANTED)
        .where(other.mailbox_id == hers.mailbox_id, other.language == hers.language)
        .where(other.skipped_because.in_(("", TOO_FEW)), Variant.on_hand > 0, other.quantity <= FREE)
        .where(other.rests_until.is_(None) | (other.rests_until <= now))
        .where(other.needed_by.is_(None) | (other.needed_by >= today))
    )
    found: dict[int, list[Coming]] = {}
    for offer_id, made_at, offered_from in session.connection().execute(statement):
        found.setdefault(offer_id, []).append(Coming(made_at, offered_from))
    return found
