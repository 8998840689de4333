"""Promises in a conversation: mark one that is proposed, or dismiss it; keep it, or release who made it."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.accounts.queries import current_editor
from concierge.conversations.queries import get_conversation
from concierge.extensions import db
from concierge.followups import promising
from concierge.followups.forms import PromiseForm
from concierge.followups.models import PromiseNotFound
from concierge.followups.views import answering, lead_back

bp = Blueprint("promises", __name__, url_prefix="/conversations/<int:conversation_id>/promises")


@bp.post("/mark")
@answering
def mark(conversation_id: int) -> ResponseReturnValue:
    """It is a promise."""
    conversation, form = get_conversation(db.session, conversation_id), _read()
    promising.mark_promise(db.session, conversation, *form, by=current_editor(), now=clock.now())
    db.session.commit()
    return lead_back(conversation_id)


@bp.post("/dismiss")
@answering
def dismiss(conversation_id: int) -> ResponseReturnValue:
    """It is none."""
    conversation, form = get_conversation(db.session, conversation_id), _read()
    promising.dismiss_promise(db.session, conversation, *form, by=current_editor(), now=clock.now())
    db.session.commit()
    return lead_back(conversation_id)


@bp.post("/<int:promise_id>/keep")
@answering
def keep(conversation_id: int, promise_id: int) -> ResponseReturnValue:
    """It is done."""
    promise = promising.get_promise(db.session, conversation_id, promise_id)
    promising.keep_promise(db.session, promise, by=current_editor(), now=clock.now())
    db.session.commit()
    return lead_back(conversation_id)


@bp.post("/<int:promise_id>/release")
@answering
def release(conversation_id: int, promise_id: int) -> ResponseReturnValue:
    """It need not be kept any more."""
    promise = promising.get_promise(db.session, conversation_id, promise_id)
    promising.release_promise(db.session, promise, by=current_editor(), now=clock.now())
    db.session.commit()
    return lead_back(conversation_id)


def _read() -> tuple[int, int]:
    form = PromiseForm()
    if form.message.data is None or form.place.data is None:
        raise PromiseNotFound
    return form.message.data, form.place.data
