"""Lets two pieces come back this morning, by the house's own commands: one is held, the other being bought."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from concierge.catalogue.levels import Report
from concierge.catalogue.models import Variant
from concierge.catalogue.stock import report_stock
from concierge.catalogue.stock_models import StockReport
from concierge.config import Config
from concierge.conversations.models import Conversation
from concierge.customers.zones import zone_of
from concierge.demo.wishes import SANDALS
from concierge.wishes import clockwork, leaving, offering, release
from concierge.wishes.moulds import moulds_of
from concierge.wishes.queries import get_offer, queue_of
from concierge.wishes.rounds import Round

_UNITS: Final = 2
# Later than the shop's count of the night.
_AGO: Final = timedelta(hours=3)


def bring_offers(session: Session, config: Config, gone: list[Variant], *, now: datetime) -> None:
    """Report two units of a piece people wait for, three hours before `now`; offers go out, and the second is taken.

    The mails are queued: the worker lets them leave when the house opens.
    """
    at, policy = now - _AGO, config.policy
    # Barbara's sandals stay sold out.
    others = [each for each in gone if each.product.code != SANDALS.rpartition("-")[0]]
    variant = max(others, key=lambda each: _awake(session, each, config, at))
    report = Report("shop", f"{variant.sku}@{at:%Y%m%d%H%M}", variant.sku, "online", StockReport.SNAPSHOT, _UNITS, at)
    report_stock(session, report, now=at - policy.stock_settling - timedelta(minutes=1), policy=policy)
    dealing = Round(session, variant.id, zone=policy.zone, now=at)
    while not dealing.is_over:
        dealing.deal(session)
    session.flush()
    due = leaving.list_due(session, now=at, limit=_UNITS)
    _release(session, config, due, now=at)
    last = get_offer(session, due[-1].offer_id) if due else None
    if last is not None and last.left_at is not None:
        offering.take_offer(session, last, now=at + timedelta(hours=1))


def _release(session: Session, config: Config, due: list[leaving.Leaving], *, now: datetime) -> None:
    try:
        release.release_offers(session, config, due, now=now)
    except release.MouldsMissing as missing:
        for key in missing.keys:
            moulds_of(config.blobs_url).make(session, key)
        release.release_offers(session, config, due, now=now)


def _awake(session: Session, variant: Variant, config: Config, at: datetime) -> int:
    """How many of those whose turn it would be are awake then; -1 where too few wait, or one has written since."""
    waiting = [wish for wish, _standing in queue_of(session, variant.id, limit=_UNITS)]
    talks = [session.get(Conversation, each.conversation_id) for each in waiting if each.conversation_id]
    if len(waiting) < _UNITS or any(each and each.last_message_at >= at for each in talks):
        return -1
    policy, people = offering.current_policy(session), [each.customer for each in waiting]
    zones = [zone_of(each.zone_name, each.country, config.policy.zone) for each in people]
    return sum(clockwork.next_waking(at, zone, policy) == at for zone in zones)
