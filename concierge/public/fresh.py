"""Links that have grown old: the page that says so, and a fresh one to the address on file."""

from typing import Literal

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.customers.models import Customer
from concierge.customers.queries import get_person
from concierge.errors import BadToken, NotFound
from concierge.extensions import db, house_config
from concierge.public.pages import bp, language_of, show
from concierge.public.wording import veiled
from concierge.web.security import public
from concierge.wishes import links, queries, requests

Kind = Literal["wishes", "offer", "wish"]
_PURPOSES: dict[Kind, str] = {"wishes": links.WISHES, "offer": links.OFFER, "wish": links.CONFIRM}


def too_old(kind: Kind, token: str, customer: Customer) -> str:
    """The page that says so; the address is never shown in full, for whoever found the link may not be she."""
    address = veiled(customer.address)
    sent = "sent" in request.args
    return show("public/too_old.html", language_of(customer), kind=kind, token=token, address=address, sent=sent)


def her_link(customer: Customer) -> str:
    """A link to her wishes that works from now, for a page she reached by another good one."""
    return links.wishes_link(house_config(), customer.id)


@bp.post("/links/<any(wishes, offer, wish):kind>/<token>/fresh")
@public
def fresh(kind: Kind, token: str) -> ResponseReturnValue:
    """Send a fresh link to the address on file, as often as the caps allow; the answer is the same either way."""
    customer = _customer(kind, links.read(house_config(), _PURPOSES[kind], token))
    requests.send_fresh_link(db.session, house_config(), customer, now=clock.now())
    db.session.commit()
    page = {"wishes": ".her_wishes", "offer": ".offer_page", "wish": ".noted_page"}[kind]
    return redirect(url_for(page, token=token, sent=""), 303)


def _customer(kind: Kind, number: int) -> Customer:
    try:
        if kind == "wishes":
            return get_person(db.session, number)
        if kind == "offer":
            return queries.get_offer(db.session, number).customer
        return queries.get_wish(db.session, number).customer
    except NotFound as error:
        raise BadToken from error
