"""Every customer's mailbox in one place, so that the whole circle can be walked with no account anywhere; demo only."""

from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from concierge import clock
from concierge.accounts.models import Role
from concierge.accounts.queries import get_mailbox, list_mailboxes
from concierge.addresses import Address, normalise
from concierge.demo import mailroom
from concierge.errors import BadInput
from concierge.extensions import db, house_blobs, house_config
from concierge.inbound.commands import accept_mail
from concierge.mailing.mail import Mail, build, wire_address
from concierge.mailing.models import Delivery
from concierge.mailing.queries import LEFT, get_delivery, list_left
from concierge.mailing.sheets import unfold
from concierge.web.rendering import render

bp = Blueprint("post_office", __name__, url_prefix="/post-office")

_FRAME_POLICY = "; ".join(
    (
        "sandbox allow-popups allow-popups-to-escape-sandbox",
        "default-src 'none'",
        "img-src data:",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
_SHAPES = ("letter", "text", "source")


class NothingWritten(BadInput):
    """A mail needs an address, a subject and a word or two."""


@bp.get("/")
def index() -> ResponseReturnValue:
    """Show everybody, and the mailbox that got a mail last."""
    people = _people()
    address = people[0].address if people and people[0].count else ""
    return _page(people, address, None)


@bp.get("/of/<address>")
def mailbox(address: str) -> ResponseReturnValue:
    """Show one person's mailbox."""
    return _page(_people(), normalise(address), None)


@bp.get("/mails/<int:delivery_id>")
def mail(delivery_id: int) -> ResponseReturnValue:
    """Show one mail as its reader sees it: as a letter, as text, or its source."""
    delivery = _left(delivery_id)
    return _page(_people(), delivery.to_normalised, delivery)


@bp.get("/mails/<int:delivery_id>/page")
def page(delivery_id: int) -> ResponseReturnValue:
    """The HTML of one mail on a page of its own that can do nothing."""
    shown = mailroom.show(_mail(_left(delivery_id)), house_blobs().get)
    return Response(shown, headers={"Content-Security-Policy": _FRAME_POLICY, "Referrer-Policy": "no-referrer"})


@bp.get("/mails/<int:delivery_id>/files/<int:number>")
def file(delivery_id: int, number: int) -> ResponseReturnValue:
    """Save an attachment."""
    attachments = _mail(_left(delivery_id)).attachments
    if number >= len(attachments):
        abort(404)
    response = Response(house_blobs().get(attachments[number].blob_key), mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=attachments[number].filename)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@bp.post("/mails/<int:delivery_id>/answer")
def answer(delivery_id: int) -> ResponseReturnValue:
    """Answer a mail as the one who received it."""
    delivery = _left(delivery_id)
    words = request.form.get("words", "")
    if not words.strip():
        raise NothingWritten
    received = _mail(delivery)
    sent_at = (delivery.sent_at or delivery.created_at).astimezone(house_config().policy.zone)
    language = mailroom.find_language(db.session, delivery.to_normalised)
    _post(mailroom.answer(received, words, language=language, sent_at=sent_at))
    return redirect(url_for(".mail", delivery_id=delivery_id))


@bp.get("/write")
def write() -> ResponseReturnValue:
    """Show an empty sheet."""
    return render(
        "demo/post_office_write.html",
        people=_people(),
        mailboxes=list_mailboxes(db.session, active_only=True),
        chosen=normalise(request.args.get("as", "")),
    )


@bp.post("/write")
def post() -> ResponseReturnValue:
    """Post a new mail to the house, as anybody."""
    form = request.form
    sender = Address(form.get("name", "").strip(), form.get("address", "").strip())
    if not all(form.get(field, "").strip() for field in ("address", "subject", "words")):
        raise NothingWritten
    house = get_mailbox(db.session, form.get("mailbox", type=int, default=0))
    _post(mailroom.letter(sender, Address(house.brand, house.address), form["subject"], form["words"]))
    return redirect(url_for(".mailbox", address=normalise(sender.address)))


def _post(mail: Mail) -> None:
    """Into the house by the same door as any other mail."""
    raw = build(mail, house_blobs().get, now=clock.now())
    accept_mail(
        db.session,
        house_blobs(),
        raw,
        source="post office",
        envelope_from=wire_address(mail.sender.address),
        recipients=[wire_address(mail.to.address)],
        now=clock.now(),
    )
    db.session.commit()
    flash(_("The mail is in the house; it will be in the inbox in a moment."))


def _page(people: list[mailroom.Person], address: str, delivery: Delivery | None) -> str:
    shape = request.args.get("as", _SHAPES[0])
    deliveries = [each for each in list_left(db.session, address) if _may_read(each)] if address else []
    values: dict[str, Any] = {
        "people": people,
        "person": next((person for person in people if person.address == address), None),
        "deliveries": deliveries,
        "mails": {each.id: _mail(each) for each in deliveries},
        "sees_staff": _sees_staff(),
        "delivery": delivery,
        "shape": shape if shape in _SHAPES else _SHAPES[0],
    }
    if delivery is not None:
        values["mail"] = _mail(delivery)
        if values["shape"] == "source":
            raw = mailroom.read_source(delivery, house_config().outbox, house_blobs().get)
            values["source"] = raw.decode("ascii", "replace").replace("\r\n", "\n")[:200_000]
    return render("demo/post_office.html", **values)


def _left(delivery_id: int) -> Delivery:
    delivery = get_delivery(db.session, delivery_id)
    if delivery.state not in LEFT or not _may_read(delivery):
        abort(404)
    return delivery


def _mail(delivery: Delivery) -> Mail:
    return unfold(delivery.content, house_blobs().get)


def _people() -> list[mailroom.Person]:
    return mailroom.list_people(db.session, with_staff=_sees_staff())


def _may_read(delivery: Delivery) -> bool:
    """A letter to the staff opens a colleague's door with its link: the admin could set her password anyway."""
    return delivery.purpose != mailroom.STAFF or _sees_staff()


def _sees_staff() -> bool:
    return current_user.role == Role.ADMIN
