"""Reading staff and mailboxes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import cast

import sqlalchemy as sa
from flask_security import current_user
from sqlalchemy.orm import Session, lazyload

from concierge.accounts.absences import Away, away_on
from concierge.accounts.models import (
    Absence,
    Editor,
    EditorNotFound,
    Mailbox,
    MailboxNotFound,
    Role,
    SignInAttempt,
    may_answer,
)
from concierge.addresses import normalise, spellings


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
    return session.scalar(sa.select(Editor).where(Editor.email.in_(spellings(email))).order_by(Editor.id))


def find_password(session: Session, email: str) -> tuple[int, str | None, bool] | None:
    """The number, the password's hash and whether she may sign in, of the editor with `email`; no more is loaded."""
    columns = sa.select(Editor.id, Editor.password, Editor.active)
    row = session.execute(columns.where(sa.func.lower(Editor.email).in_(spellings(email))).order_by(Editor.id)).first()
    return None if row is None else (row.id, row.password, row.active)


def list_editors(session: Session, *, active_only: bool = False, signing: bool = True) -> list[Editor]:
    """Everybody on the staff by name; how they close a mail comes along unless nobody is `signing`."""
    statement = sa.select(Editor).order_by(Editor.name).options(*([] if signing else [lazyload(Editor.sign_offs)]))
    return list(session.scalars(statement.where(Editor.active) if active_only else statement))


def list_answering_editors(session: Session) -> list[Editor]:
    """Those who may answer customers, by name."""
    return [editor for editor in list_editors(session, active_only=True) if editor.may_answer]


def list_absences(session: Session, *, now: datetime) -> dict[int, tuple[Away, ...]]:
    """By editor, those that may not be over yet wherever she is, the first to come first: read once for all of them."""
    statement = sa.select(Absence).where(Absence.last_day >= (now - timedelta(days=1)).date())
    rows = session.scalars(statement.order_by(Absence.editor_id, Absence.first_day))
    return {
        editor_id: tuple(Away(each.first_day, each.last_day, each.stand_in_id, each.id) for each in theirs)
        for editor_id, theirs in groupby(rows, key=lambda each: each.editor_id)
    }


def list_away(session: Session, editors: Iterable[Editor], *, now: datetime) -> dict[int, Away]:
    """Who of these is away today by her own calendar, and until when."""
    absences = list_absences(session, now=now)
    found = {
        each.id: away_on(absences[each.id], now.astimezone(each.zone).date()) for each in editors if each.id in absences
    }
    return {number: away for number, away in found.items() if away is not None}


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
    meant = (Mailbox.address.in_(spellings(_without_detail(address))), Mailbox.active)
    return session.scalar(sa.select(Mailbox).where(*meant).order_by(Mailbox.id))


@dataclass(frozen=True, slots=True)
class House:
    """Whom mail may come to and who works here, as it was when it was read: for many mails, it is read once.

    `mailboxes` are the active ones by address; `staff` the addresses of all editors, `addresses` these and every
    mailbox's, compared as `normalise` makes them; `answering` the editors, by number, who may write to customers.
    """

    mailboxes: Mapping[str, Mailbox]
    staff: frozenset[str]
    addresses: frozenset[str]
    answering: frozenset[int]

    def find_mailboxes(self, addresses: Iterable[str]) -> list[Mailbox]:
        """The active mailboxes these recipients mean, each once, in the recipients' order."""
        found = (self.mailboxes.get(_without_detail(each)) for each in addresses)
        return list(dict.fromkeys(mailbox for mailbox in found if mailbox is not None))

    def owns(self, address: str) -> bool:
        """Whether it is a mailbox of the house, with or without +something."""
        return _without_detail(address) in self.mailboxes

    def is_ours(self, address: str) -> bool:
        """Whether it is a mailbox of the house or an editor's own."""
        return self.owns(address) or normalise(address) in self.staff


def read_house(session: Session) -> House:
    """The house as it is now."""
    mailboxes = list_mailboxes(session)
    editors = session.execute(sa.select(Editor.id, Editor.email, Editor.role, Editor.active)).all()
    staff = frozenset(normalise(each.email) for each in editors)
    return House(
        mailboxes={normalise(each.address): each for each in mailboxes if each.active},
        staff=staff,
        addresses=staff | {normalise(each.address) for each in mailboxes},
        answering=frozenset(each.id for each in editors if may_answer(each.role, active=each.active)),
    )


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
