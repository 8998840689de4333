"""Merging, splitting and moving, one page to choose where to and one what with; joining customers; undoing each."""

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from concierge import clock
from concierge.accounts.queries import current_editor
from concierge.conversations import joining, queries, rearranging
from concierge.conversations.forms import JoinForm, OtherForm
from concierge.conversations.listing import Row, list_of_customer
from concierge.conversations.models import Conversation, Message
from concierge.conversations.rearrangement_models import NoHint, SameConversation
from concierge.conversations.second_addresses import list_same_person
from concierge.customers.models import Customer, CustomerNotFound
from concierge.customers.queries import find_customer_by_address, get_customer
from concierge.extensions import db
from concierge.web.rendering import render
from concierge.web.security import roles_accepted

bp = Blueprint("rearranging", __name__)
answering = roles_accepted("editor", "admin")
_MOST = 50


@bp.get("/conversations/<int:conversation_id>/merge")
@answering
def choose_merge(conversation_id: int) -> ResponseReturnValue:
    """Which of her other conversations is to be brought in."""
    conversation = queries.get_conversation(db.session, conversation_id)
    return render("conversations/merge.html", conversation=conversation, others=_others(conversation))


@bp.post("/conversations/<int:conversation_id>/merge")
@answering
def merge(conversation_id: int) -> ResponseReturnValue:
    """Bring another one in."""
    here, other = rearranging.lock_pair(db.session, conversation_id, _other())
    rearranging.merge_conversations(db.session, here, other, by=current_editor(), now=clock.now())
    return _done(here, _("Brought together. It can be undone in the history below."))


@bp.post("/conversations/<int:conversation_id>/accept-hint")
@answering
def accept_hint(conversation_id: int) -> ResponseReturnValue:
    """It belongs where the hint says."""
    conversation, hinted = _hinted(conversation_id)
    rearranging.accept_hint(db.session, conversation, hinted, by=current_editor(), now=clock.now())
    return _done(hinted, _("Brought together. It can be undone in the history below."))


@bp.post("/conversations/<int:conversation_id>/dismiss-hint")
@answering
def dismiss_hint(conversation_id: int) -> ResponseReturnValue:
    """It does not."""
    conversation = queries.lock_conversation(db.session, conversation_id)
    rearranging.dismiss_hint(db.session, conversation, by=current_editor(), now=clock.now())
    return _done(conversation, _("It stands by itself."))


@bp.post("/conversations/<int:conversation_id>/same-person")
@answering
def same_person(conversation_id: int) -> ResponseReturnValue:
    """It is the customer of the hint, at another address: it becomes hers, and her mails go there."""
    conversation, hinted = _hinted(conversation_id)
    by, now = current_editor(), clock.now()
    joining.join_customer(db.session, hinted.customer, conversation.customer, by=by, now=now)
    rearranging.accept_hint(db.session, conversation, hinted, by=by, now=now)
    return _done(hinted, _("It is her. Undo it in the history below, then separate the address on her page."))


@bp.post("/conversations/<int:conversation_id>/another-person")
@answering
def another_person(conversation_id: int) -> ResponseReturnValue:
    """It is not, and that is not proposed again."""
    conversation, hinted = _hinted(conversation_id)
    joining.keep_apart(db.session, hinted.customer, conversation.customer, by=current_editor(), now=clock.now())
    return _done(conversation, _("Kept apart: two people."))


@bp.get("/messages/<int:message_id>/move")
@answering
def choose_move(message_id: int) -> ResponseReturnValue:
    """Where a mail is to go: to a conversation that begins with it, or to another of hers."""
    message = queries.get_message(db.session, message_id)
    mails = queries.list_messages(db.session, message.conversation)
    return render(
        "conversations/move.html",
        message=message,
        conversation=message.conversation,
        others=_others(message.conversation),
        following=len(mails) - mails.index(message),
        is_first=mails[0] is message,
        is_alone=len(mails) == 1,
    )


@bp.post("/messages/<int:message_id>/split")
@answering
def split(message_id: int) -> ResponseReturnValue:
    """Begin a new conversation with this mail."""
    message = _locked(message_id)
    done = rearranging.split_conversation(db.session, message, by=current_editor(), now=clock.now())
    there = queries.get_conversation(db.session, done.target_id)
    return _done(there, _("Parted. It can be undone in the history below."))


@bp.post("/messages/<int:message_id>/move")
@answering
def move(message_id: int) -> ResponseReturnValue:
    """Move this mail to another conversation."""
    here = queries.get_message(db.session, message_id).conversation_id
    _here, there = rearranging.lock_pair(db.session, here, _other())
    message = _locked(message_id)
    rearranging.move_message(db.session, message, there, by=current_editor(), now=clock.now())
    return _done(there, _("Moved. It can be undone in the history below."))


@bp.post("/rearrangements/<int:number>/undo")
@answering
def undo(number: int) -> ResponseReturnValue:
    """Put everything back."""
    done = queries.get_rearrangement(db.session, number)
    there = rearranging.undo_rearrangement(db.session, done, by=current_editor(), now=clock.now())
    return _done(there, _("Everything is back where it was."))


@bp.post("/customers/<int:customer_id>/join")
@answering
def join(customer_id: int) -> ResponseReturnValue:
    """Another customer is the same person."""
    customer, form = get_customer(db.session, customer_id), JoinForm()
    number, address = form.other.data, form.address.data or ""
    other = get_customer(db.session, number) if number else find_customer_by_address(db.session, address)
    if other is None:
        raise CustomerNotFound
    joining.join_customer(db.session, customer, other, by=current_editor(), now=clock.now())
    return _about(customer)


@bp.get("/customers/<int:customer_id>/same-person")
@answering
def same_people(customer_id: int) -> ResponseReturnValue:
    """Who is surely she as well, for the page about her."""
    customer = get_customer(db.session, customer_id)
    found = list_same_person(db.session, customer)
    return render("conversations/same_person.html", block="rows", customer=customer, found=found)


@bp.post("/customers/<int:customer_id>/apart")
@answering
def keep_apart(customer_id: int) -> ResponseReturnValue:
    """They are two people, and it is not proposed again."""
    customer = get_customer(db.session, customer_id)
    other = get_customer(db.session, JoinForm().other.data or 0)
    joining.keep_apart(db.session, customer, other, by=current_editor(), now=clock.now())
    flash(_("Kept apart: two people."))
    return _about(customer)


@bp.post("/customers/<int:customer_id>/addresses/<int:address_id>/separate")
@answering
def separate(customer_id: int, address_id: int) -> ResponseReturnValue:
    """She is another person after all."""
    customer = get_customer(db.session, customer_id)
    parted = joining.separate_customer(db.session, customer, address_id, by=current_editor(), now=clock.now())
    for words in parted.kept:
        flash(words)
    return _about(parted.customer)


def _hinted(conversation_id: int) -> tuple[Conversation, Conversation]:
    """A conversation and the one its hint names, both locked; raises NoHint."""
    hint = queries.get_conversation(db.session, conversation_id).hint_conversation_id
    if hint is None:
        raise NoHint
    return rearranging.lock_pair(db.session, conversation_id, hint)


def _about(customer: Customer) -> ResponseReturnValue:
    db.session.commit()
    return redirect(url_for("customers.show", customer_id=customer.id), 303)


def _other() -> int:
    other = OtherForm().other.data
    if other is None:
        raise SameConversation
    return other


def _others(conversation: Conversation) -> tuple[Row, ...]:
    found = list_of_customer(db.session, conversation.customer_id, limit=_MOST)
    return tuple(row for row in found if row.id != conversation.id)


def _locked(message_id: int) -> Message:
    """A mail under the lock of the conversation it is in now."""
    message = queries.get_message(db.session, message_id)
    queries.lock_conversation(db.session, message.conversation_id)
    db.session.refresh(message)
    return message


def _done(conversation: Conversation, words: str) -> ResponseReturnValue:
    db.session.commit()
    flash(words)
    return redirect(url_for("conversations.show", conversation_id=conversation.id), 303)
