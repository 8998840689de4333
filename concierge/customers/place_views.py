"""Where she lives: her country and her clock, shown as a guess with where it comes from, confirmed with one click."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel import Locale
from flask import Blueprint, Flask, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from concierge import clock
from concierge.accounts.queries import current_editor
from concierge.customers import commands, queries
from concierge.customers.models import Customer
from concierge.customers.zones import Whence, countries, every_zone, whence, zone_of
from concierge.extensions import db, house_config
from concierge.web.rendering import render, wants_block
from concierge.web.security import roles_accepted

bp = Blueprint("places", __name__, url_prefix="/customers/<int:customer_id>/place")


@dataclass(frozen=True, slots=True)
class HerClock:
    """What a clock shows where she lives (naive), its zone, and whence we have it."""

    wall: datetime
    zone: ZoneInfo
    whence: Whence


def init_app(app: Flask) -> None:
    """Register the page, and what templates show of her clock."""
    app.register_blueprint(bp)
    app.jinja_env.globals.update(clock_of=clock_of)
    app.jinja_env.filters.update(whence_words=whence_words)


def clock_of(customer: Customer) -> HerClock:
    """Her clock, as far as we know."""
    zone = zone_of(customer.zone_name, customer.country, house_config().policy.zone)
    known = whence(customer.timezone, customer.mail_zone, customer.country)
    return HerClock(clock.now().astimezone(zone).replace(tzinfo=None), zone, known)


def whence_words(known: Whence) -> str:
    """Where a zone comes from, as a remark behind it; "" where she told us."""
    words = {
        Whence.HERS: "",
        Whence.MAILS: _("our guess, from the dates of her mails"),
        Whence.COUNTRY: _("our guess, from her country"),
        Whence.HOUSE: _("our guess: the house’s own"),
    }
    return str(words[known])


@bp.get("")
def show(customer_id: int) -> ResponseReturnValue:
    """Her country and her zone, to be read and changed."""
    customer = queries.get_customer(db.session, customer_id)
    names = Locale.parse(str(get_locale())).territories
    named = sorted((names.get(code, code), code) for code in countries())
    return render("customers/place.html", customer=customer, countries=named, zones=every_zone())


@bp.post("")
@roles_accepted("editor", "admin")
def change(customer_id: int) -> ResponseReturnValue:
    """Keep what was confirmed or chosen; a field that is not sent stays as it is."""
    customer = queries.get_customer(db.session, customer_id)
    changes = {field: request.form[field].strip() for field in ("country", "timezone") if field in request.form}
    commands.place_customer(db.session, customer, by=current_editor(), now=clock.now(), **changes)
    db.session.commit()
    if wants_block():
        return render("customers/clock.html", customer=customer, may_answer=True)
    return redirect(url_for("customers.show", customer_id=customer.id), 303)
