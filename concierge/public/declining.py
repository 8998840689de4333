"""Only letters that somebody wrote to her, please: one click from the mail program (RFC 8058), a page, a way back."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.customers.commands import accept_unasked, decline_unasked
from concierge.customers.models import Customer
from concierge.customers.queries import get_person
from concierge.errors import BadToken, NotFound
from concierge.extensions import db
from concierge.followups.plan_links import DECLINE
from concierge.public.pages import bp, language_of, open_link, show
from concierge.web.security import public


@bp.get("/no-more/<token>")
@public
def decline_page(token: str) -> ResponseReturnValue:
    """What would no longer come, and the button; this link never grows old."""
    customer = _customer(token)
    return show(
        "public/declining.html", language_of(customer), token=token, has_declined=customer.declined_at is not None
    )


@bp.post("/no-more/<token>")
@public
def decline(token: str) -> ResponseReturnValue:
    """Nothing of the kind any more; a mail program gets a plain 200 (RFC 8058, 3.1). Twice is fine."""
    customer = _customer(token)
    is_one_click = request.form.get("List-Unsubscribe") == "One-Click"
    way = "one-click" if is_one_click else "page"
    decline_unasked(db.session, customer, by=None, way=way, now=clock.now())
    db.session.commit()
    if is_one_click:
        return "", 200, {"Content-Type": "text/plain; charset=utf-8"}
    return redirect(url_for(".decline_page", token=token), 303)


@bp.post("/no-more/<token>/undo")
@public
def accept(token: str) -> ResponseReturnValue:
    """She does not mind them after all; twice is fine."""
    accept_unasked(db.session, _customer(token), by=None, way="page", now=clock.now())
    db.session.commit()
    return redirect(url_for(".decline_page", token=token), 303)


def _customer(token: str) -> Customer:
    opened = open_link(DECLINE, token, days=None)
    try:
        return get_person(db.session, opened.number)
    except NotFound as error:
        raise BadToken from error
