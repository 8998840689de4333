"""The wish form: the script for the shop's pages, our own page with the same form, and the one door both post to."""

from typing import Any

from flask import current_app, jsonify, redirect, request, send_from_directory, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from concierge import clock
from concierge.catalogue.cards import card_of, labels_of
from concierge.catalogue.models import Product
from concierge.catalogue.naming import price_text
from concierge.catalogue.queries import get_product
from concierge.errors import BadInput, ConciergeError, RuleBroken
from concierge.extensions import db, house_config
from concierge.public.forms import Asked, read_asked
from concierge.public.pages import asked_language, bp, caller_network, show, speaking, wants_json
from concierge.web.security import public
from concierge.wishes import requests, sentences
from concierge.wishes.forms import field_of
from concierge.wishes.models import WishWay


class NotAgreed(BadInput):
    """Our sentence has changed since this page was opened: please read it, and press the button once more."""


@bp.get("/wish-form.js")
@public
def script() -> ResponseReturnValue:
    """The form as a custom element, for a page of the shop; it needs no cookie and brings no other file."""
    response = send_from_directory(str(current_app.static_folder), "wish-form.js", mimetype="text/javascript")
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@bp.get("/wish-form/<code>.json")
@public
def texts(code: str) -> ResponseReturnValue:
    """What the script shows: every word in the shop page's language, the sizes, the sentence agreed to."""
    language = asked_language()
    product = get_product(db.session, code)
    with speaking(language):
        return jsonify(**form_texts(product, language))


@bp.get("/wish-form/<code>")
@public
def form(code: str) -> ResponseReturnValue:
    """The same form on a page of ours, for whoever has no script; ?sku= or ?size= is ticked already."""
    product = get_product(db.session, code)
    return _form(product, read_asked(request.args), asked_language())


@bp.post("/wishes/requests")
@public
def ask() -> ResponseReturnValue:
    """Take a wish from a form: one answer for every address there is, known or not, suppressed or not (T29, T32)."""
    language = asked_language()
    asked = read_asked(request.form)
    with speaking(language):
        try:
            _keep(asked, language)
        except (BadInput, RuleBroken) as error:
            if wants_json():
                raise
            db.session.rollback()
            product = requests.find_product(db.session, product=asked.product, skus=asked.skus)
            return _form(product, asked, language, fault=error), error.status
        if wants_json():
            return jsonify(said=_thanks())
    return redirect(url_for(".asked", language=language), 303)


@bp.get("/wishes/requests")
@public
def asked() -> ResponseReturnValue:
    """What a form without a script leads to; it knows nothing of what was asked."""
    language = asked_language()
    with speaking(language):
        thanks = _thanks()
    return show("public/asked.html", language, thanks=thanks)


def _keep(asked: Asked, language: str) -> None:
    product, variants = requests.find_wanted(db.session, product=asked.product, skus=asked.skus, sizes=asked.sizes)
    words = sentences.words_of(asked.sentence, requests.mailbox_for(db.session, language).brand)
    if words is None:
        raise NotAgreed
    requests.request_wish(
        db.session,
        house_config(),
        asked.address,
        product,
        asked.wanted(tuple(each.sku for each in variants), product),
        way=WishWay.FORM,
        language=language,
        words=words,
        network=caller_network(),
        now=clock.now(),
    )
    db.session.commit()


def _form(product: Product, asked: Asked, language: str, fault: ConciergeError | None = None) -> str:
    with speaking(language):
        words = form_texts(product, language)
        ticked = {each.sku for each in product.variants if each.sku in asked.skus or each.size in asked.sizes}
        card = card_of(product.variants[0], language) if product.variants else None
        return show(
            "public/form.html",
            language,
            texts=words,
            asked=asked,
            ticked=ticked,
            card=card,
            fault=fault.sentence() if fault else "",
            field=field_of(fault),
        )


def form_texts(product: Product, language: str) -> dict[str, Any]:
    """All a form needs to be drawn: its words, the sizes, the sentence agreed to, where to post."""
    sentence = sentences.current_sentence(language)
    brand = requests.mailbox_for(db.session, language).brand
    labels = labels_of(product, language)
    return {
        "product": product.code,
        "language": language,
        "name": product.name(language),
        "price": price_text(product.price_cents, product.currency, language),
        "currency": product.currency,
        "sizes": [
            {
                "sku": each.sku,
                "size": each.size,
                "label": labels[each.id] or product.name(language),
                "here": each.available > 0,  # and never how many: anybody may ask
            }
            for each in product.variants
        ],
        "consent": sentence,
        "consent_words": sentences.words_of(sentence, brand),
        "action": _absolute("/wishes/requests"),
        "page": _absolute(f"/wish-form/{product.code}"),
        "words": form_words(),
    }


def form_words() -> dict[str, str]:
    """Every word of the form itself, and of the fields she changes later, in the language being spoken."""
    return {
        "title": _("Not in your size?"),
        "lead": _("Tell us which, and we write to you when exactly that is back."),
        "sizes": _("Any of these would do"),
        "here": _("in stock"),
        "buy": _("What is in stock you can simply buy."),
        "email": _("E-mail"),
        "more": _("More precisely"),
        "quantity": _("How many"),
        "needed_by": _("Needed by"),
        "ceiling": _("At most, each"),
        "similar": _("Something similar would do too"),
        "send": _("Tell me when it is back"),
        "sending": _("One moment …"),
        "no_size": _("Choose at least one size."),
        "failed": _("That did not reach us. Please try once more, or use our own page:"),
    }


def _thanks() -> str:
    return str(
        _("Thank you. Now look into your mail: we have written to you. Say yes in that letter, and your wish counts.")
    )


def _absolute(path: str) -> str:
    return f"{house_config().base_url}{path}"
