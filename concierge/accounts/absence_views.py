"""Pages about the days on which an editor is away: her own profile's, and an admin's for a colleague."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, Flask, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug import Response

from concierge import clock
from concierge.accounts import commands, queries, wording
from concierge.accounts.absences import Away
from concierge.accounts.forms import AbsenceForm
from concierge.accounts.models import DaysBackwards, DaysOver, DaysTaken, DaysTooMany, Editor, NoStandIn, Role
from concierge.accounts.queries import current_editor
from concierge.extensions import db
from concierge.web.choices import SelectChoice
from concierge.web.rendering import render
from concierge.web.security import NotForYou

bp = Blueprint("absences", __name__)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is known of an editor's absences, and the form for another; `names` are those of who may write for her."""

    editor: Editor
    today: date
    absences: Sequence[Away]
    names: dict[int, str]
    form: AbsenceForm


def init_app(app: Flask) -> None:
    """Register the pages, and how a template says until when somebody is away."""
    app.register_blueprint(bp)
    app.jinja_env.filters.update(away_words=_away_words, span_words=wording.span_words)


def sheet_of(editor: Editor, form: AbsenceForm | None = None) -> Sheet:
    """What the page of an editor's absences shows; a form that was sent comes back with its mistakes."""
    now, form = clock.now(), form or _form(editor, formdata=None)
    today = now.astimezone(editor.zone).date()
    absences = [
        each for each in queries.list_absences(db.session, now=now).get(editor.id, ()) if each.last_day >= today
    ]
    names = {each.id: each.name for each in queries.list_editors(db.session)}
    return Sheet(editor, today, absences, names, form)


@bp.get("/editors/<int:editor_id>/absences")
def show(editor_id: int) -> ResponseReturnValue:
    """When a colleague is away, for an admin; one's own stand on one's profile, too."""
    return render("accounts/absences.html", sheet=sheet_of(_editor(editor_id)))


@bp.post("/editors/<int:editor_id>/absences")
def enter(editor_id: int) -> ResponseReturnValue:
    """She is away from one day to another."""
    editor = _editor(editor_id)
    form = _form(editor)
    if form.validate() and _enter(editor, form):
        return _back(editor)
    return render("accounts/absences.html", sheet=sheet_of(editor, form)), 422


@bp.post("/editors/<int:editor_id>/absences/<int:absence_id>/take-back")
def take_back(editor_id: int, absence_id: int) -> ResponseReturnValue:
    """She is there on these days after all."""
    editor = _editor(editor_id)
    commands.take_back_absence(db.session, editor, absence_id, by=current_editor(), now=clock.now())
    db.session.commit()
    flash(_("Taken back."))
    return _back(editor)


def _enter(editor: Editor, form: AbsenceForm) -> bool:
    assert form.first_day.data and form.last_day.data
    stand_in = queries.get_editor(db.session, form.stand_in.data) if form.stand_in.data else None
    try:
        commands.enter_absence(
            db.session,
            editor,
            first_day=form.first_day.data,
            last_day=form.last_day.data,
            stand_in=stand_in,
            by=current_editor(),
            now=clock.now(),
        )
    except (DaysBackwards, DaysOver, DaysTooMany, DaysTaken) as wrong:
        form.last_day.errors = [wrong.sentence()]
        return False
    except NoStandIn as wrong:
        form.stand_in.errors = [wrong.sentence()]
        return False
    db.session.commit()
    flash(_("It is kept."))
    return True


def _form(editor: Editor, **values: None) -> AbsenceForm:
    form = AbsenceForm(**values)
    others = [each for each in queries.list_answering_editors(db.session) if each is not editor]
    form.stand_in.choices = [SelectChoice(0, _("Whoever is there"))] + [
        SelectChoice(each.id, each.name) for each in others
    ]
    return form


def _editor(editor_id: int) -> Editor:
    me = current_editor()
    if editor_id != me.id and me.role is not Role.ADMIN:
        raise NotForYou
    return queries.get_editor(db.session, editor_id)


def _back(editor: Editor) -> Response:
    is_own = editor.id == current_editor().id
    there = url_for("accounts.profile") if is_own else url_for("absences.show", editor_id=editor.id)
    return redirect(f"{there}#absences", 303)


def _away_words(away: Away, editor: Editor) -> str:
    return wording.away_words(away, clock.now().astimezone(editor.zone).date())
