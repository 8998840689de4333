"""What was done to a conversation, in words: the audit log told as people would tell it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import format_datetime
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.queries import list_editors
from concierge.audit import AuditEntry
from concierge.conversations import queries
from concierge.conversations.models import Conversation
from concierge.mailing.reasons import retold

_SHORT = "d MMM, HH:mm"
_SOON = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing done: when, in which words, under which icon."""

    at: datetime
    words: str
    icon: str
    # the conversation it speaks of, and the number under which it can be undone
    other: int | None = None
    undo: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """An entry with what its sentence needs."""

    at: datetime
    who: str
    details: Mapping[str, Any]
    is_own: bool
    is_by_hand: bool


def list_events(session: Session, conversation: Conversation) -> list[Event]:
    """Its history, oldest first, without what is shown anyway: the mails and the notes.

    What was done in conversations that were merged into it belongs to it, too.
    """
    names = {editor.id: editor.name for editor in list_editors(session)}
    entries = audit.list_for(session, conversation)
    for number in queries.list_merged(session, conversation):
        there = audit.list_for(session, session.get_one(Conversation, number))
        entries += [each for each in there if each.verb not in _OF_THE_EMPTIED]
    rearranged = [each.details["rearrangement"] for each in entries if "rearrangement" in each.details]
    standing = queries.list_undoable(session, rearranged)
    events = []
    for entry in entries:
        if entry.verb in TELLING:
            icon, tell = TELLING[entry.verb]
            if words := tell(_told(entry, names)):
                done = entry.details.get("rearrangement")
                undo = done if done in standing else None
                events.append(Event(entry.at, words, icon, entry.details.get("other"), undo))
    return events


# What only the page of a conversation that stands by itself tells.
_OF_THE_EMPTIED = {"conversation.merged_into", "conversation.split_off", "conversation.rearrangement_undone"}


def _told(entry: AuditEntry, names: Mapping[int, str]) -> Told:
    who = names.get(entry.editor_id or 0) or str(_("The house"))
    is_own = entry.editor_id is not None and entry.details.get("to") == entry.editor_id
    return Told(entry.at, who, entry.details, is_own, is_by_hand=entry.editor_id is not None)


def _assigned(told: Told) -> str:
    if told.is_own:
        return str(_("%(who)s took this", who=told.who))
    return str(_("%(who)s gave this to %(name)s", who=told.who, name=told.details.get("name", "")))


def _snoozed(told: Told) -> str:
    until = moment_of(told.details.get("until"))
    if until is None:
        return str(_("%(who)s put this aside", who=told.who))
    return str(_("%(who)s put this aside until %(moment)s", who=told.who, moment=format_datetime(until, _SHORT)))


def _scheduled(told: Told) -> str:
    due_at = moment_of(told.details.get("due_at"))
    if due_at is None or due_at - told.at < _SOON:  # the seconds in which she may call it back are no news
        return ""
    return str(_("%(who)s’s answer leaves on %(moment)s", who=told.who, moment=format_datetime(due_at, _SHORT)))


def moment_of(text: object) -> datetime | None:
    """The instant an entry's details tell; None when they tell none."""
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _woken(told: Told) -> str:
    return str(
        _("%(who)s took this up again", who=told.who) if told.is_by_hand else _("Its time had come: back in the list")
    )


def _returned(told: Told) -> str:
    reason = retold(str(told.details.get("reason", "")))
    return str(_("The answer did not arrive: %(reason)s", reason=reason) if reason else _("The answer did not arrive"))


def _judged(told: Told) -> str:
    said = {
        "take": _("%(who)s noted that she takes it", who=told.who),
        "pass": _("%(who)s noted that she passes", who=told.who),
        "put-off": _("%(who)s noted “not now”", who=told.who),
    }.get(str(told.details.get("verdict")), "")
    return f"{said}: {told.details.get('piece', '')}" if said else ""


def _merged(told: Told) -> str:
    return str(_("%(who)s brought “%(subject)s” in here", who=told.who, subject=_subject(told)))


def _merged_into(told: Told) -> str:
    return str(_("%(who)s brought this into “%(subject)s”", who=told.who, subject=_subject(told)))


def _split(told: Told) -> str:
    return str(_("%(who)s began “%(subject)s” with the mails from here on", who=told.who, subject=_subject(told)))


def _split_off(told: Told) -> str:
    return str(_("%(who)s began this with mails from “%(subject)s”", who=told.who, subject=_subject(told)))


def _mail_moved(told: Told) -> str:
    return str(_("%(who)s moved a mail to “%(subject)s”", who=told.who, subject=_subject(told)))


def _mail_taken(told: Told) -> str:
    return str(_("%(who)s moved a mail here from “%(subject)s”", who=told.who, subject=_subject(told)))


def _undone(told: Told) -> str:
    said = {
        "merge": _("%(who)s parted what had been brought together", who=told.who),
        "split": _("%(who)s brought together what had been parted", who=told.who),
    }.get(str(told.details.get("way")), _("%(who)s moved the mail back", who=told.who))
    return str(said)


def _subject(told: Told) -> str:
    return str(told.details.get("about") or _("Without a subject"))


# How each verb is told, under which icon; parts above this one add theirs.
TELLING: dict[str, tuple[str, Callable[[Told], str]]] = {
    "conversation.assigned": ("user-plus", _assigned),
    "conversation.unassigned": ("user-minus", lambda told: str(_("%(who)s gave this back to everybody", who=told.who))),
    "conversation.closed": ("check", lambda told: str(_("%(who)s closed this", who=told.who))),
    "conversation.reopened": ("undo-2", lambda told: str(_("%(who)s opened this again", who=told.who))),
    "conversation.snoozed": ("alarm-clock", _snoozed),
    "conversation.woken": ("alarm-clock", _woken),
    "conversation.marked_not_for_us": ("ban", lambda told: str(_("%(who)s found this is not for us", who=told.who))),
    "conversation.unmarked_not_for_us": ("undo-2", lambda told: str(_("%(who)s found this is for us", who=told.who))),
    "conversation.tagged": (
        "tag", lambda told: str(_("%(who)s added the tag “%(tag)s”", who=told.who, tag=told.details.get("tag", "")))
    ),
    "conversation.untagged": (
        "tag", lambda told: str(_("%(who)s took off the tag “%(tag)s”", who=told.who, tag=told.details.get("tag", "")))
    ),
    "conversation.answered_elsewhere": (
        "reply",
        lambda told: str(_("%(who)s answers at %(address)s", who=told.who, address=told.details.get("address", ""))),
    ),
    "conversation.answered_sender": (
        "reply", lambda told: str(_("%(who)s answers the customer’s own address again", who=told.who))
    ),
    "conversation.wished": (
        "heart", lambda told: str(_("%(who)s noted a wish: %(what)s", who=told.who, what=told.details.get("what", "")))
    ),
    "conversation.merged": ("copy", _merged),
    "conversation.merged_into": ("copy", _merged_into),
    "conversation.split": ("arrow-right", _split),
    "conversation.split_off": ("arrow-right", _split_off),
    "conversation.mail_moved": ("arrow-right", _mail_moved),
    "conversation.mail_taken": ("arrow-right", _mail_taken),
    "conversation.rearrangement_undone": ("undo-2", _undone),
    "conversation.hint_dismissed": (
        "circle-help", lambda told: str(_("%(who)s found that this does not belong elsewhere", who=told.who))
    ),
    "answer.scheduled": ("calendar-clock", _scheduled),
    "answer.cancelled": ("undo-2", lambda told: str(_("%(who)s took the answer back", who=told.who))),
    "answer.returned": ("circle-alert", lambda _told: str(_("The answer was not sent; it is back with its writer"))),
    "conversation.returned": ("circle-alert", _returned),
    "conversation.reply_judged": ("check", _judged),
}  # fmt: skip
