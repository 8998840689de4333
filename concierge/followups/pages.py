"""The editor's desk: what asks for her today, what will leave by itself, what did not leave and why."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, cast
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.accounts.queries import current_editor, list_answering_editors, list_away
from concierge.config import Config, Policy
from concierge.extensions import db
from concierge.followups import covering, promising, queries, showing, words
from concierge.followups.calendar import View, open_sheet, read_day, sort_by_day
from concierge.followups.conditions import Because
from concierge.followups.models import FollowUp
from concierge.followups.queries import UnsentFilter
from concierge.followups.schedule import wall_of
from concierge.web.paging import Place, read_place
from concierge.web.rendering import render

bp = Blueprint("followup_pages", __name__)
# Where a verb leads back to.
PLACES: Final = {"today": "followup_pages.today", "coming": "followup_pages.coming"}
_PAGE: Final = 50
# Entries of a calendar, and of one of its days in a month.
_MOST: Final = 400
_IN_A_CELL: Final = 4
_LATELY: Final = timedelta(days=7)
_COUNTED: Final = timedelta(days=90)


def policy() -> Policy:
    """The house's numbers."""
    return cast(Config, current_app.extensions["concierge"]).policy


@bp.get("/today")
def today() -> ResponseReturnValue:
    """What asks for this editor today: a yes, her promises, whom she writes for, what leaves, what did not leave."""
    me, now = current_editor(), clock.now()
    zone = ZoneInfo(me.timezone)
    asking = queries.list_asking(db.session, editor_id=me.id)
    leaving = queries.list_coming(db.session, editor_id=me.id, until=_midnight(now, zone))
    unsent = queries.list_unsent_lately(db.session, editor_id=me.id, since=now - _LATELY)
    failed = queries.list_failed(db.session, editor_id=me.id)
    return render(
        "followups/today.html",
        block="today",
        asking=_shown(asking),
        leaving=_shown(leaving),
        unsent=_shown(unsent),
        failed=failed,
        is_away=me.id in list_away(db.session, [me], now=now),
        covered=[(each, _shown(each.asking)) for each in covering.list_covered(db.session, me, now=now)],
        promised=promising.list_due(db.session, me, now=now),
        tally=promising.tally(db.session, me, since=promising.today_of(me, now) - _COUNTED, now=now),
        today=promising.today_of(me, now),
    )


@bp.get("/followups")
def coming() -> ResponseReturnValue:
    """What will leave by itself, day by day; `?whose=mine` shows one's own, `?editor=` another's."""
    me = current_editor()
    editor_id = me.id if request.args.get("whose") == "mine" else request.args.get("editor", type=int)
    found = queries.list_coming(db.session, editor_id=editor_id, limit=200)
    days = showing.by_day(_shown(found, looking_ahead=False), ZoneInfo(me.timezone))
    editors = list_answering_editors(db.session)
    awaiting = _shown(queries.list_awaiting(db.session, editor_id=editor_id), looking_ahead=False)
    return render("followups/coming.html", days=days, awaiting=awaiting, editor_id=editor_id, editors=editors)


@bp.get("/followups/calendar")
def calendar() -> ResponseReturnValue:
    """What will leave, by month or week, in the reader's days; `?editor=` one editor's, `?on=` around another day."""
    me, now = current_editor(), clock.now()
    zone, editor_id = ZoneInfo(me.timezone), request.args.get("editor", type=int)
    today = now.astimezone(zone).date()
    chosen = request.args.get("view", "")
    view = View(chosen) if chosen in set(View) else View.MONTH
    day = read_day(request.args.get("on", ""), today)
    sheet = open_sheet(view, day, today=today, zone=zone)
    found = queries.list_between(db.session, sheet.starts, sheet.ends, editor_id=editor_id, limit=_MOST + 1)
    shown = _shown(found[:_MOST], looking_ahead=False)
    return render(
        "followups/calendar.html",
        sheet=sheet,
        sheet_day=day,
        title=showing.sheet_words(sheet, day),
        days=sort_by_day(shown, [each.follow_up.due_at for each in shown], zone),
        most=_IN_A_CELL if view is View.MONTH else _MOST,
        is_cut=len(found) > _MOST,
        editor_id=editor_id,
        editors=list_answering_editors(db.session),
    )


@bp.get("/followups/unsent")
def unsent() -> ResponseReturnValue:
    """What did not leave and why, the latest first: for one reason, of one editor."""
    because = request.args.get("because", "")
    editor_id = request.args.get("editor", type=int)
    before = read_place(request.args.get("after"))
    shown = UnsentFilter(
        Because(because) if because in set(Because) else None, editor_id, (before.at, before.id) if before else None
    )
    found = queries.list_unsent(db.session, shown, limit=_PAGE + 1)
    last = found[_PAGE - 1] if len(found) > _PAGE else None
    return render(
        "followups/unsent.html",
        shown=_shown(found[:_PAGE]),
        filter=shown,
        # of runs alone, which the page of their plan lists: no follow-up carries it
        reasons=[(each.value, words.because_words(each)) for each in Because if each is not Because.OVERLAPS],
        editors=list_answering_editors(db.session),
        next=Place(last.settled_at, last.id) if last and last.settled_at else None,
        is_first=before is None,
    )


def _shown(found: Sequence[FollowUp], *, looking_ahead: bool = True) -> list[showing.Shown]:
    numbers, now = policy(), clock.now()
    return [showing.show(db.session, each, policy=numbers, now=now, looking_ahead=looking_ahead) for each in found]


def _midnight(now: datetime, zone: ZoneInfo) -> datetime:
    tomorrow = wall_of(now, zone).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return tomorrow.replace(tzinfo=zone)
