"""The staff as the rule about voices sees it."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from concierge.accounts.absences import Away
from concierge.accounts.models import Editor
from concierge.accounts.queries import list_absences, list_editors
from concierge.wishes.voices import Colleague


def colleague(editor: Editor, absences: Iterable[Away] = ()) -> Colleague:
    """An editor, with her hours and the days she is away, in her own zone."""
    hours = editor.working_hours or {}
    return Colleague(
        editor.id, editor.first_name, editor.language, editor.may_answer, editor.zone, hours, tuple(absences)
    )


def list_colleagues(session: Session, *, now: datetime) -> list[Colleague]:
    """Everybody on the staff; who is away when is read once for all of them."""
    absences = list_absences(session, now=now)
    return [colleague(each, absences.get(each.id, ())) for each in list_editors(session, signing=False)]
