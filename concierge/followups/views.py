"""Follow-ups in a conversation: plan one, change it, take it back, say yes, send it now."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from flask import Blueprint, Flask, redirect, request, url_for
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.accounts.queries import current_editor
from concierge.conversations.models import Conversation
from concierge.conversations.queries import get_conversation
from concierge.drafts import body, wording
from concierge.drafts.filling import fill_words
from concierge.drafts.queries import language_of
from concierge.errors import BadInput, ConciergeError, RuleBroken
from concierge.extensions import db
from concierge.followups import commands, moving, pages, plan_queries, promising, queries, showing, words
from concierge.followups.commands import Planned, Seen
from concierge.followups.conditions import Facts, due_at, why_moved
from concierge.followups.forms import FollowUpForm, VerbForm
from concierge.followups.models import (
    ChangedSince,
    FollowUp,
    FollowUpNotFound,
    HappenedSince,
    MomentPassed,
    UnreadMoment,
)
from concierge.followups.moments import Meant, read_phrase
from concierge.followups.schedule import in_days, instant_of, wall_of
from concierge.templating import queries as templating
from concierge.templating.commands import use_template
from concierge.web.rendering import render, wants_block
from concierge.web.security import roles_accepted

bp = Blueprint("followups", __name__, url_prefix="/conversations/<int:conversation_id>/followups")
answering = roles_accepted("editor", "admin")
PAGE = "followups/of_conversation.html"
# What a template may need that is there without anybody choosing it.
_FILLED = frozenset({"conversation"})


def init_app(app: Flask) -> None:
    """Register the pages of follow-ups and promises, and how they are told."""
    from concierge.followups import draft_views, plan_views, promise_views

    app.register_blueprint(draft_views.bp)
    plan_views.init_app(app)
    app.register_blueprint(promise_views.bp)
    app.register_blueprint(bp)
    app.register_blueprint(pages.bp)
    app.jinja_env.filters.update(because_words=words.because_words, asking_words=words.asking_words)
    app.jinja_env.filters.update(counted_words=words.counted_words)
    app.jinja_env.filters.update(day_words=words.day_words, moved_words=words.moved_words)
    # the composer has the same field
    app.jinja_env.globals.update(proposed_moment=words.proposed_moment, suggested_moments=words.suggested_moments)
    app.jinja_env.filters.update(weekday_name=words.weekday_name, local_hour=words.local_hour)
    words.tell()
    moving.register()


@dataclass(frozen=True, slots=True)
class Typed:
    """What the form shows: as it was typed, or as the house proposes."""

    when: str
    text: str
    needs_yes: bool = False
    template: int | None = None
    # the frozen text it was filled from
    template_version: int | None = None
    # its own subject, where it was given one in the composer
    subject: str = ""
    sentence: str = ""
    # what is there now, where somebody has changed it since
    there_now: str = ""


@bp.get("")
def show(conversation_id: int) -> ResponseReturnValue:
    """What is planned in a conversation, and the form for another; `?seen=` is the newest mail the page shows."""
    return _page(get_conversation(db.session, conversation_id))


@bp.get("/list")
def refresh_list(conversation_id: int) -> ResponseReturnValue:
    """What is planned as it is now: a piece of the page that keeps itself fresh."""
    conversation = get_conversation(db.session, conversation_id)
    return render("followups/list.html", conversation=conversation, **_list_values(conversation))


@bp.get("/when")
def say_when(conversation_id: int) -> ResponseReturnValue:
    """What a moment means, while it is typed: a piece of the form."""
    conversation = get_conversation(db.session, conversation_id)
    meant = _meant(conversation, request.args.get("when") or request.args.get("phrase", ""))
    return render("followups/when.html", **_when_values(conversation, meant))


@bp.post("")
@answering
def schedule(conversation_id: int) -> ResponseReturnValue:
    """Plan one. What can't be planned is shown again as it was typed, with the reason."""
    conversation, form = get_conversation(db.session, conversation_id), FollowUpForm()
    try:
        commands.schedule_follow_up(
            db.session,
            conversation,
            _planned(conversation, form),
            by=current_editor(),
            policy=pages.policy(),
            now=clock.now(),
        )
    except (BadInput, RuleBroken) as error:
        return _refused(conversation_id, form, error)
    db.session.commit()
    return lead_back(conversation_id)


@bp.post("/fill")
@answering
def fill(conversation_id: int) -> ResponseReturnValue:
    """Fill the form's words from a template, by the composer's own rendering."""
    conversation, form = get_conversation(db.session, conversation_id), FollowUpForm()
    typed = _typed(form)
    try:
        template = templating.get_template(db.session, form.template.data or 0)
        version = template.version_for(language_of(conversation))
        text, _unused = fill_words(db.session, conversation, current_editor(), version)
    except ConciergeError as error:
        return _refused(conversation_id, form, error)
    use_template(db.session, version, now=clock.now())
    db.session.commit()
    return _page(conversation, typed=replace(typed, text=text, template_version=version.id))


@bp.get("/<int:follow_up_id>")
@answering
def edit(conversation_id: int, follow_up_id: int) -> ResponseReturnValue:
    """One of them, to be changed."""
    follow_up = _get(conversation_id, follow_up_id)
    return _page(follow_up.conversation, changing=follow_up)


@bp.post("/<int:follow_up_id>")
@answering
def change(conversation_id: int, follow_up_id: int) -> ResponseReturnValue:
    """Keep another moment or other words."""
    follow_up, form = _get(conversation_id, follow_up_id), FollowUpForm()
    try:
        planned = _planned(follow_up.conversation, form)
        commands.change_follow_up(
            db.session, follow_up, planned, by=current_editor(), policy=pages.policy(), now=clock.now()
        )
    except (BadInput, RuleBroken) as error:
        return _refused(conversation_id, form, error, changing=follow_up_id)
    db.session.commit()
    return lead_back(conversation_id)


@bp.post("/<int:follow_up_id>/cancel")
@answering
def cancel(conversation_id: int, follow_up_id: int) -> ResponseReturnValue:
    """Take it back."""
    return _act(commands.cancel_follow_up, conversation_id, follow_up_id)


@bp.post("/<int:follow_up_id>/approve")
@answering
def approve(conversation_id: int, follow_up_id: int) -> ResponseReturnValue:
    """Say yes to one that asks."""
    return _act(partial(commands.approve_follow_up, policy=pages.policy()), conversation_id, follow_up_id)


@bp.post("/<int:follow_up_id>/send-now")
@answering
def send_now(conversation_id: int, follow_up_id: int) -> ResponseReturnValue:
    """Let it leave at once, whatever the hour."""
    return _act(partial(commands.send_follow_up_now, policy=pages.policy()), conversation_id, follow_up_id)


def _act(command: Callable[..., FollowUp], conversation_id: int, follow_up_id: int) -> ResponseReturnValue:
    follow_up, form = _get(conversation_id, follow_up_id), VerbForm()
    seen = Seen(form.seen.data, form.version.data or "", form.stops.data)
    try:
        command(db.session, follow_up, seen, by=current_editor(), now=clock.now())
    except (ChangedSince, HappenedSince) as error:
        return _not_as_seen(conversation_id, follow_up_id, error)
    db.session.commit()
    return lead_back(conversation_id)


def _get(conversation_id: int, follow_up_id: int) -> FollowUp:
    follow_up = queries.get_follow_up(db.session, follow_up_id)
    if follow_up.conversation_id != conversation_id:
        raise FollowUpNotFound
    return follow_up


def _planned(conversation: Conversation, form: FollowUpForm) -> Planned:
    meant = _meant(conversation, form.when.data or "")
    if meant is None or not form.validate():
        raise UnreadMoment
    version = templating.find_version(db.session, form.template_version.data or 0)
    return Planned(
        wall=meant.wall,
        is_named=meant.is_named,
        body=body.from_text(form.text.data or ""),
        seen=Seen(form.seen.data, form.version.data or "", form.stops.data),
        subject=wording.one_line(form.subject.data or ""),
        template_version_id=version.id if version else None,
        needs_yes=form.needs_yes.data,
        after_delivery=meant.after_delivery,
    )


def _meant(conversation: Conversation, text: str) -> Meant | None:
    return read_phrase(text[:200], clock.now(), _her_clock(conversation).zone)


def _her_clock(conversation: Conversation) -> queries.HerClock:
    return queries.her_clock(conversation.customer, pages.policy().zone)


def _when_values(conversation: Conversation, meant: Meant | None) -> dict[str, Any]:
    """What the form says beneath the moment: when that is by her clock, moved out of her quiet hours, or gone by."""
    her, now = _her_clock(conversation), clock.now()
    if meant is None:
        return {"said": "", "clock": her, "moved": None, "refusal": ""}
    kindness, wall = queries.kindness_of(pages.policy()), meant.wall
    if meant.after_delivery is not None:
        order = queries.find_order(db.session, conversation.customer, now=now)
        if order is None or order.delivered_at is None:
            said = words.awaiting_words(meant.after_delivery, wall.time()) if order else ""
            refusal = "" if order else words.nothing_on_its_way()
            return {"said": said, "clock": her, "moved": None, "refusal": refusal}
        wall = in_days(order.delivered_at, meant.after_delivery, wall.time(), her.zone)
    this_year = now.astimezone(her.zone).year
    try:
        commands.require_to_come(wall, her.zone, now=now)
    except MomentPassed as passed:
        refusal = words.gone_by() if instant_of(wall, her.zone) <= now else passed.sentence()
        return {"said": showing.wall_words(wall, this_year), "clock": her, "moved": None, "refusal": refusal}
    facts = Facts(wall, her.zone, conversation.customer.country, meant.is_named)
    due = due_at(facts, kindness)
    return {
        "said": showing.wall_words(wall_of(due, her.zone), this_year),
        "clock": her,
        "moved": why_moved(facts, kindness, due),
        "refusal": "",
    }


def _typed(form: FollowUpForm) -> Typed:
    return Typed(
        form.when.data or "",
        form.text.data or "",
        bool(form.needs_yes.data),
        form.template.data,
        form.template_version.data,
        form.subject.data or "",
    )


def _proposed(conversation: Conversation) -> Typed:
    first_name = conversation.customer.first_name
    return Typed(words.proposed_moment(), words.proposed_words(language_of(conversation), first_name))


def _stored(follow_up: FollowUp) -> Typed:
    when = f"{follow_up.wall:%Y-%m-%d %H:%M}"
    if follow_up.awaits_delivery and follow_up.awaited_days is not None:
        when = words.awaiting_typed(follow_up.awaited_days, follow_up.wall.time())
    return Typed(when, body.to_text(follow_up.body), follow_up.needs_yes, subject=follow_up.subject)


def _refused(
    conversation_id: int, form: FollowUpForm, error: ConciergeError, *, changing: int | None = None
) -> ResponseReturnValue:
    """The form again as it was typed, with the reason; nothing is lost."""
    db.session.rollback()
    typed = replace(_typed(form), sentence=error.sentence())
    follow_up = _get(conversation_id, changing) if changing else None
    if follow_up is not None and isinstance(error, ChangedSince):
        typed = replace(typed, there_now=_there_now(follow_up))
    page = _page(get_conversation(db.session, conversation_id), typed=typed, changing=follow_up)
    return page, error.status


def _not_as_seen(conversation_id: int, follow_up_id: int, error: ConciergeError) -> ResponseReturnValue:
    """The follow-up as it is now, open to be read and changed, and why nothing was done."""
    db.session.rollback()
    follow_up = _get(conversation_id, follow_up_id)
    typed = replace(_stored(follow_up), sentence=error.sentence())
    return _page(follow_up.conversation, typed=typed, changing=follow_up), error.status


def _shown(follow_up: FollowUp, *, looking_ahead: bool = True) -> showing.Shown:
    return showing.show(db.session, follow_up, policy=pages.policy(), now=clock.now(), looking_ahead=looking_ahead)


def _there_now(follow_up: FollowUp) -> str:
    shown = _shown(follow_up, looking_ahead=False)
    return "\n\n".join(filter(None, (shown.her_time, follow_up.subject, body.to_text(follow_up.body))))


def _page(conversation: Conversation, *, typed: Typed | None = None, changing: FollowUp | None = None) -> str:
    shown = typed or (_stored(changing) if changing else _proposed(conversation))
    choices = templating.pick_templates(db.session, language=language_of(conversation))
    return render(
        PAGE,
        block="followups",
        conversation=conversation,
        typed=shown,
        is_open=typed is not None or changing is not None,
        changing=changing,
        stops=_shown(changing).stops if changing else "",
        colleagues=[] if changing else _of_colleagues(conversation),
        plans=plan_queries.list_beginnable(db.session, conversation.id),
        templates=[each for each in choices if not each.needs - _FILLED],
        needy=[each for each in choices if each.needs - _FILLED],
        seen=_seen(conversation, is_new=typed is None),
        **_when_values(conversation, _meant(conversation, shown.when)),
        **_list_values(conversation),
    )


def _of_colleagues(conversation: Conversation) -> list[showing.Shown]:
    """What her colleagues have planned here already: whoever leaves first stops the other."""
    policy, now = pages.policy(), clock.now()
    found = queries.list_of_colleagues(db.session, conversation.id, current_editor())
    return [showing.show(db.session, each, policy=policy, now=now, looking_ahead=False) for each in found]


def _seen(conversation: Conversation, *, is_new: bool) -> int:
    """What the page around shows; a form that comes back stands below what is new."""
    around = request.args.get("seen", type=int)
    newest = conversation.last_message_id or 0
    return around if is_new and around is not None and wants_block() else newest


def _list_values(conversation: Conversation) -> dict[str, Any]:
    found = queries.list_of_conversation(db.session, conversation.id)
    policy, now = pages.policy(), clock.now()
    shown = [showing.show(db.session, each, policy=policy, now=now) for each in found]
    return {
        "shown": shown,
        "promised": promising.list_open(db.session, conversation.id),
        "proposed": promising.list_proposed(db.session, conversation, now=now),
        "today": promising.today_of(current_editor(), now),
        "may_answer": current_editor().may_answer,
        "runs": plan_queries.list_living(db.session, conversation.id),
    }


def lead_back(conversation_id: int) -> ResponseReturnValue:
    """Where she stood: the piece of the conversation htmx swaps, a list of the desk, or the conversation's own list."""
    back = VerbForm().back.data
    if back in pages.PLACES:
        return redirect(url_for(pages.PLACES[back]), 303)
    if wants_block():
        return _page(get_conversation(db.session, conversation_id))
    return redirect(url_for("followups.show", conversation_id=conversation_id), 303)
