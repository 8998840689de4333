"""Pages about the people who write: all of them, and one with what the house knows of her."""

from collections.abc import Callable
from datetime import datetime

from babel.dates import format_skeleton
from flask import Blueprint, Flask, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from concierge import clock
from concierge.accounts.queries import current_editor
from concierge.customers import commands, queries
from concierge.customers.forms import AddressForm, AgreedForm, CustomerForm, DateForm, NotesForm
from concierge.customers.models import Customer, CustomerDate
from concierge.customers.words import date_words
from concierge.extensions import db
from concierge.web.rendering import render, wants_block
from concierge.web.security import roles_accepted

bp = Blueprint("customers", __name__)
answering = roles_accepted("editor", "admin")


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(bp)
    app.jinja_env.filters.update(size_kind=size_kind, day_of_year=day_of_year, date_words=date_words)


def size_kind(kind: str) -> str:
    """What a kind of size is called."""
    return {"shoes": _("Shoes"), "dress": _("Dresses")}.get(kind, kind.capitalize())


def day_of_year(found: CustomerDate) -> str:
    """A day of every year: "20 May"."""
    return str(format_skeleton("MMMMd", datetime(2024, found.month, found.day), locale=get_locale()))  # noqa: DTZ001


@bp.get("/customers")
def index() -> ResponseReturnValue:
    """Everybody by name, or those looked for."""
    words = request.args.get("q", "")[:200]
    number = request.args.get("number", type=int)
    after = (request.args.get("after", "")[:200], number) if number else None
    page = queries.search_customers(db.session, words, after=after)
    total = queries.count_customers(db.session)
    return render("customers/index.html", block="rows", page=page, words=words, is_first=after is None, total=total)


@bp.get("/customers/<int:customer_id>")
def show(customer_id: int) -> ResponseReturnValue:
    """What we know of her, to be read and changed."""
    customer = queries.get_customer(db.session, customer_id)
    form = CustomerForm(formdata=None)
    form.fill(customer)
    return _page(customer, form)


def _page(customer: Customer, form: CustomerForm, address_form: AddressForm | None = None) -> str:
    address_form = address_form or AddressForm(formdata=None)
    agreed = queries.list_consents(db.session, customer.id, purpose=commands.UNASKED, standing_only=True)
    return render(
        "customers/show.html", customer=customer, form=form, address_form=address_form, agreed=agreed,
        joined=queries.list_joined(db.session, customer),
        date_form=DateForm(formdata=None), agreed_form=AgreedForm(formdata=None),
    )  # fmt: skip


@bp.post("/customers/<int:customer_id>")
@answering
def change(customer_id: int) -> ResponseReturnValue:
    """Keep what was written about her."""
    customer, form = queries.get_customer(db.session, customer_id), CustomerForm()
    if not form.validate():
        return _page(customer, form), 422
    editor, now = current_editor(), clock.now()
    changes = {field: (form[field].data or "").strip() for field in ("name", "first_name", "language", "notes")}
    commands.change_customer(db.session, customer, by=editor, now=now, **changes)
    commands.set_sizes(db.session, customer, form.sizes(customer), by=editor, now=now)
    db.session.commit()
    flash(_("Kept."))
    return _back(customer)


@bp.post("/customers/<int:customer_id>/notes")
@answering
def change_notes(customer_id: int) -> ResponseReturnValue:
    """Keep the notes alone, as they stand beside a conversation."""
    customer, form = queries.get_customer(db.session, customer_id), NotesForm()
    if not form.validate():
        return _page(customer, CustomerForm()), 422
    notes = (form.notes.data or "").strip()
    commands.change_customer(db.session, customer, by=current_editor(), now=clock.now(), notes=notes)
    db.session.commit()
    return render("customers/panel.html", customer=customer, may_answer=True) if wants_block() else _back(customer)


@bp.post("/customers/<int:customer_id>/addresses")
@answering
def add_address(customer_id: int) -> ResponseReturnValue:
    """She writes from another address too."""
    customer, form = queries.get_customer(db.session, customer_id), AddressForm()
    commands.add_address(db.session, customer, form.address.data or "", by=current_editor(), now=clock.now())
    db.session.commit()
    return _back(customer)


@bp.post("/customers/<int:customer_id>/addresses/<int:address_id>/remove")
@answering
def remove_address(customer_id: int, address_id: int) -> ResponseReturnValue:
    """She no longer writes from there."""
    return _do(commands.remove_address, customer_id, address_id)


@bp.post("/customers/<int:customer_id>/addresses/<int:address_id>/prefer")
@answering
def prefer_address(customer_id: int, address_id: int) -> ResponseReturnValue:
    """We write to this one."""
    return _do(commands.prefer_address, customer_id, address_id)


@bp.post("/customers/<int:customer_id>/addresses/<int:address_id>/hide-pictures")
@answering
def hide_pictures(customer_id: int, address_id: int) -> ResponseReturnValue:
    """Ask again before pictures in a mail from there are fetched."""
    return _do(commands.hide_pictures, customer_id, address_id)


@bp.post("/customers/<int:customer_id>/dates")
@answering
def set_date(customer_id: int) -> ResponseReturnValue:
    """Note a day of every year that matters to her."""
    customer, form = queries.get_customer(db.session, customer_id), DateForm()
    kind, month, day = form.kind.data or "", form.month.data or 0, form.day.data or 0
    commands.set_date(db.session, customer, kind, month, day, by=current_editor(), now=clock.now())
    db.session.commit()
    return _back(customer)


@bp.post("/customers/<int:customer_id>/dates/<int:date_id>/remove")
@answering
def remove_date(customer_id: int, date_id: int) -> ResponseReturnValue:
    """It no longer matters."""
    return _do(commands.remove_date, customer_id, date_id)


@bp.post("/customers/<int:customer_id>/unasked/agree")
@answering
def agree_unasked(customer_id: int) -> ResponseReturnValue:
    """She agreed to letters that leave by themselves: her words are the proof."""
    customer, form = queries.get_customer(db.session, customer_id), AgreedForm()
    commands.agree_unasked(db.session, customer, (form.words.data or "").strip(), by=current_editor(), now=clock.now())
    db.session.commit()
    return _back(customer)


@bp.post("/customers/<int:customer_id>/unasked/decline")
@answering
def decline_unasked(customer_id: int) -> ResponseReturnValue:
    """She told us that she wants none of them."""
    customer = queries.get_customer(db.session, customer_id)
    commands.decline_unasked(db.session, customer, by=current_editor(), way="editor", now=clock.now())
    db.session.commit()
    return _back(customer)


def _do(change: Callable[..., None], customer_id: int, number: int) -> ResponseReturnValue:
    """One of her addresses or days is changed, by its number."""
    customer = queries.get_customer(db.session, customer_id)
    change(db.session, customer, number, by=current_editor(), now=clock.now())
    db.session.commit()
    return _back(customer)


def _back(customer: Customer) -> ResponseReturnValue:
    return redirect(url_for("customers.show", customer_id=customer.id), 303)
