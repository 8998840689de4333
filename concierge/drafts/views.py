"""The composer's pages: write, send, call back, send later, discard; files; the mail as it will arrive."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from io import BytesIO
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Flask, jsonify, redirect, request, send_file
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.conversations import queries as conversations
from concierge.conversations.models import Conversation
from concierge.drafts import (
    body,
    commands,
    desk,
    fate,
    filling,
    moments,
    moving,
    pages,
    queries,
    sheet,
    template_preview,
    wording,
)
from concierge.drafts.commands import Content, Sending
from concierge.drafts.forms import AnswerForm
from concierge.drafts.gate import Objection, Reason
from concierge.drafts.models import (
    AlreadySent,
    AttachmentNotFound,
    Draft,
    DraftLeaving,
    DraftNotFound,
    DraftStale,
    EmptyFile,
    FormUnread,
    MayNotAnswer,
    NotSendable,
    SendInThePast,
    TooLarge,
)
from concierge.drafts.sheet import Typed
from concierge.extensions import db, house_blobs, house_config
from concierge.templating import queries as templating
from concierge.templating.rendering import FieldMissing
from concierge.web.rendering import render, wants_block

bp = Blueprint("drafts", __name__, url_prefix="/conversations/<int:conversation_id>/draft")


def init_app(app: Flask) -> None:
    """Register the composer, and the previews."""
    app.register_blueprint(bp)
    app.register_blueprint(pages.bp)
    app.register_blueprint(template_preview.bp)
    moving.register()


_NOT_KEPT = (DraftStale, DraftNotFound, DraftLeaving, TooLarge, EmptyFile, SendInThePast)


def nothing_lost(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """What could not be saved is shown again as it was typed, with the reason."""

    @wraps(view)
    def kept(conversation_id: int, **values: object) -> ResponseReturnValue:
        try:
            return view(conversation_id, **values)
        except AlreadySent as error:
            db.session.rollback()
            if _wants_json():
                return jsonify(message=error.sentence()), error.status
            conversation = conversations.get_conversation(db.session, conversation_id)
            return _page(conversation, sentence=error.sentence(), status=error.status)
        except _NOT_KEPT as error:
            db.session.rollback()
            if _wants_json():
                return jsonify(message=error.sentence()), error.status
            form = AnswerForm()
            if not form.has_body:
                raise
            conversation = conversations.get_conversation(db.session, conversation_id)
            if isinstance(error, DraftLeaving) and view.__name__ == send.__name__:
                return _back(conversation, form)  # pressed twice: the first press counts
            typed = Typed(_content(form, None), is_stale=isinstance(error, DraftStale))
            seen = form.seen_message_id.data or 0
            return _page(
                conversation, seen_message_id=seen, typed=typed, sentence=error.sentence(), status=error.status
            )

    return kept


@bp.get("")
def show(conversation_id: int) -> ResponseReturnValue:
    """Her answer as it stands: being written, or on its way. `?seen=` is the last mail the page around it shows."""
    conversation = conversations.get_conversation(db.session, conversation_id)
    return _page(conversation, seen_message_id=request.args.get("seen", type=int))


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
    conversation, form = _begin(conversation_id)
    draft = _saved(conversation, form)
    db.session.commit()
    if _wants_json():
        return jsonify(version=draft.version, saved_at=draft.updated_at.isoformat())
    return _back(conversation, form)


@bp.post("/send")
@nothing_lost
def send(conversation_id: int) -> ResponseReturnValue:
    """Send it, in ten seconds or at the moment chosen; when the gate objects, nothing is sent and nothing is lost."""
    conversation, form = _begin(conversation_id)
    draft, now = _saved(conversation, form), clock.now()
    due_at = _due_at(conversation, form, now)
    later = form.when.data not in {None, "", "now"}
    sending = Sending(form.seen_message_id.data, due_at, form.waved_through, send_later=later)
    try:
        commands.send_draft(
            db.session, draft, sending, version=draft.version, limit=desk.house().limit, by=desk.editor(), now=now
        )
    except NotSendable as refused:
        db.session.commit()  # what she wrote stays
        return _page(
            conversation, seen_message_id=form.seen_message_id.data or 0, objections=refused.objections, status=409
        )
    db.session.commit()
    return _back(conversation, form, sent=1)


@bp.post("/undo")
def undo(conversation_id: int) -> ResponseReturnValue:
    """Call it back, to be written on."""
    conversation, form = _begin(conversation_id)
    draft = queries.get_draft(db.session, conversation_id, desk.editor().id)
    commands.undo_draft(db.session, draft, by=desk.editor(), now=clock.now())
    db.session.commit()
    return _back(conversation, form)


@bp.post("/discard")
def discard(conversation_id: int) -> ResponseReturnValue:
    """Throw it away."""
    conversation, form = _begin(conversation_id)
    if draft := queries.find_draft(db.session, conversation_id, desk.editor().id):
        commands.discard_draft(db.session, draft, by=desk.editor(), now=clock.now())
    db.session.commit()
    return _back(conversation, form)


@bp.post("/fill")
@nothing_lost
def fill(conversation_id: int) -> ResponseReturnValue:
    """Fill it from a template; one that speaks of a product asks for it first, and for what to show beside it."""
    conversation, form = _begin(conversation_id)
    draft = _saved(conversation, form)
    template = templating.get_template(db.session, form.template_id.data or 0)
    version = template.version_for(draft.language)
    sku, alternative = form.sku.data or None, form.alternative.data
    if sku and not alternative and filling.alternatives_for(db.session, version, sku):
        db.session.commit()
        return _back(conversation, form, "/product", template_id=template.id, sku=sku)
    chosen = filling.Chosen(sku, alternative if alternative != filling.WITHOUT else None)
    try:
        filling.fill_from_template(db.session, draft, version, chosen, now=clock.now())
    except FieldMissing:
        db.session.commit()
        return _back(conversation, form, "/product", template_id=template.id)
    db.session.commit()
    return _back(conversation, form)


@bp.post("/<any(templates, product, preview):place>")
@nothing_lost
def leave_for(conversation_id: int, place: str) -> ResponseReturnValue:
    """Keep what is written, then go to another page: the templates, the products, the mail as it will arrive."""
    conversation, form = _begin(conversation_id)
    _saved(conversation, form)
    db.session.commit()
    return _back(conversation, form, f"/{place}")


@bp.post("/card")
@nothing_lost
def insert_card(conversation_id: int) -> ResponseReturnValue:
    """Put a product's card into the text."""
    conversation, form = _begin(conversation_id)
    commands.insert_product_card(db.session, _saved(conversation, form), form.sku.data or "", now=clock.now())
    db.session.commit()
    return _back(conversation, form)


@bp.post("/files")
@nothing_lost
def attach(conversation_id: int) -> ResponseReturnValue:
    """Attach files; whatever else the form carries is kept too."""
    conversation, form = _begin(conversation_id)
    _saved(conversation, form)
    db.session.commit()
    return _back(conversation, form)


@bp.post("/files/<int:attachment_id>/detach")
@nothing_lost
def detach(conversation_id: int, attachment_id: int) -> ResponseReturnValue:
    """Take a file out again."""
    conversation, form = _begin(conversation_id)
    commands.detach_file(db.session, _saved(conversation, form), attachment_id, now=clock.now())
    db.session.commit()
    return _back(conversation, form)


@bp.post("/files/<int:attachment_id>/place")
@nothing_lost
def place(conversation_id: int, attachment_id: int) -> ResponseReturnValue:
    """Show an attached picture in the text."""
    conversation, form = _begin(conversation_id)
    commands.place_picture(db.session, _saved(conversation, form), attachment_id, now=clock.now())
    db.session.commit()
    return _back(conversation, form)


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


def _begin(conversation_id: int) -> tuple[Conversation, AnswerForm]:
    if not desk.editor().may_answer:
        raise MayNotAnswer
    form = AnswerForm()
    if not form.validate():
        raise FormUnread
    return conversations.get_conversation(db.session, conversation_id), form


def _saved(conversation: Conversation, form: AnswerForm) -> Draft:
    """Her draft with what the form carries: the text, and files."""
    now = clock.now()
    _require_unsent(conversation, form)
    known = queries.find_draft(db.session, conversation.id, desk.editor().id)
    if known is None and form.version.data:
        raise DraftNotFound
    draft = known or commands.open_draft(db.session, conversation, by=desk.editor(), now=now)
    if form.has_body:
        content = _content(form, draft)
        commands.save_draft(db.session, draft, content, version=form.version.data or 0, now=now)
    for file in filter(None, form.files.data or ()):
        if not getattr(file, "filename", ""):
            continue
        data = file.read()
        commands.attach_file(
            db.session,
            draft,
            filename=file.filename,
            content_type=file.mimetype,
            size=len(data),
            blob_key=house_blobs().put(data),
            limit=desk.house().limit,
            now=now,
        )
    return draft


def _require_unsent(conversation: Conversation, form: AnswerForm) -> None:
    """A form may come late, or again, when what it says has left: on a poor line, or after a reload."""
    written = _content(form, None).body
    files = {wording.file_name(file.filename) for file in form.files.data or () if getattr(file, "filename", "")}
    seen = form.seen_message_id.data
    if written and queries.was_sent(
        db.session, conversation.id, desk.editor().id, written, files, seen_message_id=seen
    ):
        raise AlreadySent


def _content(form: AnswerForm, draft: Draft | None) -> Content:
    rich = bool(form.body_html.raw_data)
    written = body.clean(form.body_html.data or "") if rich else body.from_text(form.body_text.data or "")
    subject = form.subject.data if form.subject.raw_data else (draft.subject if draft else "")
    return Content(written, subject or "")


def _due_at(conversation: Conversation, form: AnswerForm, now: datetime) -> datetime:
    if form.when.data in {None, "", "now"}:
        return now + house_config().policy.undo_window
    zone = sheet.zone_of(conversation, house_config().policy.zone)
    chosen = form.at.data if form.when.data == "at" else form.when.data
    moment = moments.read(chosen or "", now, zone)
    if moment is None or moment <= now:
        raise SendInThePast
    return moment


def _page(
    conversation: Conversation,
    *,
    seen_message_id: int | None = None,
    typed: Typed | None = None,
    objections: tuple[Objection, ...] = (),
    sentence: str = "",
    status: int = 200,
) -> ResponseReturnValue:
    laid = sheet.spread(
        db.session,
        conversation,
        desk.editor(),
        house_zone=house_config().policy.zone,
        now=clock.now(),
        seen_message_id=seen_message_id,
        typed=typed,
        objections=objections,
    )
    left = (laid.draft.due_at - clock.now()).total_seconds() if laid.draft and laid.draft.due_at else 0
    page = render(
        "drafts/composer.html",
        block="composer",
        sheet=laid,
        sentence=sentence,
        undo_seconds=max(0, round(left)),
        undo_total=house_config().policy.undo_seconds,
        is_block=wants_block(),
        within=_around(),
        just_sent="sent" in request.args,
        mark=fate.mark_of(laid.draft) if laid.draft else "",
        recipient_changed=any(each.reason is Reason.OTHER_RECIPIENT for each in objections),
    )
    return page, status


def _back(conversation: Conversation, form: AnswerForm, path: str = "", **values: object) -> ResponseReturnValue:
    """To the composer again: the block htmx swaps, the conversation around it, or the composer's own page."""
    if not path and not wants_block() and request.values.get("within") == "conversation":
        return redirect(f"/conversations/{conversation.id}#draft", 303)
    seen = {"seen": form.seen_message_id.data} if form.seen_message_id.data is not None else {}
    query = urlencode({**values, **seen})
    return redirect(f"/conversations/{conversation.id}/draft{path}{'?' if query else ''}{query}", 303)


def _around() -> str:
    """Where the composer stands, so that its plain forms lead back there: under a conversation, or on its own page."""
    around = urlsplit(request.headers.get("HX-Current-URL", request.path)).path.rstrip("/")
    return "" if around.endswith("/draft") or "/draft/" in around else "conversation"


def _wants_json() -> bool:
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
