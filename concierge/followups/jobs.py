"""What the house does with follow-ups by itself: lets go those that are due, reckons anew whose clock has changed."""

import logging
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from concierge import clock
from concierge.catalogue.stock_models import Purchase
from concierge.config import Config
from concierge.conversations.queries import lock_conversation
from concierge.db import Sessions, reading
from concierge.drafts import desk
from concierge.drafts.letter import Faces
from concierge.followups import carrying, queries, releasing
from concierge.followups.commands import reckoned_from
from concierge.followups.conditions import Asking, Because, due_at
from concierge.followups.models import FollowUp
from concierge.followups.plan_conditions import kindness_for
from concierge.followups.plan_facts import Fact, begin_job, list_facts
from concierge.followups.plan_queries import list_on
from concierge.followups.schedule import in_days
from concierge.mailing import outbox
from concierge.setbacks import is_last_try, resting
from concierge.working import try_each, work_each

log = logging.getLogger(__name__)

AT_ONCE = 200
_JOB = "followups.release_due"
_CARRY = "followups.carry_plans"
_RECKON = "followups.reckon_anew"
_AWAIT = "followups.await_deliveries"
# Clocks differ by 26 hours at most, from UTC-12 to UTC+14.
_ANY_ZONE = timedelta(hours=27)


def release_due(config: Config, sessions: Sessions) -> int:
    """Let every follow-up go whose moment has come, each in a transaction of its own; how many left.

    What an outage held up does not leave in one burst: so many a minute by all workers together, the longest waiting
    first, and behind what is on time.
    """
    now = clock.now()
    with reading(sessions) as session:
        if not outbox.is_open(session, config):
            return 0
        asks_until = outbox.asks_until(session)
        due = queries.list_due(session, now=now, limit=AT_ONCE, but=resting(_JOB, now))
    has_room = True

    def let_go(planned: tuple[int, datetime]) -> bool:
        nonlocal has_room
        follow_up_id, since = planned
        was_held_up = now - since >= queries.HELD_UP
        if was_held_up and not has_room:
            return False
        most = config.policy.follow_up_backlog_per_minute if was_held_up else None
        may_have_left = asks_until is not None and since <= asks_until
        try:
            return _release(config, sessions, follow_up_id, most=most, may_have_left=may_have_left)
        except releasing.NoRoom:
            has_room = False
            return False

    return try_each(sessions, _JOB, due, let_go)


def next_due(session: Session) -> datetime | None:
    """When the next follow-up may be due."""
    return queries.next_due_at(session, but=resting(_JOB, clock.now()))


def _release(
    config: Config, sessions: Sessions, follow_up_id: int, *, most: int | None, may_have_left: bool = False
) -> bool:
    """Whether it left. What can't be made into a mail rests twice, as a fault may pass; then it is withheld.

    Raises NoRoom. Of what is withheld its editor sees why and may plan it anew; it need not wait for an admin besides.
    """
    kindness, house = queries.kindness_of(config.policy), desk.house_of(config)
    try:
        if may_have_left and _ask_if_restored(sessions, follow_up_id):
            return False
        if (faces := _faces(config, sessions, follow_up_id)) is None:
            return False  # another worker was quicker
        with sessions() as session:
            message = releasing.release_follow_up(
                session, follow_up_id, faces, house, kindness, most=most, now=clock.now()
            )
            session.commit()
            return message is not None
    except releasing.NoRoom:
        raise
    except OperationalError:
        # The database is busy, or somebody is just writing to or about her: the next look tries again.
        log.info("follow-up %d is looked at again", follow_up_id)
        return False
    except Exception:
        with reading(sessions) as session:
            if not is_last_try(session, _JOB, follow_up_id):
                raise
        log.exception("follow-up %d could not be made into a mail", follow_up_id)
        _give_up(sessions, follow_up_id, now=clock.now())
        return False


def _ask_if_restored(sessions: Sessions, follow_up_id: int) -> bool:
    with sessions() as session:
        asked = releasing.ask_if_restored(session, follow_up_id, now=clock.now())
        session.commit()
    return asked


def _give_up(sessions: Sessions, follow_up_id: int, *, now: datetime) -> None:
    with sessions() as session:
        follow_up = releasing.claim_due(session, follow_up_id, now=now)
        if follow_up is not None:
            releasing.withhold(session, follow_up, Because.UNSENDABLE, now=now)
            session.commit()


def _faces(config: Config, sessions: Sessions, follow_up_id: int) -> Faces | None:
    """The pictures its mail will show, in mail size, made before the transaction that needs them begins."""
    with reading(sessions) as session:
        wanted = releasing.pictures_of(session, follow_up_id)
    return None if wanted is None else desk.faces_of(config, wanted)


def reckon_anew(config: Config, sessions: Sessions) -> int:
    """Find anew when those are due whose reader has moved to another zone or country; how many."""
    now, kindness = clock.now(), queries.kindness_of(config.policy)
    with reading(sessions) as session:
        moved = queries.list_moved(session, until=now + _ANY_ZONE, limit=AT_ONCE, but=resting(_RECKON, now))

    def reckon(session: Session, number: int) -> None:
        follow_up = queries.get_follow_up(session, number)
        if follow_up.is_scheduled and follow_up.asked_at is None:
            facts = queries.facts_of(session, follow_up, house=config.policy.zone, now=now)
            follow_up.due_at = due_at(facts, kindness_for(follow_up, kindness))
            follow_up.reckoned_from = reckoned_from(follow_up.conversation.customer)

    return work_each(sessions, _RECKON, moved, reckon)


def await_deliveries(config: Config, sessions: Sessions) -> int:
    """Reckon when those are due whose order is in her hands by now; what was sent back before needs none. How many.

    Where the shop has said nothing for long since somebody looked, its editor is asked: it never goes by itself.
    """
    now, kindness, house = clock.now(), queries.kindness_of(config.policy), config.policy.zone
    with reading(sessions) as session:
        rest = resting(_AWAIT, now)
        arrived = queries.list_arrived(session, limit=AT_ONCE, but=rest)
        forgotten = queries.list_awaiting(session, looked_before=now - queries.WAITED_FOR, limit=AT_ONCE, but=rest)
        unheard = [each.id for each in forgotten]

    def reckon(session: Session, number: int) -> None:
        lock_conversation(session, queries.get_follow_up(session, number).conversation_id)
        follow_up = session.get_one(FollowUp, number, populate_existing=True)
        if not follow_up.awaits_delivery:
            return  # an editor was quicker
        order = session.get(Purchase, follow_up.awaited_id)  # by now; an editor may have taken a newer one
        at = order.delivered_at if order else None
        if at is None and order is not None and order.returned_at is None:
            if follow_up.asked_at is None and follow_up.since_at <= now - queries.WAITED_FOR:
                releasing.ask(session, follow_up, Asking.LATE, now=now)
            return
        follow_up.asked_at = follow_up.asking = None  # the shop has answered
        if at is None:
            releasing.withhold(session, follow_up, Because.SHE_RETURNED, now=now)
            return
        zone = queries.her_clock(follow_up.conversation.customer, house).zone
        wall = in_days(at, follow_up.awaited_days or 0, follow_up.wall.time(), zone)
        follow_up.wall, follow_up.awaited_id = carrying.beside_others(session, follow_up, wall), None
        facts = queries.facts_of(session, follow_up, house=house, now=now)
        follow_up.due_at = due_at(facts, kindness)

    return work_each(sessions, _AWAIT, sorted({*arrived, *unheard}), reckon)


def begin_plans(config: Config, sessions: Sessions) -> int:
    """Begin every plan that is on for each fact that has come true, each in a transaction of its own; how many runs."""
    now, house = clock.now(), config.policy.zone
    with reading(sessions) as session:
        found = {plan.id: list_facts(session, plan, now=now, house=house, limit=AT_ONCE) for plan in list_on(session)}

    def begin(session: Session, item: tuple[int, int, Fact]) -> bool:
        return carrying.begin_run(session, item[1], item[2], policy=config.policy, now=now) is not None

    return sum(
        work_each(sessions, begin_job(plan_id), [(fact.id, plan_id, fact) for fact in facts], begin)
        for plan_id, facts in found.items()
    )


def carry_plans(config: Config, sessions: Sessions) -> int:
    """Go on with the runs whose mail has left, and end those whose mail has not; how many."""
    now = clock.now()
    with reading(sessions) as session:
        settled = queries.list_uncarried(session, limit=AT_ONCE, but=resting(_CARRY, now))
    return work_each(
        sessions,
        _CARRY,
        settled,
        lambda session, number: carrying.go_on(session, number, policy=config.policy, now=now),
    )
