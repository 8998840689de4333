"""Lets offers leave: every mail whose moment has come is written, queued and kept, a few hundred in a transaction."""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import cast

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from concierge import clock, closing
from concierge.accounts.models import Editor
from concierge.addresses import Address, normalise
from concierge.config import Config
from concierge.db import Sessions, reading
from concierge.mailing import outbox
from concierge.mailing.commands import Posting, queue_deliveries
from concierge.mailing.queries import list_suppressed
from concierge.rows import Columns, Same, run_columns, unswept
from concierge.setbacks import resting
from concierge.wishes import leaving, offering, waves
from concierge.wishes.addressing import Addressed, Circumstances, Later, Sorted, Withheld, address
from concierge.wishes.gathering import gathered, list_coming
from concierge.wishes.leaving import Leaving, Thread, Wisher
from concierge.wishes.likenesses import Likenesses
from concierge.wishes.models import Wish
from concierge.wishes.moulds import Mould, MouldKey, moulds_of
from concierge.wishes.offer_models import Offer, OfferEnding, WavePolicy
from concierge.wishes.queries import lock_offer
from concierge.wishes.queueing import PURPOSE, Left, queue_letters
from concierge.wishes.staff import colleague, list_colleagues
from concierge.wishes.voices import call_the_roll
from concierge.wishes.words import skipped_words
from concierge.working import SECONDS, given, try_each

log = logging.getLogger(__name__)

# Offers that leave in one transaction.
AT_ONCE = 500
# So many the clock of many machines knows to be due at a time.
_IN_SIGHT = 5000
_JOB = "wishes.release.release_due"
_offers, _wishes = cast("sa.Table", Offer.__table__), cast("sa.Table", Wish.__table__)
_LEFT = (
    sa.update(_offers)
    .where(_offers.c.id == sa.bindparam("its_id"))
    .values(
        left_at=sa.bindparam("at"),
        held_until=sa.bindparam("held"),
        delivery_id=sa.bindparam("delivery"),
        message_id=sa.bindparam("message"),
        editor_id=sa.bindparam("writer"),
        covered_for_id=sa.bindparam("owner"),
        similar=sa.bindparam("others"),
    )
)
_JOINS = (
    sa.update(_wishes)
    .where(_wishes.c.id == sa.bindparam("its_id"), _wishes.c.conversation_id.is_(None))
    .values(conversation_id=sa.bindparam("conversation"))
)


class MouldsMissing(Exception):
    """Sheets that have to be written before the transaction that needs them."""

    def __init__(self, keys: Collection[MouldKey]) -> None:
        super().__init__(f"{len(keys)} sheets")
        self.keys = keys


def release_due(config: Config, sessions: Sessions) -> int:
    """Queue the mails of offers whose moment has come; how many offers left."""
    with reading(sessions) as session:
        if not outbox.is_open(session, config):
            return 0
    latest, released = time.monotonic() + SECONDS, 0
    only = given(lambda: _in_sight(sessions))
    while time.monotonic() < latest and not closing.TOLD.is_set():
        now = clock.now()
        with reading(sessions) as session:
            if not leaving.is_any_due(session, now=now, but=resting(_JOB, now), only=only):
                break
        try:
            done, left = _release_some(config, sessions, only, now=now)
        except OperationalError:
            raise
        except Exception:
            log.exception("offers could not be let go together, and are let go one by one")
            return released + _release_each(config, sessions, now=now)
        released += left
        if not done:
            break
    return released


def next_due(session: Session) -> datetime | None:
    """When the next offer's mail is due."""
    return leaving.next_due_at(session, but=resting(_JOB, clock.now()))


def _in_sight(sessions: Sessions) -> list[int]:
    now = clock.now()
    with reading(sessions) as session:
        return leaving.list_due_ids(session, now=now, limit=_IN_SIGHT, but=resting(_JOB, now))


def _release_some(
    config: Config, sessions: Sessions, only: Collection[int] | None, *, now: datetime
) -> tuple[int, int]:
    """Take some of what is due in hand; how many offers were dealt with, and how many of them left."""
    for _attempt in range(3):
        try:
            with sessions() as session, unswept():
                due = leaving.list_due(session, now=now, limit=AT_ONCE, but=resting(_JOB, now), only=only)
                until = now + timedelta(minutes=config.policy.offer_bundle_minutes)
                due = leaving.with_companions(session, due, until=until, but=resting(_JOB, now)) if due else []
                left = release_offers(session, config, due, now=now)
                session.commit()
                return len(due), left
        except MouldsMissing as missing:
            make_moulds(config, sessions, missing.keys)
    return 0, 0


def _release_each(config: Config, sessions: Sessions, *, now: datetime) -> int:
    """One that spoils it for the others is found, and rests."""

    def let_go(offer_id: int) -> int:
        for _attempt in range(2):
            try:
                with sessions() as session:
                    left = release_offers(session, config, leaving.list_chosen(session, [offer_id]), now=now)
                    session.commit()
                    return left
            except MouldsMissing as missing:
                make_moulds(config, sessions, missing.keys)
        return 0

    with reading(sessions) as session:
        due = leaving.list_due_ids(session, now=now, limit=AT_ONCE, but=resting(_JOB, now))
    return try_each(sessions, _JOB, due, let_go)


def make_moulds(config: Config, sessions: Sessions, keys: Collection[MouldKey]) -> None:
    """Write the sheets that are missing, with no lock held."""
    with reading(sessions) as session:
        for key in keys:
            moulds_of(config.blobs_url).make(session, key)


def release_offers(
    session: Session, config: Config, due: Sequence[Leaving], *, now: datetime, by: Editor | None = None
) -> int:
    """Let these offers leave in this transaction, or say why not; how many left.

    Consent, suppression and sleep are asked for anew here. By itself a mail waits for what else is about to be its
    reader's (`gathering`); an editor `by` whom it is sent from her desk waits for nothing. Raises MouldsMissing before
    anything is written.
    """
    if not due:
        return 0
    policies = {each.policy_id for each in due}
    around = circumstances(session, config, due, policies, leaving.lock_threads, now=now, by=by)
    coming = {} if by else list_coming(session, [each.offer_id for each in due], now=now, zone=config.policy.zone)
    within = timedelta(minutes=config.policy.offer_bundle_minutes)
    sorted_: list[Sorted] = []
    for _customer, offers in groupby(sorted(due, key=by_customer), key=by_customer):
        sorted_ += [gathered(each, coming, around, within=within) for each in address(list(offers), around)]
    going = [each for each in sorted_ if isinstance(each, Addressed)]
    letters = _with_moulds(config, going)
    left = queue_letters(session, config, letters, now=now)
    _note(session, left, now=now)
    for each in sorted_:
        if isinstance(each, Later):
            _postpone(session, each)
        elif isinstance(each, Withheld):
            _withhold(session, each, now=now)
    return len(left)


def _note(session: Session, left: Sequence[Left], *, now: datetime) -> None:
    """Their offers have left; a wish that came without a conversation goes on in the one its letter began."""
    columns: Columns = {
        "its_id": [each.offer_id for each in left],
        "at": Same(now),
        "held": [each.held_until for each in left],
        "delivery": [each.delivery_id for each in left],
        "message": [each.message_id for each in left],
        "writer": [each.writer_id for each in left],
        "owner": [each.covered_for_id for each in left],
        "others": [each.similar for each in left],
    }
    run_columns(session, _LEFT, columns, len(left))
    columns = {"its_id": [each.wish_id for each in left], "conversation": [each.conversation_id for each in left]}
    run_columns(session, _JOINS, columns, len(left))


def by_customer(offer: Leaving) -> tuple[int, int, str]:
    """Offers with the same key travel in one mail."""
    return offer.customer_id, offer.mailbox_id, offer.language


def _with_moulds(config: Config, going: Sequence[Addressed]) -> list[tuple[Addressed, Mould]]:
    moulds = moulds_of(config.blobs_url)
    found = {key: moulds.find(key) for key in {each.manner.mould for each in going}}
    if missing := [key for key, mould in found.items() if mould is None]:
        raise MouldsMissing(missing)
    return [(each, mould) for each in going if (mould := found[each.manner.mould]) is not None]


def circumstances(
    session: Session,
    config: Config,
    due: Sequence[Leaving] | Sequence[Wisher],
    policy_ids: Collection[int],
    threads: Callable[[Session, Collection[int]], dict[int, Thread]],
    *,
    now: datetime,
    by: Editor | None = None,
) -> Circumstances:
    """What is true of the house and of these people now; `threads` reads their conversations, locked or not."""
    customers = {each.customer_id for each in due}
    addresses = leaving.addresses_of(session, customers)
    normalised = [normalise(each) for some in addresses.values() for each, _is_primary in some]
    suppressed = list_suppressed(session, normalised)
    likenesses = Likenesses(session, always=config.policy.offer_similar)
    if asking := {each.customer_id for each in due if each.or_similar or config.policy.offer_similar}:
        likenesses.read_tastes(asking)
    staff = list_colleagues(session, now=now)
    policies = _policies(session, policy_ids)
    return Circumstances(
        now=now,
        zone=config.policy.zone,
        rosters={
            number: call_the_roll(staff, now=now, desk=timedelta(minutes=policy.desk_minutes))
            for number, policy in policies.items()
        },
        policies=policies,
        threads=threads(session, {each.conversation_id for each in due if each.conversation_id}),
        addresses=addresses,
        suppressed=lambda one: suppressed[one].value if one in suppressed else "",
        similar=partial(_similar, likenesses),
        by=colleague(by) if by else None,
    )


def _similar(likenesses: Likenesses, offer: Leaving) -> tuple[str, ...]:
    return likenesses.choose(
        offer.sku,
        offer.customer_id,
        chosen=offer.similar,
        asked=offer.or_similar,
        ceiling_cents=offer.ceiling_cents,
    )


def _policies(session: Session, policy_ids: Collection[int]) -> dict[int, WavePolicy]:
    found = session.scalars(sa.select(WavePolicy).where(WavePolicy.id.in_(policy_ids)))
    return {each.id: each for each in found}


def _postpone(session: Session, later: Later) -> None:
    session.execute(
        sa.update(Offer)
        .where(Offer.id.in_([each.offer_id for each in later.offers]))
        .values(leaves_at=later.leaves_at)
        .execution_options(synchronize_session=False)
    )


def _withhold(session: Session, withheld: Withheld, *, now: datetime) -> None:
    """Her mail may not leave: that is a delivery too, with the reason; the unit is free, the wish says why."""
    offer = lock_offer(session, withheld.offer.offer_id)
    to = withheld.to or Address("", "")
    posting = Posting(
        key=f"offer:{offer.id}",
        purpose=PURPOSE,
        message_id=f"<offer-{offer.id}.withheld@concierge.invalid>",
        to_address=to.address,
        subject=offer.variant.sku,
        content={},
        withheld=skipped_words(withheld.reason, "en"),
    )
    [offer.delivery_id] = queue_deliveries(session, [posting], now=now)
    because = OfferEnding.WITHDRAWN if withheld.reason == waves.NO_CONSENT else OfferEnding.BOUNCED
    offering.end_offer(session, offer, because, now=now)
    offer.wish.skipped_because = withheld.reason if offer.wish.is_living else ""
    session.flush()
