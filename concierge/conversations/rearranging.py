"""Merging conversations, splitting one, moving a mail; and undoing each, with all that hangs on them."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.conversations import carried, queries, standings
from concierge.conversations.carried import Part
from concierge.conversations.filing import first_line
from concierge.conversations.models import (
    Conversation,
    ConversationState,
    Direction,
    Message,
    MessageKind,
    conversation_tag,
)
from concierge.conversations.rearrangement_models import (
    AlreadyUndone,
    KnownByHerself,
    NoHint,
    NothingLeft,
    NotSplittable,
    OtherCustomer,
    RearrangedSince,
    Rearrangement,
    SameConversation,
    Way,
)
from concierge.conversations.standings import Standing

_Pair = tuple[Conversation, Conversation]


def lock_pair(session: Session, one: int, other: int) -> _Pair:
    """Two conversations, or those they were merged into, locked in the order of their numbers; SameConversation."""
    numbers = {each: queries.get_conversation(session, each).id for each in (one, other)}
    if len(set(numbers.values())) < 2:
        raise SameConversation
    locked = {number: queries.lock_conversation(session, number) for number in sorted(numbers.values())}
    first, second = locked[numbers[one]], locked[numbers[other]]
    if first is second:
        raise SameConversation
    return first, second


def merge_conversations(
    session: Session, conversation: Conversation, other: Conversation, *, by: Editor, now: datetime
) -> Rearrangement:
    """Bring all of `other` into `conversation`; whoever asks for `other`, and mail that answers it, is led there.

    Raises SameConversation, OtherCustomer, and what `carried.refuse` does. Both are locked by the caller.
    """
    if other is conversation:
        raise SameConversation
    if other.customer_id != conversation.customer_id:
        raise OtherCustomer
    return _merge(session, conversation, other, by=by, now=now)


def accept_hint(
    session: Session, conversation: Conversation, hinted: Conversation, *, by: Editor, now: datetime
) -> Rearrangement:
    """It belongs where the hint says: its mails go there. Answers go on to that customer alone.

    Of a stranger only, whom the house knows by nothing but these mails. Raises NoHint, KnownByHerself.
    """
    if conversation.hint_conversation_id is None or hinted is conversation:
        raise NoHint
    if conversation.customer_id == hinted.customer_id:
        return _merge(session, hinted, conversation, by=by, now=now)
    if _is_known(session, conversation):
        raise KnownByHerself
    return _merge(session, hinted, conversation, by=by, now=now)


def dismiss_hint(session: Session, conversation: Conversation, *, by: Editor, now: datetime) -> None:
    """It does not belong there; raises NoHint."""
    if conversation.hint_conversation_id is None:
        raise NoHint
    hint, conversation.hint_conversation_id = conversation.hint_conversation_id, None
    audit.record(session, "conversation.hint_dismissed", conversation, by=by, now=now, hint=hint)


def _is_known(session: Session, conversation: Conversation) -> bool:
    others = sa.select(Conversation.id).where(
        Conversation.customer_id == conversation.customer_id, Conversation.id != conversation.id
    )
    answers = sa.select(Message.id).where(
        Message.conversation_id == conversation.id, Message.direction == Direction.OUT
    )
    if session.scalar(others.limit(1)) is not None or session.scalar(answers.limit(1)) is not None:
        return True
    return carried.hangs_on(session, conversation.id, besides={"message", "note"})


def _merge(
    session: Session, conversation: Conversation, other: Conversation, *, by: Editor, now: datetime
) -> Rearrangement:
    def go() -> dict[str, list[int]]:
        return carried.carry(session, other.id, conversation.id) | _share_tags(session, other, conversation)

    def stand(one: Standing, into: Standing) -> tuple[Standing, Standing]:
        return standings.emptied(one, conversation.id, now=now), standings.together(into, one)

    done = _rearrange(session, Way.MERGE, (other, conversation), go, stand, by=by, now=now)
    _tell(session, done, "conversation.merged", conversation, other, by=by, now=now)
    _tell(session, done, "conversation.merged_into", other, conversation, by=by, now=now)
    return done


def split_conversation(session: Session, message: Message, *, by: Editor, now: datetime) -> Rearrangement:
    """Begin a new conversation with this mail, and all that came or was done from then on.

    Raises NotSplittable for the first mail. Its conversation is locked by the caller.
    """
    conversation = message.conversation
    mails = queries.list_messages(session, conversation)
    place = mails.index(message)
    if place == 0:
        raise NotSplittable
    fresh = Conversation(
        mailbox=conversation.mailbox,
        customer=conversation.customer,
        editor=conversation.editor,
        subject=message.subject or conversation.subject,
        language=message.language or conversation.language,
        last_message_at=message.created_at,
        created_at=message.created_at,
        tags=[],
    )
    session.add(fresh)
    session.flush()
    part = Part(tuple(each.id for each in mails[place:]), message.created_at)

    def go() -> dict[str, list[int]]:
        return carried.carry(session, conversation.id, fresh.id, part)

    def stand(one: Standing, _fresh: Standing) -> tuple[Standing, Standing]:
        split = replace(one, hint_conversation_id=None, failed_at=None)
        one, split = _hand_failure(session, (conversation, fresh), part, one, split)
        return _reckon(session, conversation, one), _reckon(session, fresh, split)

    done = _rearrange(session, Way.SPLIT, (conversation, fresh), go, stand, by=by, now=now)
    _tell(session, done, "conversation.split", conversation, fresh, by=by, now=now)
    _tell(session, done, "conversation.split_off", fresh, conversation, by=by, now=now)
    return done


def move_message(session: Session, message: Message, to: Conversation, *, by: Editor, now: datetime) -> Rearrangement:
    """Move one mail, and what belongs to it alone, to another conversation of the same customer.

    Raises SameConversation, OtherCustomer, NothingLeft. Both conversations are locked by the caller.
    """
    conversation = message.conversation
    if to is conversation:
        raise SameConversation
    if to.customer_id != conversation.customer_id:
        raise OtherCustomer
    if len(queries.list_messages(session, conversation)) == 1:
        raise NothingLeft
    is_question = message.direction is Direction.IN and message.kind is MessageKind.HUMAN
    asks = is_question and conversation.waiting_since is not None and message.created_at >= conversation.waiting_since

    part = Part((message.id,))

    def go() -> dict[str, list[int]]:
        return carried.carry(session, conversation.id, to.id, part)

    def stand(one: Standing, other: Standing) -> tuple[Standing, Standing]:
        one, other = _hand_failure(session, (conversation, to), part, one, other)
        if asks:
            other = standings.together(other, Standing(waiting_since=message.created_at, editor_id=one.editor_id))
        return _reckon(session, conversation, one), other if asks else _reckon(session, to, other)

    done = _rearrange(session, Way.MOVE, (conversation, to), go, stand, by=by, now=now)
    _tell(session, done, "conversation.mail_moved", conversation, to, by=by, now=now)
    _tell(session, done, "conversation.mail_taken", to, conversation, by=by, now=now)
    return done


def undo_rearrangement(session: Session, done: Rearrangement, *, by: Editor, now: datetime) -> Conversation:
    """Put everything back, and both conversations as they stood; what changed since stays as it is now.

    Raises AlreadyUndone, RearrangedSince, and what `carried.refuse` does. The conversation where the mails are then.
    """
    source, target = lock_as_they_are(session, done)
    session.refresh(done, with_for_update=True)
    if done.undone_at is not None:
        raise AlreadyUndone
    _require_in_place(session, done, target)
    carried.refuse(session, source.id, target.id)
    session.flush()
    if done.way is Way.SPLIT:
        carried.carry(session, target.id, source.id)
    else:
        carried.put(session, done.moved, source.id, source_id=target.id)
        _take_off_tags(session, target, done.moved.get("tag", []))
    session.expire_all()
    for name, conversation in (("source", source), ("target", target)):
        before, after = (standings.from_json(kept[name]) for kept in (done.before, done.after))
        _place(session, conversation, standings.taken_back(_standing(conversation), before=before, after=after))
    if done.way is Way.SPLIT:
        _place(session, target, standings.emptied(_standing(target), source.id, now=now))
    done.undone_at, done.undone_by_id = now, by.id
    session.flush()
    for each in (source, target):
        audit.record(session, "conversation.rearrangement_undone", each, by=by, now=now, way=done.way.value)
    return target if done.way is Way.MERGE else source


def lock_as_they_are(session: Session, done: Rearrangement) -> _Pair:
    """The two conversations of a rearrangement, even one that was emptied by it, in the order of their numbers."""
    locked = {number: queries.lock_as_it_is(session, number) for number in sorted((done.source_id, done.target_id))}
    return locked[done.source_id], locked[done.target_id]


def _require_in_place(session: Session, done: Rearrangement, target: Conversation) -> None:
    numbers = done.moved.get("message", [])
    there = sa.select(sa.func.count()).where(Message.id.in_(numbers), Message.conversation_id == target.id)
    if target.merged_into_id is not None or session.scalar(there) != len(numbers):
        raise RearrangedSince


def _rearrange(
    session: Session,
    way: Way,
    pair: _Pair,
    go: Callable[[], dict[str, list[int]]],
    stand: Callable[[Standing, Standing], tuple[Standing, Standing]],
    *,
    by: Editor,
    now: datetime,
) -> Rearrangement:
    source, target = pair
    carried.refuse(session, source.id, target.id)
    before = [_standing(each) for each in pair]
    session.flush()
    moved = go()
    session.expire_all()
    for each, standing in zip(pair, stand(*before), strict=True):
        _place(session, each, standing)
    done = Rearrangement(
        way=way,
        source_id=source.id,
        target_id=target.id,
        moved=moved,
        before=_kept(*before),
        after=_kept(*(_standing(each) for each in pair)),
        done_at=now,
        done_by_id=by.id,
    )
    session.add(done)
    session.flush()
    return done


def _kept(source: Standing, target: Standing) -> dict[str, Any]:
    return {"source": standings.to_json(source), "target": standings.to_json(target)}


def _standing(conversation: Conversation) -> Standing:
    names = Standing.__dataclass_fields__
    return Standing(**{name: getattr(conversation, name) for name in names} | {"state": conversation.state.value})


def _place(session: Session, conversation: Conversation, standing: Standing) -> None:
    """Let it stand so, and show its newest mail in the list."""
    for name, value in asdict(standing).items():
        setattr(conversation, name, ConversationState(value) if name == "state" else value)
    mails = queries.list_messages(session, conversation)
    people = [each for each in mails if each.kind is MessageKind.HUMAN]
    if people:
        conversation.last_message_id = max(each.id for each in people)
    for newest in (people or mails)[-1:]:
        conversation.last_message_at = newest.created_at
        conversation.first_line = first_line(newest.text, newest.fold_at)
    session.flush()
    session.expire(conversation, ["editor", "closed_by"])


def _reckon(session: Session, conversation: Conversation, standing: Standing) -> Standing:
    """Whose turn it is by the mails it has now; where nobody waited before, nobody waits."""
    if standing.waiting_since is None:
        return standing
    return replace(standing, waiting_since=queries.oldest_unanswered(session, conversation))


def _hand_failure(
    session: Session, pair: _Pair, part: Part, one: Standing, other: Standing
) -> tuple[Standing, Standing]:
    """The mark of an answer that did not arrive goes with that answer, and stays where there is another."""
    source, target = pair
    went = not queries.list_failed(session, target).isdisjoint(part.messages)
    stays = not went or bool(queries.list_failed(session, source))
    return standings.share_failure(one, other, went=went, stays=stays)


def _share_tags(session: Session, source: Conversation, target: Conversation) -> dict[str, list[int]]:
    fresh = [tag for tag in source.tags if tag not in target.tags]
    target.tags.extend(fresh)
    session.flush()
    return {"tag": [tag.id for tag in fresh]} if fresh else {}


def _take_off_tags(session: Session, conversation: Conversation, tags: list[int]) -> None:
    session.execute(
        sa.delete(conversation_tag).where(
            conversation_tag.c.conversation_id == conversation.id, conversation_tag.c.tag_id.in_(tags)
        )
    )


def _tell(
    session: Session,
    done: Rearrangement,
    verb: str,
    here: Conversation,
    there: Conversation,
    *,
    by: Editor,
    now: datetime,
) -> None:
    count = len(done.moved.get("message", []))
    details = {"rearrangement": done.id, "other": there.id, "about": there.subject[:200], "mails": count}
    audit.record(session, verb, here, by=by, now=now, **details)
