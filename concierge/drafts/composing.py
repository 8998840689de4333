"""The composer's form and its page, for whoever lets an answer leave: what it carries is kept, and shown again."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from urllib.parse import urlencode, urlsplit

from flask import jsonify, redirect, request
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.conversations import queries as conversations
from concierge.conversations.models import Conversation
from concierge.drafts import body, commands, desk, fate, queries, sheet, wording
from concierge.drafts.commands import Content
from concierge.drafts.forms import AnswerForm
from concierge.drafts.gate import Objection, Reason
from concierge.drafts.models import (
    AlreadySent,
    Draft,
    DraftLeaving,
    DraftNotFound,
    DraftStale,
    EmptyFile,
    FormUnread,
    MayNotAnswer,
    SendInThePast,
    TooLarge,
)
from concierge.drafts.sheet import Typed
from concierge.extensions import db, house_blobs, house_config
from concierge.web.rendering import render, wants_block

# What a moment is said in, see `followups.moments`.
LONGEST_PHRASE = 200
_NOT_KEPT = (DraftStale, DraftNotFound, DraftLeaving, TooLarge, EmptyFile, SendInThePast)


@dataclass(frozen=True, slots=True)
class Planning:
    """When it is to leave as a follow-up, as it was typed; whether that was tried, and what is wrong with when."""

    phrase: str = ""
    was_tried: bool = False
    refusal: str = ""


NOT_PLANNING = Planning()


def nothing_lost(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """What could not be saved is shown again as it was typed, with the reason."""

    @wraps(view)
    def kept(conversation_id: int, **values: object) -> ResponseReturnValue:
        try:
            return view(conversation_id, **values)
        except AlreadySent as error:
            db.session.rollback()
            if wants_json():
                return jsonify(message=error.sentence()), error.status
            conversation = conversations.get_conversation(db.session, conversation_id)
            return show_page(conversation, sentence=error.sentence(), status=error.status)
        except _NOT_KEPT as error:
            db.session.rollback()
            if wants_json():
                return jsonify(message=error.sentence()), error.status
            form = AnswerForm()
            if not form.has_body:
                raise
            conversation = conversations.get_conversation(db.session, conversation_id)
            if isinstance(error, DraftLeaving) and view.__name__ == "send":
                return lead_back(conversation, form)  # pressed twice: the first press counts
            typed = Typed(content_of(form), is_stale=isinstance(error, DraftStale))
            seen = form.seen_message_id.data or 0
            return show_page(
                conversation, seen_message_id=seen, typed=typed, sentence=error.sentence(), status=error.status
            )

    return kept


def begin(conversation_id: int) -> tuple[Conversation, AnswerForm]:
    """The conversation and what the form carries; raises MayNotAnswer, FormUnread."""
    if not desk.editor().may_answer:
        raise MayNotAnswer
    form = AnswerForm()
    if not form.validate():
        raise FormUnread
    return conversations.get_conversation(db.session, conversation_id), form


def keep(conversation: Conversation, form: AnswerForm) -> Draft:
    """Her draft with what the form carries: the text, and files; not committed yet.

    Raises what `nothing_lost` tells: DraftStale, DraftNotFound, DraftLeaving, TooLarge, EmptyFile, AlreadySent.
    """
    now = clock.now()
    _require_unsent(conversation, form)
    known = queries.find_draft(db.session, conversation.id, desk.editor().id)
    if known is None and form.version.data:
        raise DraftNotFound
    draft = known or commands.open_draft(db.session, conversation, by=desk.editor(), now=now)
    if form.has_body:
        content = content_of(form, draft)
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
    written = content_of(form).body
    files = {wording.file_name(file.filename) for file in form.files.data or () if getattr(file, "filename", "")}
    seen = form.seen_message_id.data
    if written and queries.was_sent(
        db.session, conversation.id, desk.editor().id, written, files, seen_message_id=seen
    ):
        raise AlreadySent


def content_of(form: AnswerForm, draft: Draft | None = None) -> Content:
    """What was written, as the form carries it; the subject of `draft` where the form has none."""
    rich = bool(form.body_html.raw_data)
    written = body.clean(form.body_html.data or "") if rich else body.from_text(form.body_text.data or "")
    subject = form.subject.data if form.subject.raw_data else (draft.subject if draft else "")
    return Content(written, subject or "")


def show_page(
    conversation: Conversation,
    *,
    seen_message_id: int | None = None,
    typed: Typed | None = None,
    objections: tuple[Objection, ...] = (),
    sentence: str = "",
    planning: Planning | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    """Her answer as it stands, or as it was typed, with what speaks against it.

    It names its place, for htmx shows nothing of most errors where it is not told to.
    """
    page = draw_page(
        conversation,
        seen_message_id=seen_message_id,
        typed=typed,
        objections=objections,
        sentence=sentence,
        planning=planning or Planning(request.form.get("phrase", "")[:LONGEST_PHRASE]),
    )
    return page, status, {"HX-Retarget": "#draft"} if wants_block() and status >= 400 else {}


def draw_page(
    conversation: Conversation,
    *,
    seen_message_id: int | None = None,
    typed: Typed | None = None,
    objections: tuple[Objection, ...] = (),
    sentence: str = "",
    planning: Planning = NOT_PLANNING,
) -> str:
    """The same, without its status: the block htmx swaps, or the whole page."""
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
    return render(
        "drafts/composer.html",
        block="composer",
        sheet=laid,
        sentence=sentence,
        planning=planning,
        undo_seconds=max(0, round(left)),
        undo_total=house_config().policy.undo_seconds,
        is_block=wants_block(),
        within=_around(),
        just_sent="sent" in request.args,
        mark=fate.mark_of(laid.draft) if laid.draft else "",
        recipient_changed=any(each.reason is Reason.OTHER_RECIPIENT for each in objections),
    )


def lead_back(conversation: Conversation, form: AnswerForm, path: str = "", **values: object) -> ResponseReturnValue:
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


def wants_json() -> bool:
    """Whether the script that saves by itself asks, and no page is to be shown."""
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
