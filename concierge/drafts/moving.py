"""What becomes of drafts when conversations are merged or split: they go along, unless one is just leaving."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.conversations.carried import CARRIED, Carried
from concierge.drafts.models import AnswerLeaving, Draft, TwoDrafts


def _refuse_leaving(session: Session, conversation_ids: Collection[int]) -> None:
    """An answer that is leaving was written for what its author saw: nothing may come under it now."""
    leaving = sa.select(Draft.id).where(Draft.conversation_id.in_(conversation_ids), Draft.due_at.is_not(None))
    if session.scalar(leaving.limit(1)) is not None:
        raise AnswerLeaving


def _choose(session: Session, _source_id: int, target_id: int, found: Sequence[int]) -> list[int]:
    """All but empty ones. An editor has one draft in a conversation: an empty one there makes room, words never do."""
    going = [each for each in session.scalars(sa.select(Draft).where(Draft.id.in_(found))) if not _is_empty(each)]
    for each in going:
        there = sa.select(Draft).where(Draft.conversation_id == target_id, Draft.editor_id == each.editor_id)
        if (hers := session.scalar(there)) is not None:
            if not _is_empty(hers):
                raise TwoDrafts
            session.delete(hers)
    session.flush()
    return [each.id for each in going]


def _is_empty(draft: Draft) -> bool:
    return not draft.body.strip() and not draft.attachments


def register() -> None:
    """Let drafts go along with the mails of a conversation."""
    CARRIED["draft"] = Carried(
        Draft.id, Draft.conversation_id, made_at=Draft.created_at, refuse=_refuse_leaving, choose=_choose
    )
