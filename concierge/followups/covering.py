"""What asks for an editor because colleagues are away: whom she writes for, and what waits there."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.absences import Away, find_stand_in
from concierge.accounts.models import Editor
from concierge.accounts.queries import list_answering_editors, list_away
from concierge.conversations.models import Conversation, ConversationState
from concierge.followups import promising, queries
from concierge.followups.models import FollowUp, Promise

_MOST = 20


@dataclass(frozen=True, slots=True)
class Covered:
    """A colleague who is away; `is_named`: she asked for this editor to write meanwhile, or whom she asked did."""

    editor: Editor
    away: Away
    is_named: bool
    waiting: list[Conversation]
    asking: list[FollowUp]
    promised: list[Promise]

    @property
    def is_empty(self) -> bool:
        """Whether nothing of hers waits for anybody."""
        return not (self.waiting or self.asking or self.promised)


def list_covered(session: Session, editor: Editor, *, now: datetime) -> list[Covered]:
    """Who is away and named this editor; where nobody named is there, every colleague sees what waits."""
    staff = list_answering_editors(session)
    away = list_away(session, staff, now=now)
    answering = {each.id for each in staff}
    if editor.id in away or editor.id not in answering:
        return []
    writers = {number: find_stand_in(away, number, answering=answering) for number in away}
    mine = [each for each in staff if each.id in away and writers[each.id] in (editor.id, None)]
    found = [
        Covered(
            editor=each,
            away=away[each.id],
            is_named=writers[each.id] is not None,
            waiting=_list_waiting(session, each),
            asking=queries.list_asking(session, editor_id=each.id, limit=_MOST),
            promised=promising.list_due(session, each, now=now),
        )
        for each in mine
    ]
    return [each for each in found if each.is_named or not each.is_empty]


def _list_waiting(session: Session, editor: Editor) -> list[Conversation]:
    hers = (Conversation.editor_id == editor.id, Conversation.state == ConversationState.OPEN)
    statement = sa.select(Conversation).where(*hers, Conversation.waiting_since.is_not(None))
    return list(session.scalars(statement.order_by(Conversation.waiting_since, Conversation.id).limit(_MOST)))
