"""How plans are told: what begins them, what stops them besides, their windows and waits."""

from babel.dates import get_day_names
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from concierge.customers.courtesy import Late
from concierge.customers.words import date_words
from concierge.followups.plan_models import Plan, PlanStep
from concierge.followups.plans import Start, StopsAlso, meets, window_of
from concierge.followups.schedule import Window


def start_words(start: Start) -> str:
    """What begins a plan, in a few words."""
    words = {
        Start.HAND: _("Only when an editor begins it"),
        Start.SILENT: _("Answered, and nothing from her for some days"),
        Start.DELIVERED: _("Her order is delivered"),
        Start.PASSED: _("She passes on an offer"),
        Start.LAPSED: _("She says nothing to an offer"),
        Start.EXPIRED: _("Her wish expires"),
        Start.DATE: _("A date in her profile is near"),
        Start.CLOSED: _("Her conversation is closed"),
    }
    return str(words[start])


def begins_words(plan: Plan) -> str:
    """What begins this plan, in a sentence with its own numbers."""
    if plan.start is Start.SILENT:
        said = ngettext("%(num)d day of silence after an answer", "%(num)d days of silence after an answer", plan.days)
        if plan.template is not None:
            return str(_("%(silence)s made from “%(template)s”", silence=said, template=plan.template.name))
        return str(said)
    if plan.start is Start.DATE:
        kind = date_words(plan.date_kind)
        if not plan.days:
            return str(_("On the day: %(date)s", date=kind))
        return str(ngettext("%(num)d day before: %(date)s", "%(num)d days before: %(date)s", plan.days, date=kind))
    return start_words(plan.start)


def stops_words(also: StopsAlso) -> str:
    """What stops a plan besides, as a box to tick."""
    words = {
        StopsAlso.CLOSED: _("The conversation is closed"),
        StopsAlso.WISH: _("She waits for a piece"),
        StopsAlso.OFFER: _("A piece is put aside for her"),
        StopsAlso.PROMISE: _("Something is promised to her in the conversation"),
    }
    return str(words[also])


def late_words(late: Late) -> str:
    """What becomes of a step that is late."""
    words = {
        Late.ASKED: _("Ask its editor"),
        Late.SKIPPED: _("Leave it out"),
        Late.SENT: _("Send it all the same"),
    }
    return str(words[late])


def wait_words(step: PlanStep, *, is_first: bool) -> str:
    """How long before a step: after the fact, or after the mail before it."""
    if not step.wait_days:
        return str(_("at once") if is_first else _("at the next hour that suits"))
    return str(ngettext("%(num)d day later", "%(num)d days later", step.wait_days))


def window_words(step: PlanStep, house: Window) -> str:
    """When it really reaches her, and what the house's hours leave of its own: "between 9 and 20 by her clock, Mon"."""
    real, own = window_of(step.window, house), f"{step.from_hour}–{step.until_hour}"
    said = _("between %(first)s and %(last)s by her clock", first=real.from_hour, last=real.until_hour)
    if len(step.weekdays) < 7:
        said = f"{said}, {' '.join(day_names()[int(each)] for each in step.weekdays)}"
    if not meets(step.window, house):
        return str(_("%(hours)s (%(own)s, as written, never meets the house’s hours)", hours=said, own=own))
    if (real.from_hour, real.until_hour) != (step.from_hour, step.until_hour):
        return str(_("%(hours)s (%(own)s as written, cut to the house’s hours)", hours=said, own=own))
    return str(said)


def day_names() -> list[str]:
    """The days of the week, short, Monday first."""
    names = get_day_names("abbreviated", locale=get_locale())
    return [str(names[each]) for each in range(7)]
