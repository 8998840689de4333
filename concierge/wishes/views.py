"""Wishes beside a conversation and on a customer's page: all of hers, a new one noted, her tier."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, Response, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from concierge import clock
from concierge.accounts.queries import current_editor
from concierge.catalogue import queries as catalogue
from concierge.catalogue.cards import card_of
from concierge.catalogue.models import Product
from concierge.config import LANGUAGES
from concierge.conversations import queries as conversations
from concierge.conversations.models import Conversation
from concierge.customers.queries import get_customer, list_consents
from concierge.errors import BadInput, ConciergeError, NotFound, RuleBroken
from concierge.extensions import db, house_config
from concierge.web.rendering import render, wants_block
from concierge.web.security import roles_accepted
from concierge.wishes import letters, moving, noting, queries, requests, showing
from concierge.wishes.commands import set_tier
from concierge.wishes.forms import ASK_FIRST, WishForm, field_of, read_form
from concierge.wishes.models import Wish, WishState
from concierge.wishes.moulds import moulds_of
from concierge.wishes.showing import Known

bp = Blueprint("wishes", __name__)
answering = roles_accepted("editor", "admin")
_FOUND = 12
# In the panel beside a conversation; her own page shows them all.
_OVER_BESIDE, _OVER = 5, 200


@dataclass(frozen=True, slots=True)
class Chip:
    """A size to tick, with what is in stock of it."""

    sku: str
    label: str
    free: int
    is_ticked: bool
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """A product to choose instead."""

    code: str
    name: str
    designer: str
    price: str
    picture_key: str | None
    is_chosen: bool = False


def init_app(app: Flask) -> None:
    """Register these pages, and those of one wish."""
    from concierge.wishes import wish_views

    app.register_blueprint(bp)
    app.register_blueprint(wish_views.bp)
    moving.register()


def page_language() -> str:
    """The language of the page, among those of the house."""
    locale = get_locale()
    return locale.language if locale and locale.language in LANGUAGES else "en"


def reader() -> showing.Reader:
    """Who looks, and when."""
    return showing.Reader(current_editor(), page_language(), house_config().policy.zone, clock.now())


@bp.get("/conversations/<int:conversation_id>/wishes")
def of_conversation(conversation_id: int) -> ResponseReturnValue:
    """Her wishes, beside the conversation with her; nothing when the page that asks shows them already."""
    conversation = conversations.get_conversation(db.session, conversation_id)
    hers = showing.show_all(db.session, conversation.customer, reader(), most_over=_OVER_BESIDE)
    return _block(hers, here=url_for(".of_conversation", conversation_id=conversation_id), talk=conversation)


@bp.get("/customers/<int:customer_id>/wishes")
def of_customer(customer_id: int) -> ResponseReturnValue:
    """All wishes of a customer, with her tier and what she agreed to."""
    customer = get_customer(db.session, customer_id)
    hers = showing.show_all(db.session, customer, reader(), most_over=_OVER)
    return _block(hers, here=url_for(".of_customer", customer_id=customer_id), talk=None)


def _block(hers: showing.HerWishes, *, here: str, talk: Conversation | None) -> ResponseReturnValue:
    if wants_block() and request.args.get("version") == hers.version:
        return "", 204
    me = current_editor()
    consents = list_consents(db.session, hers.customer.id) if not wants_block() else []
    return render(
        "wishes/all.html",
        block="block",
        hers=hers,
        here=here,
        talk=talk,
        may_answer=me.may_answer,
        consents=[showing.proof_of(each, reader().zone) for each in consents],
        tiers=sorted(queries.policy_or_first(db.session).head_starts),
        may_set_tier="admin" in me.roles,
    )


@bp.get("/conversations/<int:conversation_id>/wishes/new")
@answering
def begin(conversation_id: int) -> ResponseReturnValue:
    """A wish to be noted, with what the mails propose; ?product= takes another piece, ?q= looks for one."""
    conversation = conversations.get_conversation(db.session, conversation_id)
    return _sheet(conversation, read_form(request.args))


@bp.post("/conversations/<int:conversation_id>/wishes")
@answering
def note(conversation_id: int) -> ResponseReturnValue:
    """Note it: with her mail as the proof it waits at once, else a letter asks her first."""
    conversation, form = conversations.lock_conversation(db.session, conversation_id), read_form(request.form)
    try:
        wish = _noted(conversation, form)
    except (BadInput, RuleBroken, NotFound) as error:
        db.session.rollback()
        return _sheet(conversations.get_conversation(db.session, conversation_id), form, fault=error)
    db.session.commit()
    said = _("Noted. The wish counts from now.")
    if wish.state is WishState.UNCONFIRMED:
        said = _("Noted. %(name)s is asked by mail; it counts once she says yes.", name=_name(wish))
    return done(said, url_for(".of_conversation", conversation_id=conversation_id))


@bp.post("/customers/<int:customer_id>/tier")
@roles_accepted("admin")
def change_tier(customer_id: int) -> ResponseReturnValue:
    """Who comes before others is decided by an admin; her waiting wishes take their new places."""
    customer = get_customer(db.session, customer_id)
    set_tier(db.session, customer, request.form.get("tier", "")[:20], by=current_editor(), now=clock.now())
    db.session.commit()
    return done(_("Kept."), url_for(".of_customer", customer_id=customer_id))


def done(said: str, back: str) -> ResponseReturnValue:
    """What a verb answers: passing words for htmx, and every block that shows wishes asks anew; else the way back."""
    if not wants_block():
        flash(said)
        return redirect(back, 303)
    response: Response = make_response(render("wishes/done.html", said=said))
    response.headers["HX-Trigger"] = "house-changed"
    return response


def table() -> letters.Table:
    """What a letter about a wish is written with."""
    return letters.Table(db.session, house_config(), moulds_of(house_config().blobs_url), clock.now())


def _noted(conversation: Conversation, form: WishForm) -> Wish:
    product = catalogue.get_product(db.session, form.product)
    variants = noting.variants_of(product, form.skus)
    wanted = replace(form.wanted(product), skus=tuple(each.sku for each in variants))
    now, me = clock.now(), current_editor()
    requests.check_wanted(wanted, now=now)
    if not form.proof:
        raise NoProof
    asked = conversations.get_message(db.session, form.message_id) if form.message_id is not None else None
    wish = noting.note_wish(
        db.session, conversation, wanted, variants, asked=asked, policy=house_config().policy, by=me, now=now
    )
    if asked is None:
        letters.ask_to_confirm(table(), wish, by=me)
    return wish


class NoProof(BadInput):
    """Say whether she asked for it in writing, or is to be asked first."""


def _sheet(conversation: Conversation, form: WishForm, *, fault: ConciergeError | None = None) -> ResponseReturnValue:
    """The form: as typed, else as the mails propose."""
    products, found = noting.propose(db.session, conversation)
    best = next(iter(found), None)
    product = products[0] if products else None
    if form.product:
        product = next((each for each in products if each.code == form.product), None) or _find(form.product)
        best = next((each for each in found if product and each.code == product.code), None)
    known = showing.list_known(db.session, conversation.customer_id, product, reader()) if product else {}
    proposed = best.skus if best and not form.skus and not fault else form.skus
    form = replace(form, skus=tuple(each for each in proposed if each not in known))
    asked = noting.list_asked(db.session, conversation)
    page = render(
        "wishes/new.html",
        block="sheet",
        conversation=conversation,
        product=product,
        card=card_of(product.variants[0], page_language()) if product and product.variants else None,
        sizes=chips_of(product, form.skus, known) if product else [],
        has_all=bool(proposed) and not form.skus,
        options=[_option(each, product) for each in products],
        others=_search(),
        words=request.values.get("q", "")[:200],
        form=form,
        is_usual=best is not None and best.is_usual,
        asked=asked,
        proof=_proof(form, asked),
        fault=fault.sentence() if fault else "",
        field=field_of(fault),
        tier=showing.tier_words(db.session, conversation.customer),
        tomorrow=(clock.now() + timedelta(days=1)).date().isoformat(),
    )
    return page, fault.status if fault else 200


def _proof(form: WishForm, asked: list[noting.Asked]) -> str:
    """What is chosen: as typed, else her newest mail in which she asks, else that she is asked first."""
    asking = next((str(each.message.id) for each in asked if each.asks), ASK_FIRST)
    return form.proof or asking


def chips_of(product: Product, ticked: tuple[str, ...], known: Mapping[str, Known]) -> list[Chip]:
    """A product's variants to tick, colour by colour as their sizes run; those she wishes for already say so."""
    several = len({each.colour for each in product.variants}) > 1
    return [
        Chip(
            each.sku,
            showing.sized(each, page_language(), with_colour=several),
            each.available,
            each.sku in ticked,
            known.get(each.sku),
        )
        for each in sorted(product.variants, key=lambda each: (each.colour, each.position, each.id))
    ]


def _find(code: str) -> Product | None:
    try:
        return catalogue.get_product(db.session, code)
    except NotFound:
        return None


def _search() -> list[Option] | None:
    """What is found for ?q=; None when nothing was asked."""
    words = request.values.get("q", "").strip()[:200]
    if not words:
        return None
    return [_option(each, None) for each in catalogue.search_products(db.session, words, limit=_FOUND)]


def _option(product: Product, chosen: Product | None) -> Option:
    card: Any = card_of(product.variants[0], page_language()) if product.variants else None
    return Option(
        code=product.code,
        name=product.name(page_language()),
        designer=" · ".join(filter(None, (product.designer, card.colour if card else ""))),
        price=card.price if card else "",
        picture_key=card.picture_key if card else None,
        is_chosen=chosen is not None and chosen.id == product.id,
    )


def _name(wish: Wish) -> str:
    return wish.customer.first_name or wish.customer.display_name
