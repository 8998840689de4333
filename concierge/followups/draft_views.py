"""The composer's words as a follow-up: planned from its Send menu, for a moment said as people say it."""

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.accounts.queries import current_editor
from concierge.conversations.models import Conversation
from concierge.drafts import composing, desk
from concierge.drafts.composing import LONGEST_PHRASE, Planning
from concierge.drafts.forms import AnswerForm
from concierge.drafts.gate import Objection
from concierge.drafts.models import Draft, NotSendable
from concierge.drafts.queries import find_draft
from concierge.errors import ConciergeError
from concierge.extensions import db
from concierge.followups import commands, pages, queries, showing
from concierge.followups.commands import Seen
from concierge.followups.holding import hold_as_she_is
from concierge.followups.models import AboutItsMoment, AboutItsWords, FollowUp, HappenedSince, UnreadMoment
from concierge.followups.moments import Meant, read_phrase
from concierge.web.rendering import render, wants_block
from concierge.web.security import roles_accepted

bp = Blueprint("draft_follow_ups", __name__, url_prefix="/conversations/<int:conversation_id>/followups")


@bp.post("/from-draft")
@roles_accepted("editor", "admin")
@composing.nothing_lost
def schedule_draft(conversation_id: int) -> ResponseReturnValue:
    """Plan what stands in the composer, and clear it; what can't be planned stays there, with the reason."""
    conversation, form = composing.begin(conversation_id)
    if (before := _pressed_before(conversation, form)) is not None:
        return _lead_on(before, form)
    try:  # before anything is written, so that nobody who waits for her holds anything
        hold_as_she_is(db.session, conversation_id)
    except HappenedSince as error:
        composing.keep(conversation, form)
        return _refused(conversation, form, error, sentence=error.sentence())
    draft = composing.keep(conversation, form)
    try:
        follow_up = _schedule(draft, form)
    except NotSendable as error:
        return _refused(conversation, form, error, objections=error.objections)
    except AboutItsMoment as error:
        return _refused(conversation, form, error, about_when=error.sentence())
    except AboutItsWords as error:
        return _refused(conversation, form, error, sentence=error.sentence())
    db.session.commit()
    return _lead_on(follow_up, form)


def _refused(
    conversation: Conversation,
    form: AnswerForm,
    error: ConciergeError,
    *,
    objections: tuple[Objection, ...] = (),
    sentence: str = "",
    about_when: str = "",
) -> ResponseReturnValue:
    """The composer again with the reason; what she wrote stays."""
    db.session.commit()
    return composing.show_page(
        conversation,
        seen_message_id=form.seen_message_id.data or 0,
        objections=objections,
        sentence=sentence,
        planning=Planning(form.phrase.data or "", was_tried=True, refusal=about_when),
        status=error.status,
    )


def _schedule(draft: Draft, form: AnswerForm) -> FollowUp:
    return commands.schedule_draft(
        db.session,
        draft,
        _meant(draft.conversation, form),
        Seen(form.seen_message_id.data),
        overridden=form.waved_through,
        limit=desk.house().limit,
        by=current_editor(),
        policy=pages.policy(),
        now=clock.now(),
    )


def _meant(conversation: Conversation, form: AnswerForm) -> Meant:
    zone = queries.her_clock(conversation.customer, pages.policy().zone).zone
    meant = read_phrase((form.phrase.data or "")[:LONGEST_PHRASE], clock.now(), zone)
    if meant is None:
        raise UnreadMoment
    return meant


def _pressed_before(conversation: Conversation, form: AnswerForm) -> FollowUp | None:
    """What these very words became when the same button was pressed a moment ago; the first press counts."""
    me, customer = current_editor(), conversation.customer
    if find_draft(db.session, conversation.id, me.id) is not None:
        return None
    try:
        meant = _meant(conversation, form)
        moment = commands.moment_of(db.session, customer, meant, policy=pages.policy(), now=clock.now())
    except AboutItsMoment:
        return None
    there = queries.find_planned(db.session, conversation.id, me.id, moment.wall)
    return there if there is not None and there.body == composing.content_of(form).body else None


def _lead_on(follow_up: FollowUp, form: AnswerForm) -> ResponseReturnValue:
    """An empty composer, and when it leaves in passing words; the conversation's follow-ups where no script swaps."""
    if not wants_block():
        return redirect(url_for("followups.show", conversation_id=follow_up.conversation_id), 303)
    shown = showing.show(db.session, follow_up, policy=pages.policy(), now=clock.now(), looking_ahead=False)
    composer = composing.draw_page(follow_up.conversation, seen_message_id=form.seen_message_id.data)
    return composer + render("followups/planned.html", planned=shown), {"HX-Trigger": "house-changed"}
