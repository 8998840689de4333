"""What the house does with wishes by itself: shares out units, lapses offers, matches purchases, ends what is over."""

import logging
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from concierge import clock
from concierge.config import Config
from concierge.db import Sessions, reading
from concierge.errors import BadToken
from concierge.mailing import outbox
from concierge.rows import unswept
from concierge.setbacks import resting
from concierge.wishes import commands, due, letters, links, matching, offering, queries
from concierge.wishes.departing import Gate
from concierge.wishes.invariants import find_broken_invariants, note_broken
from concierge.wishes.manners import may_reach_her
from concierge.wishes.models import WishEnding
from concierge.wishes.moulds import moulds_of
from concierge.wishes.offer_models import OfferEnding
from concierge.wishes.release import make_moulds
from concierge.wishes.rounds import AT_ONCE, Round
from concierge.wishes.soundness import count_broken, keep_broken
from concierge.working import try_each, work_each

log = logging.getLogger(__name__)

_FIRST = 20
_REST_AFTER_LOSS = timedelta(days=1)


def open_waves(config: Config, sessions: Sessions) -> int:
    """Offer free units to those whose turn it is; how many offers were made."""
    return _share_out(config, sessions, "wishes.open_waves", also_skipped=False)


def reconsider_skipped(config: Config, sessions: Sessions) -> int:
    """Look again at those who were left out while a unit was there: the reason may have gone; how many got an offer."""
    return _share_out(config, sessions, "wishes.reconsider_skipped", also_skipped=True)


def _share_out(config: Config, sessions: Sessions, job: str, *, also_skipped: bool) -> int:
    now, zone = clock.now(), config.policy.zone
    with reading(sessions) as session:
        found = due.list_to_share_out(
            session,
            now=now,
            today=now.astimezone(zone).date(),
            also_skipped=also_skipped,
            but=resting(job, now),
        )
    return try_each(sessions, job, found, lambda variant_id: deal_all(config, sessions, variant_id))


def deal_all(config: Config, sessions: Sessions, variant_id: int) -> int:
    """Share out all free units of a product, a few hundred offers in a transaction; how many offers were made.

    Mails that needn't wait leave with their offers; should one of them spoil it, all are left to `release_due`.
    """
    try:
        return _deal(config, sessions, variant_id, Gate(config))
    except OperationalError:
        raise
    except Exception:
        log.exception("mails could not leave with their offers, and leave after them")
        return _deal(config, sessions, variant_id, None)


def _deal(config: Config, sessions: Sessions, variant_id: int, gate: Gate | None) -> int:
    made = 0
    with sessions() as session:
        within = timedelta(minutes=config.policy.offer_bundle_minutes)
        dealing = Round(session, variant_id, zone=config.policy.zone, now=clock.now(), within=within)
        while not dealing.is_over:
            # The first few show which sheets will be needed.
            with unswept():
                made += dealing.deal(session, gate=gate, limit=AT_ONCE if made else _FIRST)
            session.commit()
            if gate is not None and gate.missing:
                make_moulds(config, sessions, gate.missing)
                gate.missing.clear()
    return made


def lapse_due(config: Config, sessions: Sessions) -> int:
    """End the offers whose hold is over; how many."""

    def lapse(session: Session, offer_id: int) -> None:
        offer, now = queries.lock_offer(session, offer_id), clock.now()
        if due.list_to_lapse(session, now=now, offer_id=offer_id):  # she may have been quicker
            offering.lapse_offer(session, offer, now=now, rest=config.policy.wish_rest)

    with reading(sessions) as session:
        found = due.list_to_lapse(session, now=clock.now(), but=resting("wishes.lapse_due", clock.now()))
    return work_each(sessions, "wishes.lapse_due", found, lapse)


def next_lapse(session: Session) -> datetime | None:
    """When the next hold is over."""
    return due.next_lapse_at(session, but=resting("wishes.lapse_due", clock.now()))


def match_purchases(config: Config, sessions: Sessions) -> int:
    """Look for the wish of each new purchase; how many purchases were looked at."""

    def match(session: Session, purchase: tuple[int, str]) -> None:
        purchase_id, token = purchase
        matching.match_purchase(session, purchase_id, offer_id=_offer_of(config, token), now=clock.now())

    with reading(sessions) as session:
        found = due.list_unmatched(session, but=resting("wishes.match_purchases", clock.now()))
    return work_each(sessions, "wishes.match_purchases", found, match)


def free_missing(config: Config, sessions: Sessions) -> int:
    """End the last placed unanswered offers where the shop's report took the units away for good; how many variants."""

    def free(session: Session, variant_id: int) -> None:
        while (offer_id := due.find_newest_unanswered(session, variant_id)) is not None:
            offer, now = queries.lock_offer(session, offer_id), clock.now()
            offering.end_offer(session, offer, OfferEnding.UNITS_GONE, now=now)
            letters.apologise(letters.Table(session, config, moulds_of(config.blobs_url), now), offer)

    with reading(sessions) as session:
        now = clock.now()
        found = due.list_overpromised(
            session, settled=now - config.policy.stock_settling, but=resting("wishes.free_missing", now)
        )
    return work_each(sessions, "wishes.free_missing", found, free)


def settle_mail(config: Config, sessions: Sessions) -> int:
    """Stop the clock of holds whose mail does not get through, and let it go on when it has; end what came back."""
    zone = config.policy.zone

    def lose(session: Session, offer_id: int) -> None:
        offer = queries.lock_offer(session, offer_id)
        offering.end_offer(session, offer, OfferEnding.BOUNCED, now=clock.now(), rest=_REST_AFTER_LOSS)

    def pause(session: Session, offer_id: int) -> None:
        offering.pause_hold(session, queries.lock_offer(session, offer_id), zone=zone, now=clock.now())

    def resume(session: Session, offer_id: int) -> None:
        offering.resume_hold(session, queries.lock_offer(session, offer_id), zone=zone, now=clock.now())

    with reading(sessions) as session:
        now = clock.now()
        but = resting("wishes.settle_mail", now)
        lost = due.list_lost(session, but=but)
        stuck = due.list_to_pause(session, now=now, but=but)
        through = due.list_to_resume(session, but=but)
    return sum(
        work_each(sessions, "wishes.settle_mail", found, act)
        for found, act in ((lost, lose), (stuck, pause), (through, resume))
    )


def ask_due(config: Config, sessions: Sessions) -> int:
    """Ask those whose wish ends soon whether they still want it, when it is courteous; how many."""

    def ask(session: Session, wish_id: int) -> bool:
        now, wish = clock.now(), queries.lock_wish(session, wish_id)
        if not may_reach_her(session, wish.customer, letters.STILL_WANTED, policy=config.policy, now=now):
            return False
        return letters.ask_whether_wanted(letters.Table(session, config, moulds_of(config.blobs_url), now), wish)

    with reading(sessions) as session:
        if not outbox.is_open(session, config):
            return 0
        found = [
            wish.id
            for wish in queries.list_to_ask(
                session, now=clock.now(), policy=config.policy, but=resting("wishes.ask_due", clock.now())
            )
        ]
    return work_each(sessions, "wishes.ask_due", found, ask)


def expire_due(config: Config, sessions: Sessions) -> int:
    """End the wishes never confirmed, too old after she was asked, or too late for her; how many."""

    def expire(session: Session, expiring: tuple[int, WishEnding]) -> None:
        wish_id, because = expiring
        wish = queries.lock_wish(session, wish_id)
        if expiring in due.list_to_expire(session, now=clock.now(), policy=config.policy, wish_id=wish_id):
            commands.expire_wish(session, wish, because, now=clock.now())

    with reading(sessions) as session:
        found = due.list_to_expire(
            session, now=clock.now(), policy=config.policy, but=resting("wishes.expire_due", clock.now())
        )
    return work_each(sessions, "wishes.expire_due", found, expire)


def check_invariants(config: Config, sessions: Sessions) -> int:
    """Write down what is not as it must be, once a day for each row; how many were found."""
    with reading(sessions) as session:
        found, known = find_broken_invariants(session), count_broken(session)
    if found or known:
        with sessions() as session:
            keep_broken(session, found, now=clock.now())
            session.commit()
    for broken in found:
        with sessions() as session:
            if note_broken(session, broken, now=clock.now()):
                log.error("%s %d: %s, but %s", broken.table, broken.id, broken.rule, broken.words)
            session.commit()
    return len(found)


def _offer_of(config: Config, token: str) -> int | None:
    try:
        return links.read(config, links.HOLD, token) if token else None
    except BadToken:
        return None
