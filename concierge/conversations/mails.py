"""Single mails and their files: HTML on a page of its own that can do nothing, files that are only ever saved."""

from datetime import timedelta
from io import BytesIO

from flask import Blueprint, Response, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from concierge import tokens
from concierge.blobs import BlobMissing
from concierge.conversations import display, looks, queries
from concierge.conversations.models import AttachmentNotFound, Direction, Message, MessageNotFound
from concierge.extensions import db, house_blobs, house_config
from concierge.mailing.sheets import is_folded, unfold
from concierge.web.rendering import render
from concierge.web.security import public

bp = Blueprint("mails", __name__)

_PURPOSE = "picture"
_PICTURE_LIFE = timedelta(hours=12)
# Types a browser may be told when it saves a file; anything else, HTML and SVG first of all, is just bytes (T19).
_TOLD_TYPES = frozenset(
    {"application/pdf", "image/gif", "image/jpeg", "image/png", "image/webp", "image/heic", "text/calendar", "text/csv"}
)
_CAN_DO_NOTHING = "; ".join(
    (
        "sandbox allow-popups allow-popups-to-escape-sandbox",
        "default-src 'none'",
        "img-src 'self'{pictures}",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
_SEALED = "sandbox; default-src 'none'; frame-ancestors 'none'"


@bp.get("/messages/<int:message_id>/body")
def body(message_id: int) -> ResponseReturnValue:
    """A mail's HTML, cleaned, on a page without our origin, script or anything from elsewhere (T15–T18).

    With ?pictures=1, after a click, pictures from elsewhere are let in; or where somebody said so of its sender.
    """
    message = queries.get_message(db.session, message_id)
    load = request.args.get("pictures") == "1" or message.id in queries.list_loading(db.session, [message])
    html, addresses = _designed(message)
    shown, sheet = None, ""
    if html and display.is_showable(html):
        label = _("Earlier in this conversation")
        if message.direction is Direction.OUT:
            shown, sheet = looks.lay_out_letter(html, pictures=addresses, fold_label=label)
        else:
            shown = display.clean(html, pictures=addresses, fold_label=label, load_pictures=load)
    page = render("conversations/body.html", message=message, shown=shown, sheet=sheet)
    response = Response(page)
    pictures = " https: http:" if load else ""
    response.headers["Content-Security-Policy"] = _CAN_DO_NOTHING.format(pictures=pictures)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _designed(message: Message) -> tuple[str, dict[str, str]]:
    """A mail's HTML, and our address for each of its pictures; a letter sent to many is filled in from its sheet."""
    delivery = message.delivery
    if message.html is not None or delivery is None or not is_folded(delivery.content):
        return message.html or "", _addresses(message, {each.cid: str(each.id) for each in message.attachments})
    try:
        mail = unfold(delivery.content, house_blobs().get)
    except BlobMissing:
        return "", {}
    return mail.html or "", _addresses(message, {each.cid: each.blob_key for each in mail.pictures})


def _addresses(message: Message, pictures: dict[str | None, str]) -> dict[str, str]:
    """Our address for each picture, named by its number or blob; the frame sends no cookie, so the address is proof."""
    secret = house_config().secret
    return {
        cid: url_for(
            "mails.picture", message_id=message.id, token=tokens.sign(secret, _PURPOSE, f"{message.id}:{name}")
        )
        for cid, name in pictures.items()
        if cid
    }


@bp.get("/messages/<int:message_id>/pictures/<token>")
@public
def picture(message_id: int, token: str) -> ResponseReturnValue:
    """An inline picture of a mail: a raster by its very bytes, for whoever was given this address today (T19)."""
    message, _colon, name = tokens.unsign(house_config().secret, _PURPOSE, token, max_age=_PICTURE_LIFE).partition(":")
    if message != str(message_id):
        raise AttachmentNotFound
    # a number is an attachment's; a picture of a letter sent to many is named by its blob
    key = queries.get_attachment(db.session, int(name)).blob_key if len(name) < 64 else name
    data = house_blobs().get(key)
    picture_type = display.picture_type(data)
    if picture_type is None:
        raise AttachmentNotFound
    response = Response(data, mimetype=picture_type)
    response.headers["Content-Security-Policy"] = _SEALED
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


@bp.get("/attachments/<int:attachment_id>")
def attachment(attachment_id: int) -> ResponseReturnValue:
    """A file to be saved, never opened in our house (T19, T20)."""
    file = queries.get_attachment(db.session, attachment_id)
    told = file.content_type.lower() if file.content_type.lower() in _TOLD_TYPES else "application/octet-stream"
    return _save(house_blobs().get(file.blob_key), told, display.safe_filename(file.filename))


@bp.get("/messages/<int:message_id>/raw")
def raw(message_id: int) -> ResponseReturnValue:
    """The mail's bytes as they came, to be saved."""
    message = queries.get_message(db.session, message_id)
    if message.raw_key is None:
        raise MessageNotFound
    return _save(house_blobs().get(message.raw_key), "application/octet-stream", f"mail-{message.id}.eml")


def _save(data: bytes, content_type: str, name: str) -> Response:
    response = send_file(BytesIO(data), content_type, as_attachment=True, download_name=name, max_age=0)
    response.headers["Content-Security-Policy"] = _SEALED
    response.headers["Cache-Control"] = "no-store"
    return response
