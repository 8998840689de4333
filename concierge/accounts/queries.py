"""Reading staff and mailboxes."""

from collections.abc import Iterable
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from flask_security import current_user
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor, EditorNotFound, Mailbox, MailboxNotFound, Role, SignInAttempt
from concierge.addresses import normalise


def current_editor() -> Editor:
    """The editor who is signed in; only for views, where somebody is."""
    return cast(Editor, current_user._get_current_object())


def get_editor(session: Session, editor_id: int) -> Editor:
    """The editor with this number; raises EditorNotFound."""
    if (editor := session.get(Editor, editor_id)) is None:
        raise EditorNotFound
    return editor


def find_editor_by_email(session: Session, email: str) -> Editor | None:
    """The editor who signs in with `email`."""
    return session.scalar(sa.select(Editor).where(Editor.email == normalise(email)))


def find_password(session: Session, email: str) -> tuple[int, str | None, bool] | None:
    """The number, the password's hash and whether she may sign in, of the editor with `email`; no more is loaded."""
    columns = sa.select(Editor.id, Editor.password, Editor.active)
    row = session.execute(columns.where(sa.func.lower(Editor.email) == normalise(email))).one_or_none()
    return None if row is None else (row.id, row.password, row.active)


def list_editors(session: Session, *, active_only: bool = False) -> list[Editor]:
    """Everybody on the staff by name."""
    statement = sa.select(Editor).order_by(Editor.name)
    return list(session.scalars(statement.where(Editor.active) if active_only else statement))


def list_answering_editors(session: Session) -> list[Editor]:
    """Those who may answer customers, by name."""
    return [editor for editor in list_editors(session, active_only=True) if editor.may_answer]


def count_active_admins(session: Session) -> int:
    """How many admins can sign in."""
    statement = sa.select(sa.func.count()).where(Editor.role == Role.ADMIN, Editor.active)
    return session.scalar(statement) or 0


def get_mailbox(session: Session, mailbox_id: int) -> Mailbox:
    """The mailbox with this number; raises MailboxNotFound."""
    if (mailbox := session.get(Mailbox, mailbox_id)) is None:
        raise MailboxNotFound
    return mailbox


def list_mailboxes(session: Session, *, active_only: bool = False) -> list[Mailbox]:
    """The house's mailboxes in the order they were opened."""
    statement = sa.select(Mailbox).order_by(Mailbox.id)
    return list(session.scalars(statement.where(Mailbox.active) if active_only else statement))


def find_mailbox(session: Session, address: str) -> Mailbox | None:
    """The active mailbox an envelope recipient means, whether or not it carries +something (RFC 5233)."""
    return session.scalar(sa.select(Mailbox).where(Mailbox.address == _without_detail(address), Mailbox.active))


def find_mailboxes(session: Session, addresses: Iterable[str]) -> list[Mailbox]:
    """The active mailboxes these recipients mean, each once, in the recipients' order."""
    ours = {mailbox.address: mailbox for mailbox in list_mailboxes(session, active_only=True)}
    found = (ours.get(_without_detail(each)) for each in addresses)
    return list(dict.fromkeys(mailbox for mailbox in found if mailbox is not None))


def find_house_name(session: Session) -> str:
    """The name over every page: that of the mailbox opened first, else ours."""
    return session.scalar(sa.select(Mailbox.brand).order_by(Mailbox.id).limit(1)) or "Concierge"


def count_failed_sign_ins(session: Session, who: str, *, since: datetime) -> int:
    """How often this caller failed since then."""
    statement = sa.select(sa.func.count()).where(SignInAttempt.who == who, SignInAttempt.at >= since)
    return session.scalar(statement) or 0


def _without_detail(address: str) -> str:
    local, _, domain = normalise(address).rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
