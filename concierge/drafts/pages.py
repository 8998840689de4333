"""Pages around the composer: choosing a template or a product, and the mail as it will arrive."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from concierge.catalogue import queries as catalogue
from concierge.catalogue.cards import card_of
from concierge.conversations import queries as conversations
from concierge.drafts import desk, filling, letter, queries
from concierge.drafts.fate import find_fate
from concierge.drafts.letter import Finished
from concierge.extensions import db, house_blobs
from concierge.mailing import sheets
from concierge.templating import queries as templating
from concierge.web.rendering import render
from concierge.web.security import FRAMED_MAIL_POLICY

bp = Blueprint("draft_pages", __name__)
_DRAFT = "/conversations/<int:conversation_id>/draft"


@bp.get(f"{_DRAFT}/templates")
def choose_template(conversation_id: int) -> ResponseReturnValue:
    """Choose a template, where no script shows the picker."""
    conversation = conversations.get_conversation(db.session, conversation_id)
    words = request.args.get("q", "")[:200]
    language = queries.language_of(conversation)
    return render(
        "drafts/templates.html",
        block="templates",
        conversation=conversation,
        words=words,
        choices=templating.pick_templates(db.session, language=language, text=words),
        draft=queries.find_draft(db.session, conversation_id, desk.editor().id),
        seen=request.args.get("seen", 0, type=int),
    )


@bp.get(f"{_DRAFT}/product")
def choose_product(conversation_id: int) -> ResponseReturnValue:
    """Choose a product: for the template `?template_id=`, else to put its card into the text.

    With the product it speaks of, `?sku=`, what to show beside it: first what is there in the same size.
    """
    conversation = conversations.get_conversation(db.session, conversation_id)
    template_id, sku, words = request.args.get("template_id", type=int), request.args.get("sku"), request.args.get("q")
    gone = catalogue.get_variant_by_sku(db.session, sku) if sku and template_id else None
    if words is None:
        words = "" if gone else queries.product_words(db.session, conversation)
    beside = gone is not None and not words
    found = (
        catalogue.list_alternatives(db.session, gone)
        if gone and beside
        else catalogue.search_variants(db.session, words[:200])
    )
    cards = catalogue.cards(db.session, [each.sku for each in found], queries.language_of(conversation))
    return render(
        "drafts/product.html",
        block="product",
        conversation=conversation,
        chosen=templating.get_template(db.session, template_id) if template_id else None,
        words=words[:200],
        gone=card_of(gone, queries.language_of(conversation)) if gone else None,
        without=filling.WITHOUT,
        cards=[cards[each.sku] for each in found if each.sku in cards],
        draft=queries.find_draft(db.session, conversation_id, desk.editor().id),
        seen=request.args.get("seen", 0, type=int),
    )


@bp.get(f"{_DRAFT}/preview")
def preview(conversation_id: int) -> ResponseReturnValue:
    """Her answer as the mail it will be: subject, who writes to whom, and the mail in a frame."""
    draft = queries.get_draft(db.session, conversation_id, desk.editor().id)
    return render(
        "drafts/preview.html",
        block="preview_mail",
        conversation=draft.conversation,
        mail=_finished(conversation_id).mail,
        version=draft.version,
        seen=request.args.get("seen", 0, type=int),
    )


@bp.get(f"{_DRAFT}/fate")
def fate(conversation_id: int) -> ResponseReturnValue:
    """What became of her answer `?mark=` when its ten seconds were over; `?asked=` times before."""
    conversation = conversations.get_conversation(db.session, conversation_id)
    mark = request.args.get("mark", "")[:80]
    became = find_fate(db.session, conversation_id, desk.editor().id, mark)
    return render(
        "drafts/fate.html",
        conversation=conversation,
        became=became,
        sentences=[each.sentence() for each in became.reasons] if became else [],
        mark=mark,
        asked=request.args.get("asked", 0, type=int),
    )


@bp.get(f"{_DRAFT}/mail")
def mail(conversation_id: int) -> ResponseReturnValue:
    """The mail itself, for the frame."""
    return _mail_page(_finished(conversation_id))


def _finished(conversation_id: int) -> Finished:
    draft = queries.get_draft(db.session, conversation_id, desk.editor().id)
    house = desk.house()
    written = queries.written(db.session, draft, secret=house.secret, zone=house.zone)
    return letter.compose(written, desk.faces())


def _mail_page(finished: Finished) -> Response:
    response = Response(self_contained(finished), mimetype="text/html")
    response.headers["Content-Security-Policy"] = FRAMED_MAIL_POLICY
    return response


def self_contained(finished: Finished) -> str:
    """The mail's HTML with the pictures it carries written into it."""
    return sheets.self_contained(finished.mail.html or "", finished.mail.pictures, house_blobs().get)
