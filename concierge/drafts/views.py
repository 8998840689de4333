"""The composer's pages: write, send, call back, send later, discard; files; the mail as it will arrive."""

from datetime import datetime
from io import BytesIO

from flask import Blueprint, Flask, jsonify, request, send_file
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.conversations import queries as conversations
from concierge.conversations.models import Conversation
from concierge.drafts import (
    commands,
    composing,
    desk,
    filling,
    moments,
    moving,
    pages,
    queries,
    sheet,
    template_preview,
)
from concierge.drafts.commands import Sending
from concierge.drafts.composing import nothing_lost
from concierge.drafts.forms import AnswerForm
from concierge.drafts.models import (
    AttachmentNotFound,
    NotSendable,
    SendInThePast,
)
from concierge.extensions import db, house_blobs, house_config
from concierge.templating import queries as templating
from concierge.templating.rendering import FieldMissing
from concierge.web.rendering import render

bp = Blueprint("drafts", __name__, url_prefix="/conversations/<int:conversation_id>/draft")


def init_app(app: Flask) -> None:
    """Register the composer, and the previews."""
    app.register_blueprint(bp)
    app.register_blueprint(pages.bp)
    app.register_blueprint(template_preview.bp)
    moving.register()


@bp.get("")
def show(conversation_id: int) -> ResponseReturnValue:
    """Her answer as it stands: being written, or on its way. `?seen=` is the last mail the page around it shows."""
    conversation = conversations.get_conversation(db.session, conversation_id)
    return composing.show_page(conversation, seen_message_id=request.args.get("seen", type=int))


@bp.get("/presence")
def presence(conversation_id: int) -> ResponseReturnValue:
    """Who else is writing here, and whether something newer came: a small block that keeps itself fresh."""
    conversation = conversations.get_conversation(db.session, conversation_id)
    seen = request.args.get("seen", type=int)
    others = queries.list_drafts_of_others(db.session, conversation.id, desk.editor().id)
    newer = queries.newer_messages(db.session, conversation.id, seen)
    return render("drafts/presence.html", conversation=conversation, others=others, newer=newer, seen=seen or 0)


@bp.post("")
@nothing_lost
def save(conversation_id: int) -> ResponseReturnValue:
    """Keep what is written so far; the rich editor calls this after every pause."""
    conversation, form = composing.begin(conversation_id)
    draft = composing.keep(conversation, form)
    db.session.commit()
    if composing.wants_json():
        return jsonify(version=draft.version, saved_at=draft.updated_at.isoformat())
    return composing.lead_back(conversation, form)


@bp.post("/send")
@nothing_lost
def send(conversation_id: int) -> ResponseReturnValue:
    """Send it, in ten seconds or at the moment chosen; when the gate objects, nothing is sent and nothing is lost."""
    conversation, form = composing.begin(conversation_id)
    draft, now = composing.keep(conversation, form), clock.now()
    due_at = _due_at(conversation, form, now)
    later = form.when.data not in {None, "", "now"}
    sending = Sending(form.seen_message_id.data, due_at, form.waved_through, send_later=later)
    try:
        commands.send_draft(
            db.session, draft, sending, version=draft.version, limit=desk.house().limit, by=desk.editor(), now=now
        )
    except NotSendable as refused:
        db.session.commit()  # what she wrote stays
        return composing.show_page(
            conversation, seen_message_id=form.seen_message_id.data or 0, objections=refused.objections, status=409
        )
    db.session.commit()
    return composing.lead_back(conversation, form, sent=1)


@bp.post("/undo")
def undo(conversation_id: int) -> ResponseReturnValue:
    """Call it back, to be written on."""
    conversation, form = composing.begin(conversation_id)
    draft = queries.get_draft(db.session, conversation_id, desk.editor().id)
    commands.undo_draft(db.session, draft, by=desk.editor(), now=clock.now())
    db.session.commit()
    return composing.lead_back(conversation, form)


@bp.post("/discard")
def discard(conversation_id: int) -> ResponseReturnValue:
    """Throw it away."""
    conversation, form = composing.begin(conversation_id)
    if draft := queries.find_draft(db.session, conversation_id, desk.editor().id):
        commands.discard_draft(db.session, draft, by=desk.editor(), now=clock.now())
    db.session.commit()
    return composing.lead_back(conversation, form)


@bp.post("/fill")
@nothing_lost
def fill(conversation_id: int) -> ResponseReturnValue:
    """Fill it from a template; one that speaks of a product asks for it first, and for what to show beside it."""
    conversation, form = composing.begin(conversation_id)
    draft = composing.keep(conversation, form)
    template = templating.get_template(db.session, form.template_id.data or 0)
    version = template.version_for(draft.language)
    sku, alternative = form.sku.data or None, form.alternative.data
    if sku and not alternative and filling.alternatives_for(db.session, version, sku):
        db.session.commit()
        return composing.lead_back(conversation, form, "/product", template_id=template.id, sku=sku)
    chosen = filling.Chosen(sku, alternative if alternative != filling.WITHOUT else None)
    try:
        filling.fill_from_template(db.session, draft, version, chosen, now=clock.now())
    except FieldMissing:
        db.session.commit()
        return composing.lead_back(conversation, form, "/product", template_id=template.id)
    db.session.commit()
    return composing.lead_back(conversation, form)


@bp.post("/<any(templates, product, preview):place>")
@nothing_lost
def leave_for(conversation_id: int, place: str) -> ResponseReturnValue:
    """Keep what is written, then go to another page: the templates, the products, the mail as it will arrive."""
    conversation, form = composing.begin(conversation_id)
    composing.keep(conversation, form)
    db.session.commit()
    return composing.lead_back(conversation, form, f"/{place}")


@bp.post("/card")
@nothing_lost
def insert_card(conversation_id: int) -> ResponseReturnValue:
    """Put a product's card into the text."""
    conversation, form = composing.begin(conversation_id)
    commands.insert_product_card(db.session, composing.keep(conversation, form), form.sku.data or "", now=clock.now())
    db.session.commit()
    return composing.lead_back(conversation, form)


@bp.post("/files")
@nothing_lost
def attach(conversation_id: int) -> ResponseReturnValue:
    """Attach files; whatever else the form carries is kept too."""
    conversation, form = composing.begin(conversation_id)
    composing.keep(conversation, form)
    db.session.commit()
    return composing.lead_back(conversation, form)


@bp.post("/files/<int:attachment_id>/detach")
@nothing_lost
def detach(conversation_id: int, attachment_id: int) -> ResponseReturnValue:
    """Take a file out again."""
    conversation, form = composing.begin(conversation_id)
    commands.detach_file(db.session, composing.keep(conversation, form), attachment_id, now=clock.now())
    db.session.commit()
    return composing.lead_back(conversation, form)


@bp.post("/files/<int:attachment_id>/place")
@nothing_lost
def place(conversation_id: int, attachment_id: int) -> ResponseReturnValue:
    """Show an attached picture in the text."""
    conversation, form = composing.begin(conversation_id)
    commands.place_picture(db.session, composing.keep(conversation, form), attachment_id, now=clock.now())
    db.session.commit()
    return composing.lead_back(conversation, form)


@bp.get("/files/<int:attachment_id>/picture")
def picture(conversation_id: int, attachment_id: int) -> ResponseReturnValue:
    """An attached picture as the mail will show it: drawn anew by us, so whatever else was in the file is gone."""
    found = queries.get_attachment(db.session, conversation_id, desk.editor().id, attachment_id)
    twin = desk.faces().placed(found.blob_key)
    if twin is None:
        raise AttachmentNotFound
    return send_file(BytesIO(house_blobs().get(twin.key)), "image/jpeg")


@bp.get("/files/<int:attachment_id>")
def download(conversation_id: int, attachment_id: int) -> ResponseReturnValue:
    """One of her draft's files, to be saved, never to be shown as a page."""
    found = queries.get_attachment(db.session, conversation_id, desk.editor().id, attachment_id)
    response = send_file(
        BytesIO(house_blobs().get(found.blob_key)),
        "application/octet-stream",
        as_attachment=True,
        download_name=found.filename,
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def _due_at(conversation: Conversation, form: AnswerForm, now: datetime) -> datetime:
    if form.when.data in {None, "", "now"}:
        return now + house_config().policy.undo_window
    zone = sheet.zone_of(conversation, house_config().policy.zone)
    chosen = form.at.data if form.when.data == "at" else form.when.data
    moment = moments.read(chosen or "", now, zone)
    if moment is None or moment <= now:
        raise SendInThePast
    return moment
