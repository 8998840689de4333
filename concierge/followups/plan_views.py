"""Plans: all of them, one with its drawing and figures, the desk where admins write one; beginning and stopping one."""

from flask import Blueprint, Flask, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from concierge import clock
from concierge.accounts.queries import current_editor
from concierge.conversations.queries import get_conversation
from concierge.errors import RuleBroken
from concierge.extensions import db
from concierge.followups import pages, plan_commands, plan_queries, plan_words, queries, river, showing
from concierge.followups.conditions import Because
from concierge.followups.forms import VerbForm
from concierge.followups.plan_figures import WHATS, PlanFigures, Wanted, figures_of, list_rows, list_runs
from concierge.followups.plan_forms import PlanForm, values_of
from concierge.followups.plan_models import Plan, PlanChangedSince, PlanRunNotFound, StepRefused
from concierge.followups.schedule import Window
from concierge.followups.views import answering, lead_back
from concierge.templating import queries as templating
from concierge.web.rendering import render
from concierge.web.security import roles_accepted

bp = Blueprint("plans", __name__, url_prefix="/plans")
runs_bp = Blueprint("plan_runs", __name__, url_prefix="/conversations/<int:conversation_id>/plans")
admins = roles_accepted("admin")


def init_app(app: Flask) -> None:
    """Register the pages of plans."""
    app.register_blueprint(bp)
    app.register_blueprint(runs_bp)
    words = plan_words
    app.jinja_env.filters.update(begins_words=words.begins_words, window_words=words.window_words)
    app.jinja_env.filters.update(wait_words=words.wait_words, late_words=words.late_words)
    app.jinja_env.filters.update(stops_words=words.stops_words)


@bp.get("")
def index() -> ResponseReturnValue:
    """Every plan, with how it fares."""
    now = clock.now()
    plans = [(each, figures_of(db.session, each, now=now)) for each in plan_queries.list_plans(db.session)]
    return render("followups/plans.html", plans=plans)


@bp.get("/<int:plan_id>")
def show(plan_id: int) -> ResponseReturnValue:
    """One plan: its drawing, its steps, its figures."""
    plan = plan_queries.get_plan(db.session, plan_id)
    figures = figures_of(db.session, plan, now=clock.now())
    return render("followups/plan.html", plan=plan, figures=figures, drawing=_drawing(plan, figures), house=_house())


@bp.get("/<int:plan_id>/rows")
def rows(plan_id: int) -> ResponseReturnValue:
    """The rows behind a number of the plan."""
    plan, now = plan_queries.get_plan(db.session, plan_id), clock.now()
    what, because = request.args.get("what", ""), request.args.get("because", "")
    step_id = request.args.get("step", type=int)
    shown, runs = [], []
    if what in WHATS:
        wanted = Wanted(what, step_id, _because(because))
        policy = pages.policy()
        found = list_rows(db.session, plan, wanted, now=now)
        shown = [showing.show(db.session, each, policy=policy, now=now, looking_ahead=False) for each in found]
    else:
        runs = list_runs(db.session, plan, Wanted(what, None, _because(because)), now=now)
    step = next((each for each in plan.every_step if each.id == step_id), None)
    return render("followups/plan_rows.html", plan=plan, what=what, step=step, because=because, shown=shown, runs=runs)


@bp.get("/new")
@admins
def new() -> ResponseReturnValue:
    """An empty desk for a plan."""
    return _desk(None, _form(None))


@bp.post("")
@admins
def add() -> ResponseReturnValue:
    """Keep a new plan, switched off; or a step more or less in the form, keeping nothing."""
    return _keep(None)


@bp.get("/<int:plan_id>/edit")
@admins
def edit(plan_id: int) -> ResponseReturnValue:
    """One on the desk."""
    plan = plan_queries.get_plan(db.session, plan_id)
    return _desk(plan, _form(plan))


@bp.post("/<int:plan_id>")
@admins
def change(plan_id: int) -> ResponseReturnValue:
    """Keep what was changed; or a step more or less in the form, keeping nothing."""
    return _keep(plan_queries.get_plan(db.session, plan_id))


@bp.post("/<int:plan_id>/switch-on")
@admins
def switch_on(plan_id: int) -> ResponseReturnValue:
    """Let facts begin it."""
    plan = plan_queries.get_plan(db.session, plan_id)
    plan_commands.switch_on(db.session, plan, by=current_editor(), now=clock.now())
    db.session.commit()
    return redirect(url_for("plans.show", plan_id=plan_id), 303)


@bp.post("/<int:plan_id>/switch-off")
@admins
def switch_off(plan_id: int) -> ResponseReturnValue:
    """Let nothing begin it, and nothing of it leave."""
    plan = plan_queries.get_plan(db.session, plan_id)
    plan_commands.switch_off(db.session, plan, by=current_editor(), now=clock.now())
    db.session.commit()
    return redirect(url_for("plans.show", plan_id=plan_id), 303)


@runs_bp.post("")
@answering
def begin(conversation_id: int) -> ResponseReturnValue:
    """Begin a plan by hand in her conversation."""
    conversation, seen = get_conversation(db.session, conversation_id), VerbForm().seen.data
    plan = plan_queries.get_plan(db.session, request.form.get("plan", 0, type=int))
    me, policy, now = current_editor(), pages.policy(), clock.now()
    plan_commands.begin_plan(db.session, plan, conversation, seen_message_id=seen, by=me, policy=policy, now=now)
    db.session.commit()
    return lead_back(conversation_id)


@runs_bp.post("/<int:run_id>/stop")
@answering
def stop(conversation_id: int, run_id: int) -> ResponseReturnValue:
    """Let it say no more to her."""
    run = plan_queries.get_run(db.session, run_id)
    if run.conversation_id != conversation_id:
        raise PlanRunNotFound
    plan_commands.stop_run(db.session, run, by=current_editor(), now=clock.now())
    db.session.commit()
    return lead_back(conversation_id)


def _house() -> Window:
    return queries.kindness_of(pages.policy()).window


def _because(text: str) -> Because | None:
    """The reason an address asks for, if it is one."""
    return Because(text) if text in set(Because) else None


def _form(plan: Plan | None) -> PlanForm:
    form = PlanForm() if request.method == "POST" else PlanForm(formdata=None, data=values_of(plan))
    form.offer(_templates(plan))
    return form


def _templates(plan: Plan | None) -> list[tuple[int, str]]:
    """Those in use, and those that this plan has though they are retired."""
    found = {each.id: each.name for each in templating.list_templates(db.session)}
    if plan is not None:
        found |= {each.template_id: each.template.name for each in plan.steps}
        found |= {plan.template.id: plan.template.name} if plan.template else {}
    return sorted(found.items(), key=lambda pair: pair[1].casefold())


def _keep(plan: Plan | None) -> ResponseReturnValue:
    form, do = _form(plan), request.form.get("do", "")
    if do:
        return _with_other_rows(plan, form, do)
    if not form.validate():
        return _desk(plan, form), 422
    me, now = current_editor(), clock.now()
    try:
        if plan is None:
            plan = plan_commands.write_plan(db.session, form.written(), house=_house(), by=me, now=now)
        else:
            version = form.version.data or ""
            written = form.written()
            plan_commands.change_plan(db.session, plan, written, house=_house(), seen_version=version, by=me, now=now)
    except PlanChangedSince as error:
        db.session.rollback()
        assert plan is not None
        form.version.data = plan.version
        return _desk(plan, form, sentence=error.sentence()), error.status
    except StepRefused as error:
        db.session.rollback()
        field = form.steps[error.place].form[error.field]
        field.errors = form.steps.errors = [*field.errors, error.sentence()]
        return _desk(plan, form), error.status
    except RuleBroken as error:
        db.session.rollback()
        form.name.errors = [*form.name.errors, error.sentence()]
        return _desk(plan, form), error.status
    db.session.commit()
    flash(_("“%(name)s” is kept.", name=plan.name))
    return redirect(url_for("plans.show", plan_id=plan.id), 303)


def _with_other_rows(plan: Plan | None, form: PlanForm, do: str) -> ResponseReturnValue:
    what, _dash, place = do.partition("-")
    if what == "add":
        form.add_row()
    elif what in {"remove", "raise"} and place.isdecimal():
        (form.remove_row if what == "remove" else form.raise_row)(int(place))
    form.offer(_templates(plan))
    return _desk(plan, form)


def _desk(plan: Plan | None, form: PlanForm, *, sentence: str = "") -> str:
    """The desk; `sentence` says that the plan is another by now, and the page how it stands."""
    return render("followups/plan_form.html", plan=plan, form=form, sentence=sentence, house=_house())


def _drawing(plan: Plan, figures: PlanFigures) -> Markup:
    stations = [river.Station(_("begun"), figures.begun)]
    for number, each in enumerate(figures.steps, 1):
        stations.append(river.Station(_("step %(number)s", number=number), each.sent, each.answered))
    title = _("How many are in the plan from step to step")
    return Markup(river.draw(stations, title=title))  # noqa: S704 - labels are escaped there
