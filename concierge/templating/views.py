"""Pages of the templates: the list, and the desk where one is written, checked as one types."""

import json
from dataclasses import dataclass

from babel import Locale
from flask import Blueprint, Flask, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from concierge import clock
from concierge.accounts.queries import current_editor
from concierge.config import LANGUAGES
from concierge.extensions import db
from concierge.templating import commands, queries
from concierge.templating.forms import TemplateForm
from concierge.templating.merge_fields import MERGE_FIELDS, MergeField
from concierge.templating.models import NameTaken, Template, TemplateStale, TemplateVersion
from concierge.web.rendering import render
from concierge.web.security import roles_accepted

bp = Blueprint("templating", __name__, url_prefix="/templates")

WRITERS = ("editor", "admin")


@dataclass(frozen=True, slots=True)
class OfferedField:
    """A merge field as the desk offers it: `insert` is what is put into the text."""

    name: str
    words: str
    insert: str
    may_be_empty: bool
    group: str


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(bp)


@bp.get("")
def index() -> ResponseReturnValue:
    """The templates in use or the retired ones, all or those looked for."""
    text, language = request.args.get("q", "")[:200], request.args.get("language", "")
    retired = bool(request.args.get("retired"))
    language = language if language in LANGUAGES else ""
    templates = queries.list_templates(db.session, text=text, language=language, retired=retired)
    return render(
        "templating/index.html",
        block="rows",
        templates=templates,
        uses={template.id: queries.uses_by_language(template) for template in templates},
        text=text,
        language=language,
        retired=retired,
        retired_count=queries.count_retired(db.session),
        languages=language_names(),
    )


@bp.get("/new")
@roles_accepted(*WRITERS)
def new() -> ResponseReturnValue:
    """An empty desk."""
    return _desk(TemplateForm())


@bp.post("")
@roles_accepted(*WRITERS)
def add() -> ResponseReturnValue:
    """Keep a new template, or say beside each field what is wrong with it."""
    form = TemplateForm()
    if not form.validate():
        return _desk(form), 422
    try:
        template = commands.add_template(
            db.session,
            name=form.name.data or "",
            when_to_use=form.when_to_use.data or "",
            wording=form.wording(),
            by=current_editor(),
            now=clock.now(),
        )
    except NameTaken as taken:
        return _desk(_with_name_taken(form, taken)), 409
    db.session.commit()
    flash(_("“%(name)s” is kept.", name=template.name))
    return redirect(url_for("templating.show", template_id=template.id), 303)


@bp.get("/<int:template_id>")
def show(template_id: int) -> ResponseReturnValue:
    """One template on the desk, with its history."""
    template = queries.get_template(db.session, template_id)
    form = TemplateForm(name=template.name, when_to_use=template.when_to_use)
    form.begin_from(template)
    for current in filter(None, map(template.current, LANGUAGES)):
        form.write_on_from(current)
    form.check_wording()
    return _desk(form, template)


@bp.post("/<int:template_id>")
@roles_accepted(*WRITERS)
def change(template_id: int) -> ResponseReturnValue:
    """Keep what was changed as new versions, or say what is wrong with it, or lay beside it what others kept since."""
    template = queries.get_template(db.session, template_id)
    form = TemplateForm()
    if not form.validate():
        return _desk(form, template), 422
    try:
        commands.change_template(
            db.session,
            template,
            name=form.name.data or "",
            when_to_use=form.when_to_use.data or "",
            wording=form.wording(),
            began=form.began(),
            by=current_editor(),
            now=clock.now(),
        )
    except NameTaken as taken:
        db.session.rollback()
        return _desk(_with_name_taken(form, taken), queries.get_template(db.session, template_id)), 409
    except TemplateStale as stale:
        db.session.rollback()
        template = queries.get_template(db.session, template_id)
        form.lay(stale.settled.words)
        form.begin_from(template)  # both texts are before her eyes from here on
        return _desk(form, template, stale=stale), stale.status
    db.session.commit()
    flash(_("“%(name)s” is kept. Letters begun with the words before keep theirs.", name=template.name))
    return redirect(url_for("templating.show", template_id=template.id), 303)


@bp.post("/<int:template_id>/write-on")
@roles_accepted(*WRITERS)
def write_on(template_id: int) -> ResponseReturnValue:
    """Put the words of one version on the desk, beside whatever else is written there; nothing is kept yet."""
    template = queries.get_template(db.session, template_id)
    version = queries.version_of(template, request.form.get("version_id", 0, type=int))
    form = TemplateForm()
    form.write_on_from(version)
    form.check_wording()
    return _desk(form, template, written_on=version)


@bp.post("/<int:template_id>/retire")
@roles_accepted(*WRITERS)
def retire(template_id: int) -> ResponseReturnValue:
    """Take it out of the picker."""
    template = queries.get_template(db.session, template_id)
    commands.retire_template(db.session, template, by=current_editor(), now=clock.now())
    db.session.commit()
    flash(_("“%(name)s” is retired.", name=template.name))
    return redirect(url_for("templating.index"), 303)


@bp.post("/<int:template_id>/reinstate")
@roles_accepted(*WRITERS)
def reinstate(template_id: int) -> ResponseReturnValue:
    """Put it back into the picker."""
    template = queries.get_template(db.session, template_id)
    commands.reinstate_template(db.session, template, by=current_editor(), now=clock.now())
    db.session.commit()
    flash(_("“%(name)s” is in use again.", name=template.name))
    return redirect(url_for("templating.show", template_id=template.id), 303)


@bp.post("/check")
def check() -> ResponseReturnValue:
    """What the checker says about the words on the desk as they are now; nothing is kept."""
    form = TemplateForm()
    form.check_wording()
    return render("templating/check.html", form=form, languages=language_names())


def language_names() -> dict[str, str]:
    """The house's languages as the reader calls them."""
    reader = get_locale() or Locale("en")
    return {code: str(Locale(code).get_display_name(reader)).capitalize() for code in LANGUAGES}


def offered_fields() -> list[OfferedField]:
    """The merge fields in the order they are offered; one that may be empty comes with its fallback to be written."""
    return [
        OfferedField(each.name, str(each.label), _inserted(each), each.may_be_empty, each.group)
        for each in MERGE_FIELDS.values()
    ]


def _inserted(field: MergeField) -> str:
    return "{{ " + field.name + (' | fallback("…") }}' if field.may_be_empty else " }}")


def _desk(
    form: TemplateForm,
    template: Template | None = None,
    *,
    stale: TemplateStale | None = None,
    written_on: TemplateVersion | None = None,
) -> str:
    offered = offered_fields()
    completion = [{"field": each.name, "words": each.words, "insert": each.insert} for each in offered]
    return render(
        "templating/show.html",
        form=form,
        template=template,
        fields=offered,
        completion=json.dumps(completion, ensure_ascii=False),
        languages=language_names(),
        uses=queries.uses_by_language(template) if template else {},
        may_write=current_editor().may_answer,
        me=current_editor(),
        stale=stale,
        clashes=stale.settled.clashes if stale else frozenset(),
        written_on=written_on,
    )


def _with_name_taken(form: TemplateForm, taken: NameTaken) -> TemplateForm:
    form.name.errors = [*form.name.errors, taken.sentence()]
    return form
