"""How follow-ups are told: why one did not leave, why one asks, what was done; and the words proposed for a new one."""

from datetime import date, datetime, time

from flask_babel import format_date, format_datetime, ngettext
from flask_babel import gettext as _

from concierge.conversations.history import TELLING, Told, moment_of
from concierge.followups.conditions import Asking, Because, Moved
from concierge.followups.models import NothingOnItsWay
from concierge.mailing.letters import phrases

_SHORT = "d MMM, HH:mm"


def because_words(because: Because) -> str:
    """Why a follow-up did not leave, in a sentence."""
    words = {
        Because.BY_EDITOR: _("It was taken back."),
        Because.SHE_WROTE: _("She has written since."),
        Because.SHE_WAITS: _("She waits for an answer; this is none."),
        Because.SHE_BOUGHT: _("She has bought since."),
        Because.SHE_RETURNED: _("She has sent something back since."),
        Because.COLLEAGUE_WROTE: _("A colleague has written to her since."),
        Because.NOT_FOR_US: _("The conversation is not for us."),
        Because.NO_ADDRESS: _("We have no address to write to."),
        Because.SUPPRESSED: _("Her address is not to be mailed."),
        Because.EDITOR_GONE: _("Its editor no longer writes to customers."),
        Because.MAILBOX_CLOSED: _("Its mailbox is no longer in use."),
        Because.HOLE: _("There is a hole in its text."),
        Because.UNSENDABLE: _("It could not be made into a mail."),
        Because.TOO_LATE: _("It came too late."),
        Because.DECLINED: _("She wants only letters that somebody wrote to her."),
        Because.NO_CONSENT: _("She has not agreed to such letters."),
        Because.PLAN_OFF: _("Its plan is switched off, or no longer has this step."),
        Because.OVERLAPS: _("She was in this plan already."),
        Because.CLOSED: _("The conversation was closed."),
        Because.WISHES: _("She waits for a piece."),
        Because.OFFERED: _("A piece is put aside for her."),
        Because.PROMISED: _("Something is promised to her here."),
    }
    return str(words[because])


def counted_words(because: Because) -> str:
    """Why follow-ups did not leave, in a word or two that stand behind a number: "4 she wrote"."""
    words = {
        Because.BY_EDITOR: _("taken back"),
        Because.SHE_WROTE: _("she wrote"),
        Because.SHE_WAITS: _("she waits for an answer"),
        Because.SHE_BOUGHT: _("she bought"),
        Because.SHE_RETURNED: _("she sent something back"),
        Because.COLLEAGUE_WROTE: _("a colleague wrote"),
        Because.NOT_FOR_US: _("not for us"),
        Because.NO_ADDRESS: _("no address"),
        Because.SUPPRESSED: _("address not to be mailed"),
        Because.EDITOR_GONE: _("editor gone"),
        Because.MAILBOX_CLOSED: _("mailbox closed"),
        Because.HOLE: _("hole in the text"),
        Because.UNSENDABLE: _("could not be made"),
        Because.TOO_LATE: _("too late"),
        Because.DECLINED: _("she wants none"),
        Because.NO_CONSENT: _("not agreed"),
        Because.PLAN_OFF: _("plan off, or step taken out"),
        Because.OVERLAPS: _("in the plan already"),
        Because.CLOSED: _("conversation closed"),
        Because.WISHES: _("she waits for a piece"),
        Because.OFFERED: _("a piece is put aside"),
        Because.PROMISED: _("something is promised"),
    }
    return str(words[because])


def asking_words(asking: Asking) -> str:
    """Why an editor is asked, in a sentence."""
    words = {
        Asking.PLANNED_SO: _("It is due, and waits for your yes."),
        Asking.LATE: _("It is late. May it still go?"),
    }
    return str(words[asking])


def moved_words(moved: Moved) -> str:
    """Why a follow-up does not leave at the moment that was meant, in a sentence."""
    words = {
        Moved.HOLIDAY: _("Put off: the day meant is a holiday where she lives."),
        Moved.CLOSED: _("Put off: the house is closed on the day meant."),
        Moved.HOURS: _("Put off: the moment meant is outside her hours."),
        Moved.WEEKDAY: _("Put off: its plan does not write on the day of the week meant."),
        Moved.COURTESY: _("Put off: she was written to lately, and has her rest first."),
    }
    return str(words[moved])


def day_words(day: date) -> str:
    """A day as a promise says it: "Friday 15 May"."""
    return str(format_date(day, "EEEE d MMMM"))


def weekday_name(day: date) -> str:
    """The head of a column: "Fri"."""
    return str(format_date(day, "ccc"))


def local_hour(moment: datetime) -> str:
    """The hour by the reader's own clock: "16:00"."""
    return str(format_datetime(moment, "HH:mm"))


def proposed_moment() -> str:
    """When, if nothing else is said; `moments.read_phrase` reads it in every language of the staff."""
    return str(_("in 3 days if she hasn’t answered"))


def suggested_moments() -> list[str]:
    """Other moments often chosen."""
    return [
        str(each) for each in (
            _("tomorrow at 10"), _("Friday at 10"), _("in a week"), _("in 2 weeks"), _("in a month"),
            _("2 weeks after it is delivered"),
        )
    ]  # fmt: skip


def awaiting_words(days: int, at: time) -> str:
    """When one leaves whose reader still waits for her order: "14 days after her order is delivered, at 10:00"."""
    return str(_("%(after)s, at %(hour)s", after=_after_delivery(days), hour=f"{at:%H:%M}"))


def awaiting_typed(days: int, at: time) -> str:
    """The same as somebody would type it; `moments.read_phrase` reads it in every language of the staff."""
    after = ngettext("%(num)s day after it is delivered", "%(num)s days after it is delivered", days)
    return str(_("%(after)s at %(hour)s", after=after, hour=f"{at:%H:%M}"))


def nothing_on_its_way() -> str:
    """What a moment after a delivery means where none is to come."""
    return NothingOnItsWay().sentence()


def gone_by() -> str:
    """What is said of a moment that is over."""
    return str(_("That has gone by already."))


def proposed_words(language: str, first_name: str) -> str:
    """What a follow-up says if its editor says nothing else, in the customer's language."""
    _ = phrases(language)
    greeting = _("Dear %(customer)s,", customer=first_name) if first_name else _("Good day,")
    text = _("I only wanted to make sure that my last mail reached you. Is there anything else I can look for?")
    return f"{greeting}\n\n{text}"


def _scheduled(told: Told) -> str:
    if days := _days_after(told):
        return str(_("%(who)s planned a follow-up: %(moment)s", who=told.who, moment=days))
    due_at = moment_of(told.details.get("due_at"))
    moment = format_datetime(due_at, _SHORT) if due_at else ""
    return str(_("%(who)s planned a follow-up for %(moment)s", who=told.who, moment=moment))


def _changed(told: Told) -> str:
    if days := _days_after(told):
        return str(_("%(who)s changed the follow-up; it leaves %(moment)s", who=told.who, moment=days))
    due_at = moment_of(told.details.get("due_at"))
    moment = format_datetime(due_at, _SHORT) if due_at else ""
    return str(_("%(who)s changed the follow-up; it leaves on %(moment)s", who=told.who, moment=moment))


def _days_after(told: Told) -> str:
    """So many days after her order is delivered; empty for one with a date."""
    days = told.details.get("days_after_delivery")
    return _after_delivery(days) if isinstance(days, int) else ""


def _after_delivery(days: int) -> str:
    return str(ngettext("%(num)s day after her order is delivered", "%(num)s days after her order is delivered", days))


def _withheld(told: Told) -> str:
    because = str(told.details.get("because", ""))
    reason = because_words(Because(because)) if because in set(Because) else ""
    return str(_("The follow-up was not sent: %(reason)s", reason=reason))


def _plan_begun(told: Told) -> str:
    plan = str(told.details.get("plan", ""))
    if told.is_by_hand:
        return str(_("%(who)s began the plan “%(plan)s”", who=told.who, plan=plan))
    return str(_("The plan “%(plan)s” begins", plan=plan))


def _plan_ended(told: Told) -> str:
    plan, because = str(told.details.get("plan", "")), str(told.details.get("because", ""))
    if because not in set(Because):
        return str(_("The plan “%(plan)s” has said all", plan=plan))
    return str(_("The plan “%(plan)s” ends: %(reason)s", plan=plan, reason=because_words(Because(because))))


def _plan_not_begun(told: Told) -> str:
    plan, because = str(told.details.get("plan", "")), str(told.details.get("because", ""))
    reason = because_words(Because(because)) if because in set(Because) else ""
    return str(_("The plan “%(plan)s” did not begin: %(reason)s", plan=plan, reason=reason))


def _promised(told: Told) -> str:
    day = moment_of(told.details.get("due_on"))
    return str(_("%(who)s marked a promise for %(day)s", who=told.who, day=format_date(day, "d MMM") if day else ""))


def tell() -> None:
    """Let the history of conversations tell of follow-ups and promises too."""
    TELLING.update(
        {
            "follow_up.scheduled": ("calendar-clock", _scheduled),
            "follow_up.changed": ("calendar-clock", _changed),
            "follow_up.cancelled": ("undo-2", lambda told: str(_("%(who)s took the follow-up back", who=told.who))),
            "follow_up.approved": ("check", lambda told: str(_("%(who)s said yes to the follow-up", who=told.who))),
            "follow_up.asked": ("circle-help", lambda _told: str(_("The follow-up is due, and waits for a yes"))),
            "follow_up.withheld": ("circle-alert", _withheld),
            "plan.begun": ("calendar-clock", _plan_begun),
            "plan.not_begun": ("circle-alert", _plan_not_begun),
            "plan.ended": ("check-check", _plan_ended),
            "promise.marked": ("check", _promised),
            "promise.kept": ("check-check", lambda told: str(_("%(who)s kept the promise", who=told.who))),
            "promise.released": ("undo-2", lambda told: str(_("%(who)s let the promise go", who=told.who))),
        }
    )
