"""No more mails about wishes: one click from the mail program (RFC 8058), a page with a button, and a way back."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.customers.models import Customer
from concierge.customers.queries import get_person
from concierge.errors import BadToken, NotFound
from concierge.extensions import db, house_config
from concierge.public.fresh import her_link
from concierge.public.pages import bp, caller_network, language_of, open_link, show, speaking
from concierge.web.security import public
from concierge.wishes import answers, links, queries, requests, sentences


@bp.get("/unsubscribe/<token>")
@public
def unsubscribe_page(token: str) -> ResponseReturnValue:
    """What would end, and the button; this link never grows old."""
    customer = _customer(token)
    language = language_of(customer)
    return show(
        "public/unsubscribe.html",
        language,
        token=token,
        count=len(queries.list_wishes_of(db.session, customer.id, living_only=True)),
        given_up=[each.product.name(language) for each in answers.list_given_up(db.session, customer.id)],
        words=_sentence(language),
        link=her_link(customer),
    )


@bp.post("/unsubscribe/<token>")
@public
def unsubscribe(token: str) -> ResponseReturnValue:
    """End all of it at once; a mail program gets a plain 200 and no redirect (RFC 8058, 3.1). Twice is fine."""
    customer = _customer(token)
    is_one_click = request.form.get("List-Unsubscribe") == "One-Click"
    way = "one-click" if is_one_click else "page"
    answers.unsubscribe(db.session, customer, way=way, now=clock.now())
    db.session.commit()
    if is_one_click:
        return "", 200, {"Content-Type": "text/plain; charset=utf-8"}
    return redirect(url_for(".unsubscribe_page", token=token), 303)


@bp.post("/unsubscribe/<token>/undo")
@public
def resubscribe(token: str) -> ResponseReturnValue:
    """She has changed her mind: her wishes are made anew, with this page's sentence as her yes; twice is fine."""
    customer = _customer(token)
    language = language_of(customer)
    with speaking(language):
        answers.take_back(
            db.session,
            house_config().policy,
            customer,
            words=_sentence(language),
            language=language,
            network=caller_network(),
            now=clock.now(),
        )
        db.session.commit()
    return redirect(url_for(".unsubscribe_page", token=token), 303)


def _customer(token: str) -> Customer:
    opened = open_link(links.UNSUBSCRIBE, token, days=None)
    try:
        return get_person(db.session, opened.number)
    except NotFound as error:
        raise BadToken from error


def _sentence(language: str) -> str:
    brand = requests.mailbox_for(db.session, language).brand
    words = sentences.words_of(sentences.current_sentence(language), brand)
    assert words
    return words
