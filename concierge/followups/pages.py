"""The editor's desk: what asks for her today, what will leave by itself, what did not leave and why."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, cast
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.accounts.queries import current_editor, list_answering_editors
from concierge.config import Config, Policy
from concierge.extensions import db
from concierge.followups import promising, queries, showing, words
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
_LATELY: Final = timedelta(days=7)
_COUNTED: Final = timedelta(days=90)


def policy() -> Policy:
    """The house's numbers."""
    return cast(Config, current_app.extensions["concierge"]).policy


@bp.get("/today")
def today() -> ResponseReturnValue:
    """What asks for this editor today: a yes, what she has promised, what leaves in her name, what did not leave."""
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
        promised=promising.list_due(db.session, me, now=now),
        tally=promising.tally(db.session, me, since=promising.today_of(me, now) - _COUNTED, now=now),
        today=promising.today_of(me, now),
    )


@bp.get("/followups")
def coming() -> ResponseReturnValue:
    """What will leave by itself, day by day; `?whose=mine` shows one's own."""
    me = current_editor()
    is_mine = request.args.get("whose") == "mine"
    found = queries.list_coming(db.session, editor_id=me.id if is_mine else None, limit=200)
    days = showing.by_day(_shown(found, looking_ahead=False), ZoneInfo(me.timezone))
    return render("followups/coming.html", days=days, is_mine=is_mine)


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
        reasons=[(each.value, words.because_words(each)) for each in Because],
        editors=list_answering_editors(db.session),
        next=Place(last.settled_at, last.id) if last and last.settled_at else None,
        is_first=before is None,
    )


def _shown(found: Sequence[FollowUp], *, looking_ahead: bool = True) -> list[showing.Shown]:
    house, now = policy().zone, clock.now()
    return [showing.show(db.session, each, house=house, now=now, looking_ahead=looking_ahead) for each in found]


def _midnight(now: datetime, zone: ZoneInfo) -> datetime:
    tomorrow = wall_of(now, zone).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return tomorrow.replace(tzinfo=zone)
