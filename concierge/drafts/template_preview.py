"""The finished letter beside the desk where a template is written: documents for its frame, and whom to choose."""

import re

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from concierge.catalogue import queries as catalogue
from concierge.config import LANGUAGES
from concierge.customers import queries as customers
from concierge.drafts import desk, letter, samples
from concierge.drafts.pages import self_contained
from concierge.drafts.samples import Wording
from concierge.errors import ConciergeError
from concierge.extensions import db
from concierge.mailing.mail import Mail
from concierge.templating.check import LONGEST_BODY

bp = Blueprint("template_preview", __name__, url_prefix="/drafts/preview-template")

# Nothing runs and nothing is fetched. The frame's origin stays ours, so that the desk may keep its place in the letter.
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
_BODY = re.compile(r"<body[^>]*>", re.IGNORECASE)
_BRACKETED = re.compile(r"[(<]([^()<>]+)[)>]\s*$")


@bp.post("")
def show() -> ResponseReturnValue:
    """The words on the desk as the mail a customer would get, with its head; or why there is none yet."""
    wording = _wording()
    if not wording.subject.strip() and not wording.body.strip():
        return _framed(render_template("drafts/no_letter.html", sentence=_("Nothing is written in this language yet.")))
    try:
        finished = letter.compose(samples.written(db.session, wording, desk.editor()), desk.faces())
    except ConciergeError as error:
        return _framed(render_template("drafts/no_letter.html", sentence=error.sentence()))
    return _framed(_with_head(self_contained(finished), finished.mail))


@bp.get("/customers")
def list_customers() -> ResponseReturnValue:
    """Customers whose name or address was begun, as options of the field."""
    found = customers.search_customers(db.session, request.args.get("preview_customer", "")[:200], limit=8)
    options = [(f"{each.name} <{each.address}>" if each.name else each.address, "") for each in found.customers]
    return render_template("drafts/options.html", options=options)


@bp.get("/products")
def list_products() -> ResponseReturnValue:
    """Products that answer to what was begun, as options of the field."""
    found = catalogue.search_variants(db.session, request.args.get("preview_sku", "")[:200], limit=12)
    cards = catalogue.cards(db.session, [each.sku for each in found], desk.editor().language)
    shown = [cards[each.sku] for each in found if each.sku in cards]
    options = [(each.sku, ", ".join(filter(None, (each.name, each.colour, each.sized)))) for each in shown]
    return render_template("drafts/options.html", options=options)


def _wording() -> Wording:
    """What the desk posts: its fields of the language to be seen, for whom, and about what."""
    language = request.form.get("preview_language", "")
    language = language if language in LANGUAGES else LANGUAGES[0]
    for_stranger = bool(request.form.get("preview_unknown"))
    customer = None if for_stranger else customers.find_customer_by_address(db.session, _chosen("preview_customer"))
    variant = catalogue.find_variant_by_sku(db.session, _chosen("preview_sku"))
    return Wording(
        language=language,
        subject=request.form.get(f"subject_{language}", "")[:LONGEST_BODY],
        body=request.form.get(f"body_{language}", "")[: LONGEST_BODY + 1],
        customer_id=customer.id if customer else None,
        sku=variant.sku if variant else None,
        for_stranger=for_stranger,
    )


def _chosen(field: str) -> str:
    """What was typed, or what stands in brackets behind it: "Barbara Rossi <barbara@example.com>"."""
    typed = request.form.get(field, "").strip()[:400]
    bracketed = _BRACKETED.search(typed)
    return bracketed[1] if bracketed else typed


def _with_head(html: str, mail: Mail) -> str:
    """The mail under the lines that every mail program shows above it."""
    head = render_template("drafts/mail_head.html", mail=mail)
    return _BODY.sub(lambda found: found[0] + head, html, count=1)


def _framed(html: str) -> Response:
    response = make_response(html)
    response.headers["Content-Security-Policy"] = _POLICY
    return response
