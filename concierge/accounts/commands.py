"""Changing staff and mailboxes, and remembering failed sign-ins."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts import queries
from concierge.accounts.absences import overlaps
from concierge.accounts.models import (
    Absence,
    AbsenceNotFound,
    AddressTaken,
    DaysBackwards,
    DaysOver,
    DaysTaken,
    DaysTooMany,
    Editor,
    LastAdmin,
    Mailbox,
    NoStandIn,
    Role,
    SignInAttempt,
    SignOff,
)
from concierge.addresses import spellings, tidy

_LONGEST = timedelta(days=366)


def add_editor(
    session: Session,
    *,
    email: str,
    name: str,
    title: str,
    role: Role,
    password_hash: str | None,
    by: Editor | None,
    now: datetime,
    language: str = "en",
) -> Editor:
    """A new colleague; without a password she asks for a reset link to choose one. Raises AddressTaken."""
    if queries.find_editor_by_email(session, email):
        raise AddressTaken
    editor = Editor(
        email=tidy(email),
        name=name.strip(),
        title=title.strip(),
        role=role,
        password=password_hash,
        language=language,
        working_hours={str(day): [["09:00", "18:00"]] for day in range(5)},
        fs_uniquifier=uuid4().hex,
        active=True,
        created_at=now,
    )
    session.add(editor)
    audit.record(session, "editor.added", editor, by=by, now=now)
    return editor


def change_editor(session: Session, editor: Editor, *, by: Editor, now: datetime, **changes: Any) -> None:
    """Change name, title, language, time zone, working hours or role; raises LastAdmin when nobody would rule."""
    if "role" in changes and editor.role is Role.ADMIN and changes["role"] is not Role.ADMIN:
        _keep_an_admin(session, editor)
    for field, value in changes.items():
        setattr(editor, field, value)
    audit.record(session, "editor.changed", editor, by=by, now=now, fields=sorted(changes))


def set_sign_offs(session: Session, editor: Editor, texts: dict[str, str], *, by: Editor | None, now: datetime) -> None:
    """Set how she closes a mail in each language; an empty text removes that language's."""
    kept = {each.language: each for each in editor.sign_offs}
    for language, text in texts.items():
        if not text.strip():
            if language in kept:
                editor.sign_offs.remove(kept[language])
        elif language in kept:
            kept[language].text = text.strip()
        else:
            editor.sign_offs.append(SignOff(language=language, text=text.strip()))
    audit.record(session, "editor.sign_offs_set", editor, by=by, now=now)


def enter_absence(
    session: Session,
    editor: Editor,
    *,
    first_day: date,
    last_day: date,
    stand_in: Editor | None = None,
    by: Editor,
    now: datetime,
) -> Absence:
    """She is away from one day of her calendar to another, both among them; `stand_in` writes for her meanwhile.

    Raises DaysBackwards, DaysOver, DaysTooMany, NoStandIn, or DaysTaken where she is away already.
    """
    if last_day < first_day:
        raise DaysBackwards
    if last_day < now.astimezone(editor.zone).date():
        raise DaysOver
    if last_day - first_day > _LONGEST:
        raise DaysTooMany
    if stand_in is not None and (stand_in is editor or not stand_in.may_answer):
        raise NoStandIn
    session.execute(sa.select(Editor.id).where(Editor.id == editor.id).with_for_update())  # who enters them twice waits
    if overlaps(queries.list_absences(session, now=now).get(editor.id, ()), first_day, last_day):
        raise DaysTaken
    absence = Absence(editor_id=editor.id, first_day=first_day, last_day=last_day, created_at=now)
    absence.stand_in_id = stand_in.id if stand_in else None
    session.add(absence)
    audit.record(session, "editor.absence_entered", editor, by=by, now=now, **_days(absence))
    return absence


def take_back_absence(session: Session, editor: Editor, absence_id: int, *, by: Editor, now: datetime) -> None:
    """She is there on these days after all, or is back early; raises AbsenceNotFound."""
    absence = session.get(Absence, absence_id, with_for_update=True)
    if absence is None or absence.editor_id != editor.id:
        raise AbsenceNotFound
    audit.record(session, "editor.absence_taken_back", editor, by=by, now=now, **_days(absence))
    session.delete(absence)


def _days(absence: Absence) -> dict[str, Any]:
    first_day, last_day = absence.first_day.isoformat(), absence.last_day.isoformat()
    return {"first_day": first_day, "last_day": last_day, "stand_in": absence.stand_in_id}


def set_password(session: Session, editor: Editor, password_hash: str, *, by: Editor | None, now: datetime) -> None:
    """Set a new password; every session she has open ends."""
    editor.password = password_hash
    editor.fs_uniquifier = uuid4().hex
    audit.record(session, "editor.password_set", editor, by=by, now=now)


def deactivate_editor(session: Session, editor: Editor, *, by: Editor, now: datetime) -> None:
    """She can't sign in any more and her sessions end; raises LastAdmin."""
    if editor.role is Role.ADMIN:
        _keep_an_admin(session, editor)
    editor.active = False
    editor.fs_uniquifier = uuid4().hex
    audit.record(session, "editor.deactivated", editor, by=by, now=now)


def activate_editor(session: Session, editor: Editor, *, by: Editor, now: datetime) -> None:
    """She can sign in again."""
    editor.active = True
    audit.record(session, "editor.activated", editor, by=by, now=now)


def add_mailbox(
    session: Session, *, address: str, brand: str, language: str, by: Editor | None, now: datetime
) -> Mailbox:
    """Open an address that customers can write to; raises AddressTaken."""
    if session.scalar(sa.select(Mailbox.id).where(Mailbox.address.in_(spellings(address)))):
        raise AddressTaken
    mailbox = Mailbox(address=tidy(address), brand=brand.strip(), language=language, active=True, created_at=now)
    session.add(mailbox)
    audit.record(session, "mailbox.added", mailbox, by=by, now=now)
    return mailbox


def change_mailbox(session: Session, mailbox: Mailbox, *, by: Editor, now: datetime, **changes: Any) -> None:
    """Change its brand, its default language, or whether it is open."""
    for field, value in changes.items():
        setattr(mailbox, field, value)
    audit.record(session, "mailbox.changed", mailbox, by=by, now=now, fields=sorted(changes))


def remember_failed_sign_in(session: Session, keys: list[str], *, now: datetime) -> None:
    """Note a failure under each key, and forget those of more than an hour ago."""
    session.add_all([SignInAttempt(who=key, at=now) for key in keys])
    session.execute(sa.delete(SignInAttempt).where(SignInAttempt.at < now - timedelta(hours=1)))


def forget_failed_sign_ins(session: Session, key: str) -> None:
    """A success wipes the slate of this caller."""
    session.execute(sa.delete(SignInAttempt).where(SignInAttempt.who == key))


def _keep_an_admin(session: Session, editor: Editor) -> None:
    if editor.active and queries.count_active_admins(session) <= 1:
        raise LastAdmin
