"""How a follow-up leaves: claimed, judged by facts read anew, made into a mail and queued in one transaction."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, defaultload

from concierge import audit, tokens
from concierge.accounts.models import Editor
from concierge.addresses import Address
from concierge.catalogue import queries as catalogue
from concierge.conversations.commands import FileIn
from concierge.conversations.models import Conversation, Message
from concierge.conversations.queries import BARE, references_for
from concierge.db import take_turn
from concierge.drafts import body, letter, wording
from concierge.drafts import queries as drafts
from concierge.drafts.letter import Answered, Faces, Finished, Written
from concierge.drafts.queries import Originals
from concierge.drafts.releasing import House, Leaving, queue_answer
from concierge.followups import queries
from concierge.followups.commands import reckoned_from
from concierge.followups.conditions import Asking, Asks, Because, Goes, Kindness, Stops, Waits, judge
from concierge.followups.holding import hold_her_still
from concierge.followups.models import FollowUp, FollowUpState
from concierge.followups.plan_conditions import is_one_to_one, kindness_for
from concierge.followups.plan_links import decline_link
from concierge.mailing import outbox

# Any number will do, as long as nothing else of ours locks by it.
_TURN = 0xF0110
_MINUTE = timedelta(minutes=1)


class NoRoom(Exception):
    """So many have left in the last minute that what was held up has to wait."""


def release_follow_up(
    session: Session,
    follow_up_id: int,
    faces: Faces,
    house: House,
    kindness: Kindness,
    *,
    most: int | None = None,
    now: datetime,
) -> Message | None:
    """Let a due follow-up go; or withhold it, put it off, or ask its editor; None when nothing left.

    Every condition is read anew while nothing it speaks of can change (F09); raises OperationalError when somebody is
    just changing it. What was held up leaves only while fewer than `most` such have left in the last minute, whichever
    worker let them go; else NoRoom is raised.
    """
    if most is not None:
        take_turn(session, _TURN)  # before anything else: no circle can come of it
    follow_up = claim_due(session, follow_up_id, now=now)
    if follow_up is None:
        return None
    facts = queries.facts_of(session, follow_up, house=house.zone, now=now)
    verdict = judge(facts, kindness_for(follow_up, kindness), now)
    match verdict:
        case Goes():
            if most is not None and len(list(queries.held_up_and_sent(session, since=now - _MINUTE))) >= most:
                raise NoRoom
            return _let_go(session, follow_up, faces, house, now=now)
        case Stops(because):
            withhold(session, follow_up, because, now=now)
        case Waits(until):
            follow_up.wait(until)
            follow_up.reckoned_from = reckoned_from(follow_up.conversation.customer)
        case Asks(why):
            ask(session, follow_up, why, now=now)
    return None


def ask(session: Session, follow_up: FollowUp, why: Asking, *, now: datetime) -> None:
    """It waits for its editor's yes; the conversation's history says so."""
    follow_up.ask(why, now=now)
    audit.record(session, "follow_up.asked", follow_up.conversation, by=None, now=now, follow_up=follow_up.id, why=why)


def ask_if_restored(session: Session, follow_up_id: int, *, now: datetime) -> bool:
    """Ask the editor of one that was due in a copy of the house that was restored, for it may have left before."""
    follow_up = claim_due(session, follow_up_id, now=now)
    if follow_up is None or (follow_up.approved_at is not None and not outbox.asks(session, follow_up.approved_at)):
        session.rollback()
        return False
    ask(session, follow_up, Asking.LATE, now=now)
    return True


def claim_due(session: Session, follow_up_id: int, *, now: datetime) -> FollowUp | None:
    """Take a due follow-up in hand for this transaction alone; None when somebody else has, or it is not due.

    She is held still: a fact is either committed and seen, or comes later. Nobody is waited for, so nobody can wait for
    us in a circle, and many workers spread over what is due. Raises OperationalError where somebody has hold of her or
    her conversations.
    """
    conversation_id = session.scalar(sa.select(FollowUp.conversation_id).where(FollowUp.id == follow_up_id))
    if conversation_id is None:
        return None
    hold_her_still(session, conversation_id, wait=False)
    claimed = session.execute(
        sa.update(FollowUp)
        .where(FollowUp.id == follow_up_id, FollowUp.state == FollowUpState.SCHEDULED, FollowUp.due_at <= now)
        .where(FollowUp.asked_at.is_(None), FollowUp.claimed_at.is_(None))
        .values(claimed_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(claimed, sa.CursorResult)
    # all of it anew: what she did between the first lock and hers is not in what was read under the first
    bare = [defaultload(FollowUp.conversation).options(*BARE)]
    ours = claimed.rowcount == 1
    return session.get(FollowUp, follow_up_id, options=bare, populate_existing=True) if ours else None


def withhold(session: Session, follow_up: FollowUp, because: Because, *, now: datetime) -> None:
    """It does not leave; the conversation's history says why."""
    follow_up.settle(because, by=None, now=now)
    audit.record(
        session,
        "follow_up.withheld",
        follow_up.conversation,
        by=None,
        now=now,
        follow_up=follow_up.id,
        because=because.value,
    )


def pictures_of(session: Session, follow_up_id: int) -> Originals | None:
    """The pictures its mail will show: of its cards, and its editor's face; None when it is planned no more."""
    statement = sa.select(FollowUp.body, FollowUp.language, Editor.photo_key).join(FollowUp.editor)
    found = session.execute(statement.where(FollowUp.id == follow_up_id, *queries.WAITS)).one_or_none()
    if found is None:
        return None
    cards = catalogue.cards(session, body.cards(found.body), found.language)
    return Originals(
        frozenset(each.picture_key for each in cards.values() if each.picture_key),
        frozenset(filter(None, [found.photo_key])),
    )


def _let_go(session: Session, follow_up: FollowUp, faces: Faces, house: House, *, now: datetime) -> Message:
    """The mail is queued, stands in the conversation, and the follow-up names both."""
    conversation = follow_up.conversation
    finished = letter.compose(_written(session, follow_up, house, now=now), faces)
    key = f"followup:{follow_up.id}"
    pictures, version_id = _pictures(finished), follow_up.template_version_id
    leaving = Leaving(finished, key, queries.PURPOSE, follow_up.language, pictures, version_id)
    delivery, message = queue_answer(session, conversation, leaving, by=follow_up.editor, now=now)
    follow_up.state, follow_up.settled_at = FollowUpState.SENT, now
    follow_up.delivery, follow_up.message_id = delivery, message.id
    audit.record(session, "follow_up.sent", conversation, by=None, now=now, follow_up=follow_up.id, message=message.id)
    session.flush()
    return message


def _written(session: Session, follow_up: FollowUp, house: House, *, now: datetime) -> Written:
    conversation = follow_up.conversation
    to = drafts.recipient(session, conversation)
    return Written(
        body=follow_up.body,
        subject=follow_up.subject or wording.reply_subject(conversation.subject),
        language=follow_up.language,
        editor=follow_up.editor,
        mailbox=conversation.mailbox,
        to=to or Address(conversation.customer.name, ""),
        cards=catalogue.cards(session, body.cards(follow_up.body), follow_up.language),
        key=tokens.reply_key(house.secret, conversation.id),
        unsubscribe="" if is_one_to_one(follow_up) else decline_link(house, conversation.customer_id),
        answered=drafts.answered(session, conversation, house.zone) or _our_own(session, conversation, now=now),
    )


def _our_own(session: Session, conversation: Conversation, *, now: datetime) -> Answered | None:
    """Where only we wrote so far: it stands below our own mail, and quotes nothing."""
    references, parent = references_for(session, conversation)
    return Answered("", now, "", parent, references) if parent else None


def _pictures(finished: Finished) -> tuple[FileIn, ...]:
    return tuple(
        FileIn(each.filename, each.content_type, finished.sizes[each.blob_key], each.blob_key, each.cid, inline=True)
        for each in finished.mail.pictures
    )
