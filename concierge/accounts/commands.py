"""Changing staff and mailboxes, and remembering failed sign-ins."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts import queries
from concierge.accounts.models import AddressTaken, Editor, LastAdmin, Mailbox, Role, SignInAttempt, SignOff
from concierge.addresses import spellings, tidy


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
