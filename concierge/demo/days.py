"""Lets days pass in the demo: its clock is moved on for every process of the house, and set right again; demo only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flask import Blueprint, redirect, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from concierge import audit, clock
from concierge.accounts.models import Editor
from concierge.accounts.queries import current_editor
from concierge.clock import Lead
from concierge.demo.house import NotADemoHouse, is_furnished
from concierge.errors import BadInput, RuleBroken
from concierge.extensions import db, house_config
from concierge.web.rendering import render

bp = Blueprint("days", __name__, url_prefix="/post-office/days")

# Two hours by two, when the worker has done what fell due in those before; of a long time four at once.
_STEP, _LONG_STEP = timedelta(hours=2), timedelta(hours=4)
_LONG: Final = timedelta(days=14)
_FARTHEST: Final = timedelta(days=400)
# What the buttons say, and how many hours pass then.
SPANS: Final = (
    (1, _l("An hour")),
    (24, _l("A day")),
    (72, _l("3 days")),
    (168, _l("A week")),
)


class ClockFixed(RuleBroken):
    """Only the demo’s clock can be moved; this house goes by the real one."""


class DaysPassing(RuleBroken):
    """The days are still passing. A moment, please."""


class NotAhead(BadInput):
    """Choose a moment that is still to come, within a year."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """What the demo's calendar says: its time, the machine's, and until when the days are passing, if they are."""

    now: datetime
    today: datetime
    until: datetime | None = None

    @property
    def is_moved(self) -> bool:
        """Whether the demo is ahead of the world."""
        return self.now - self.today >= timedelta(minutes=1)

    @property
    def days(self) -> int:
        """By how many days, to the nearest."""
        return round((self.now - self.today) / timedelta(days=1))


@bp.record_once
def _prepare(state: BlueprintSetupState) -> None:
    state.app.jinja_env.globals.update(demo_calendar=read_calendar)


@bp.get("")
def show() -> ResponseReturnValue:
    """Which day it is here, and how to let more pass."""
    return render("demo/days.html", spans=SPANS)


@bp.get("/ribbon")
def ribbon() -> ResponseReturnValue:
    """The line above every page that says which day it is here; asked for again while the days pass."""
    return render("demo/ribbon.html")


@bp.post("/pass")
def let_pass() -> ResponseReturnValue:
    """Let so many hours pass, or all until a moment of the house's clock."""
    now = clock.now()
    pass_until(db.session, _until(now), by=current_editor(), now=now)
    db.session.commit()
    return redirect(url_for(".show"), 303)


@bp.post("/back")
def back() -> ResponseReturnValue:
    """Go by the world's clock again; what has happened meanwhile has happened."""
    set_right()
    return redirect(url_for(".show"), 303)


def read_calendar() -> Calendar:
    """Which day it is here."""
    today, lead = clock.machine_now(), clock.lead()
    until = None if lead.until is None else datetime.fromtimestamp(lead.until, today.tzinfo)
    return Calendar(today + timedelta(seconds=lead.ahead), today, until)


def pass_until(session: Session, until: datetime, *, by: Editor, now: datetime) -> Lead:
    """Let time pass until then in every process of this house, as fast as the worker keeps up.

    Raises ClockFixed outside a demo, NotADemoHouse in a house that was not furnished as one, DaysPassing, NotAhead.
    """
    if clock.followed() is None:
        raise ClockFixed
    if not is_furnished(session):
        raise NotADemoHouse
    calendar = read_calendar()
    if calendar.until is not None:
        raise DaysPassing
    if not now < until <= calendar.today + _FARTHEST:
        raise NotAhead
    audit.record(session, "demo.days_passed", by, by=by, now=now, until=until.isoformat())
    lead = Lead(
        (calendar.now - calendar.today).total_seconds(),
        until.timestamp(),
        (_STEP if until - now < _LONG else _LONG_STEP).total_seconds(),
    )
    clock.set_lead(lead)
    return lead


def set_right() -> None:
    """Go by the machine's clock again. Raises ClockFixed outside a demo."""
    if clock.followed() is None:
        raise ClockFixed
    clock.set_lead(Lead())


def _until(now: datetime) -> datetime:
    hours = request.form.get("hours", type=int)
    if hours is not None:
        return now + timedelta(hours=hours) if 0 < hours <= _FARTHEST / timedelta(hours=1) else now
    try:
        wall = datetime.fromisoformat(request.form.get("until", ""))
        return wall.replace(tzinfo=wall.tzinfo or house_config().policy.zone).astimezone(now.tzinfo)
    except (ValueError, OverflowError):
        raise NotAhead from None
