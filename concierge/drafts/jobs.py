"""What the worker does with answers on their way: gives back those overtaken, lets go those that are due."""

import logging
from datetime import datetime

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from concierge import clock
from concierge.config import Config
from concierge.db import Sessions, reading
from concierge.drafts import desk, queries, releasing
from concierge.drafts.gate import Objection, Reason
from concierge.drafts.letter import Faces
from concierge.drafts.models import Draft
from concierge.errors import ConciergeError
from concierge.mailing import outbox
from concierge.setbacks import resting
from concierge.working import try_each

log = logging.getLogger(__name__)

_JOB = "drafts.release_due"


def release_due(config: Config, sessions: Sessions) -> int:
    """Let every answer go whose moment has come, each in a transaction of its own; how many left."""
    return_overtaken(config, sessions)
    now = clock.now()
    with reading(sessions) as session:
        if not outbox.is_open(session, config):
            return 0
        due = queries.list_due_ids(session, now=now, but=resting(_JOB, now))
    return try_each(sessions, _JOB, due, lambda draft_id: _release(config, sessions, draft_id))


def next_due(session: Session) -> datetime | None:
    """When the next answer is to leave."""
    return queries.next_due_at(session, but=resting(_JOB, clock.now()))


def return_overtaken(config: Config, sessions: Sessions) -> int:
    """Give back at once what waits to leave while something newer has arrived; how many came back."""
    with reading(sessions) as session:
        overtaken = queries.list_overtaken_ids(session, but=resting(_JOB, clock.now()))

    def give_back(draft_id: int) -> bool:
        _give_back(sessions, draft_id, Objection(Reason.NEWER_MESSAGE), only_overtaken=True)
        return True

    return try_each(sessions, _JOB, overtaken, give_back)


def _release(config: Config, sessions: Sessions, draft_id: int) -> bool:
    """Whether it left. What can't be made into a mail goes back to its author instead of being tried for ever."""
    try:
        if _may_have_left(sessions, draft_id):
            _give_back(sessions, draft_id, Objection(Reason.RESTORED))
            return False
        faces = _faces(config, sessions, draft_id)
        with sessions() as session:
            message = releasing.release_draft(session, draft_id, faces, desk.house_of(config), now=clock.now())
            session.commit()
            return message is not None
    except OperationalError:
        raise  # the database is busy or away: the next look tries again
    except Exception as error:
        log.exception("draft %d could not be made into a mail", draft_id)
        detail = (type(error).__doc__ or "") if isinstance(error, ConciergeError) else ""
        _give_back(sessions, draft_id, Objection(Reason.UNSENDABLE, detail))
        return False


def _may_have_left(sessions: Sessions, draft_id: int) -> bool:
    """Whether it was due in a copy of the house that was restored: its author decides."""
    with reading(sessions) as session:
        draft = session.get(Draft, draft_id)
        return draft is not None and draft.due_at is not None and outbox.asks(session, draft.due_at)


def _give_back(sessions: Sessions, draft_id: int, objection: Objection, *, only_overtaken: bool = False) -> None:
    with sessions() as session:
        draft = session.get(Draft, draft_id)
        if draft is None or not draft.is_leaving:
            return
        if draft.is_overtaken or not only_overtaken:
            releasing.return_draft(session, draft, [objection], now=clock.now())
            session.commit()


def _faces(config: Config, sessions: Sessions, draft_id: int) -> Faces:
    """The pictures its mail will show, in mail size, made before the transaction that needs them begins."""
    with reading(sessions) as session:
        draft = session.get(Draft, draft_id)
        wanted = queries.originals(session, draft) if draft else queries.Originals()
    return desk.faces_of(config, wanted)
