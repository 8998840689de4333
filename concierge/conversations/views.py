"""The inbox: three panes, and each verb of a conversation."""

from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, redirect, request, url_for
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.accounts.queries import current_editor, get_editor, list_away
from concierge.conversations import commands, queries, recipients, showing
from concierge.conversations.forms import AssignForm, NoteForm, SnoozeForm, TagForm
from concierge.conversations.listing import (
    Folder,
    Order,
    count_folders,
    list_of_customer,
    list_rows,
    list_tagged,
)
from concierge.conversations.models import Conversation, Direction, SenderNotConfirmed, SnoozeInThePast
from concierge.conversations.naming import list_named
from concierge.conversations.search_terms import parse
from concierge.conversations.searching import search_conversations
from concierge.conversations.showing import Wanted
from concierge.conversations.snoozing import moments, read_moment
from concierge.customers import commands as customers
from concierge.customers.queries import get_customer
from concierge.extensions import db, house_config
from concierge.web.paging import read_place
from concierge.web.rendering import render, wants_block
from concierge.web.security import roles_accepted

bp = Blueprint("conversations", __name__)
answering = roles_accepted("editor", "admin")
PAGE = "conversations/inbox.html"
# What of an address says where in the inbox one stands; links and forms carry it on.
_WHERE = ("folder", "order", "q", "tag", "after")


def init_app(app: Flask) -> None:
    """Register the inbox, and the pages of single mails and files."""
    from concierge.conversations import mails, rearranging_views, wording

    app.register_blueprint(bp)
    app.register_blueprint(rearranging_views.bp)
    app.register_blueprint(mails.bp)
    app.jinja_env.filters.update(state_words=wording.state_words, fare=wording.fare, doubt_words=wording.doubt_words)


@bp.get("/")
def inbox() -> ResponseReturnValue:
    """The folders and the list; the third pane waits for a choice. htmx gets the list alone."""
    return render(PAGE, block="list", talk=None, **_list_values())


@bp.get("/conversations/list")
def refresh_list() -> ResponseReturnValue:
    """The list and the counts as they are now, for a page that is open; nothing when it shows them already."""
    values = _list_values()
    if request.args.get("version") == values["version"]:
        return "", 204
    return render(PAGE, block="refreshed_list", talk=None, **values)


@bp.get("/conversations/<int:conversation_id>")
def show(conversation_id: int) -> ResponseReturnValue:
    """One conversation beside the list it was chosen from. htmx gets the conversation alone."""
    conversation = queries.get_conversation(db.session, conversation_id)
    if conversation.id != conversation_id:  # it was merged
        return redirect(url_for("conversations.show", conversation_id=conversation.id, **_where()))
    list_values = {} if wants_block() else _list_values(current=conversation_id)
    return render(PAGE, block="conversation", **list_values | _talk_values(conversation))


@bp.get("/conversations/<int:conversation_id>/refresh")
def refresh(conversation_id: int) -> ResponseReturnValue:
    """The conversation's head and mails as they are now, for a page that is open; nothing when nothing changed."""
    conversation = queries.get_conversation(db.session, conversation_id)
    if not wants_block():
        return redirect(url_for("conversations.show", conversation_id=conversation.id, **_where()))
    if conversation.id != conversation_id:  # it was merged while the page was open
        there = url_for("conversations.show", conversation_id=conversation.id, **_where())
        return "", 200, {"HX-Redirect": there}
    if request.args.get("version") == queries.last_change(db.session, conversation):
        return "", 204
    return render(PAGE, block="refreshed_talk", **_talk_values(conversation, seen=request.args.get("seen", type=int)))


def _list_values(current: int | None = None) -> dict[str, Any]:
    editor = current_editor()
    here = _where()
    folder = _choice(Folder, here.get("folder")) or Folder.OPEN
    order = _choice(Order, here.get("order")) or Order.WAITING
    after, words, tag = read_place(here.get("after")), here.get("q", "").strip(), here.get("tag", "")
    if words:
        page: Any = search_conversations(db.session, parse(here["q"]), editor=editor, after=after)
    elif tag:
        page = list_tagged(db.session, tag, after=after)
    else:
        page = list_rows(db.session, folder, editor=editor, order=order, after=after)
    counts = count_folders(db.session, editor=editor)
    version = f"{crc32(repr((page, counts)).encode()):x}"
    current = current or request.args.get("current", type=int)
    return {
        "page": page, "counts": counts, "folder": folder, "order": order, "words": words, "tag": tag, "place": here,
        "is_first": after is None, "version": version, "current": current, "tags": queries.list_tags(db.session),
    }  # fmt: skip


def _where() -> dict[str, Any]:
    return {name: request.args[name][:400] for name in _WHERE if request.args.get(name)}


def _choice(kind: Any, value: str | None) -> Any:
    return kind(value) if value in set(kind) else None


def _talk_values(conversation: Conversation, *, seen: int | None = None) -> dict[str, Any]:
    editor = current_editor()
    loading = request.args.get("pictures", type=int)
    wanted = Wanted(request.args.get("plain", type=int), request.args.get("framed", type=int) or loading)
    talk = showing.show(db.session, conversation, editor=editor, seen=seen, wanted=wanted)
    return {
        "talk": talk,
        "away": list_away(db.session, talk.editors, now=clock.now()),
        "named": list_named(db.session, conversation, order_number=house_config().policy.order_number),
        "checks_senders": bool(house_config().receivers),
        "may_answer": editor.may_answer,
        "me": editor,
        "place": _where(),
        "moments": moments(clock.now(), ZoneInfo(editor.timezone)),
        "loading": loading,
        "framed": wanted.framed,
        "plain": wanted.plain,
    }


def _locked(conversation_id: int) -> Conversation:
    return queries.lock_conversation(db.session, conversation_id)


def _kept(conversation: Conversation) -> ResponseReturnValue:
    """Commit a verb; htmx gets the head and the history, everybody else is led back."""
    db.session.commit()
    if wants_block():
        seen = request.args.get("seen", type=int)
        return render(PAGE, block="refreshed_talk", **_talk_values(conversation, seen=seen))
    return redirect(url_for("conversations.show", conversation_id=conversation.id, **_where()), 303)


@bp.post("/messages/<int:message_id>/show-pictures")
@answering
def show_pictures(message_id: int) -> ResponseReturnValue:
    """Fetch the pictures of whoever sent this mail without asking each time; only of a sender that was confirmed."""
    message = queries.get_message(db.session, message_id)
    if not message.authentic or message.direction is not Direction.IN:
        raise SenderNotConfirmed
    customers.show_pictures(db.session, message.from_address, by=current_editor(), now=clock.now())
    return _kept(message.conversation)


@bp.post("/conversations/<int:conversation_id>/assign")
@answering
def assign(conversation_id: int) -> ResponseReturnValue:
    """Make it a colleague's, or one's own."""
    conversation, form, me = _locked(conversation_id), AssignForm(), current_editor()
    editor = get_editor(db.session, form.editor.data) if form.editor.data else me
    commands.assign_conversation(db.session, conversation, editor, by=me, now=clock.now())
    return _kept(conversation)


@bp.post("/conversations/<int:conversation_id>/unassign")
@answering
def unassign(conversation_id: int) -> ResponseReturnValue:
    """Make it nobody's."""
    conversation = _locked(conversation_id)
    commands.unassign_conversation(db.session, conversation, by=current_editor(), now=clock.now())
    return _kept(conversation)


@bp.post("/conversations/<int:conversation_id>/close")
@answering
def close(conversation_id: int) -> ResponseReturnValue:
    """Nothing is left to do."""
    conversation = _locked(conversation_id)
    commands.close_conversation(db.session, conversation, by=current_editor(), now=clock.now())
    return _kept(conversation)


@bp.post("/conversations/<int:conversation_id>/reopen")
@answering
def reopen(conversation_id: int) -> ResponseReturnValue:
    """There is something to do after all."""
    conversation = _locked(conversation_id)
    commands.reopen_conversation(db.session, conversation, by=current_editor(), now=clock.now())
    return _kept(conversation)


@bp.post("/conversations/<int:conversation_id>/snooze")
@answering
def snooze(conversation_id: int) -> ResponseReturnValue:
    """Out of sight until a moment by name, or one she writes."""
    conversation, form, me, now = _locked(conversation_id), SnoozeForm(), current_editor(), clock.now()
    zone = ZoneInfo(me.timezone)
    named = {moment.preset.value: moment.at for moment in moments(now, zone)}
    until = named.get(form.preset.data or "") or read_moment(form.until.data or "", zone)
    if until is None:
        raise SnoozeInThePast
    commands.snooze_conversation(db.session, conversation, until=until, by=me, now=now)
    return _kept(conversation)


@bp.post("/conversations/<int:conversation_id>/wake")
@answering
def wake(conversation_id: int) -> ResponseReturnValue:
    """Back in sight."""
    conversation = _locked(conversation_id)
    commands.wake_conversation(db.session, conversation, by=current_editor(), now=clock.now())
    return _kept(conversation)


@bp.post("/conversations/<int:conversation_id>/tag")
@answering
def tag(conversation_id: int) -> ResponseReturnValue:
    """Put a tag on it."""
    conversation, name = _locked(conversation_id), TagForm().tag.data or ""
    commands.tag_conversation(db.session, conversation, name=name, by=current_editor(), now=clock.now())
    return _kept(conversation)


@bp.post("/conversations/<int:conversation_id>/untag")
@answering
def untag(conversation_id: int) -> ResponseReturnValue:
    """Take a tag off it."""
    conversation, name = _locked(conversation_id), TagForm().tag.data or ""
    commands.untag_conversation(db.session, conversation, name=name, by=current_editor(), now=clock.now())
    return _kept(conversation)


@bp.post("/conversations/<int:conversation_id>/mark-not-for-us")
@answering
def mark_not_for_us(conversation_id: int) -> ResponseReturnValue:
    """Spam, offers, misdirected mail."""
    conversation = _locked(conversation_id)
    commands.mark_not_for_us(db.session, conversation, by=current_editor(), now=clock.now())
    return _kept(conversation)


@bp.post("/conversations/<int:conversation_id>/unmark-not-for-us")
@answering
def unmark_not_for_us(conversation_id: int) -> ResponseReturnValue:
    """It is for us after all."""
    conversation = _locked(conversation_id)
    commands.unmark_not_for_us(db.session, conversation, by=current_editor(), now=clock.now())
    return _kept(conversation)


@bp.post("/conversations/<int:conversation_id>/answer-elsewhere")
@answering
def answer_elsewhere(conversation_id: int) -> ResponseReturnValue:
    """Answers go where her newest mail asks."""
    recipients.answer_elsewhere(db.session, _locked(conversation_id), by=current_editor(), now=clock.now())
    db.session.commit()
    return redirect(url_for("conversations.show", conversation_id=conversation_id, **_where()), 303)


@bp.post("/conversations/<int:conversation_id>/answer-sender")
@answering
def answer_sender(conversation_id: int) -> ResponseReturnValue:
    """Answers go to the customer again."""
    recipients.answer_sender(db.session, _locked(conversation_id), by=current_editor(), now=clock.now())
    db.session.commit()
    return redirect(url_for("conversations.show", conversation_id=conversation_id, **_where()), 303)


@bp.post("/conversations/<int:conversation_id>/notes")
def add_note(conversation_id: int) -> ResponseReturnValue:
    """Leave a remark for colleagues; whoever reads may do so."""
    conversation, text = _locked(conversation_id), NoteForm().text.data or ""
    commands.add_note(db.session, conversation, text=text, by=current_editor(), now=clock.now())
    return _kept(conversation)


@bp.post("/conversations/<int:conversation_id>/mentions/seen")
def see_mentions(conversation_id: int) -> ResponseReturnValue:
    """The notes here that name her are read."""
    conversation = _locked(conversation_id)
    commands.see_mentions(db.session, conversation, by=current_editor(), now=clock.now())
    return _kept(conversation)


@bp.get("/customers/<int:customer_id>/conversations")
def of_customer(customer_id: int) -> ResponseReturnValue:
    """A customer's conversations, for the page about her."""
    get_customer(db.session, customer_id)
    rows = list_of_customer(db.session, customer_id, limit=50)
    return render("conversations/of_customer.html", block="rows", rows=rows)
