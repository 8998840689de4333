"""Her own page: every wish of hers, to be seen, changed, renewed and withdrawn by a signed link and no account."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from concierge import clock
from concierge.catalogue.cards import ProductCard, card_of, labels_of, sizes_words
from concierge.catalogue.models import Variant
from concierge.catalogue.sizes import system_known
from concierge.customers.models import Customer
from concierge.customers.queries import get_person
from concierge.errors import BadInput, BadToken, ConciergeError, NotFound, RuleBroken
from concierge.extensions import db, house_config
from concierge.public.asking import form_words
from concierge.public.forms import Asked, read_asked
from concierge.public.fresh import too_old
from concierge.public.moments import held_words
from concierge.public.pages import Opened, bp, language_of, open_link, show, speaking, zone_of_her
from concierge.public.wording import facts_of, rest_of, state_of
from concierge.web.security import public
from concierge.wishes import links, queries, requests
from concierge.wishes.commands import change_wish, renew_wish, wake_wish, withdraw_wish
from concierge.wishes.forms import field_of, price_typed
from concierge.wishes.models import Wish, WishEnding, WishNotFound, WishState
from concierge.wishes.offer_models import Offer, OfferState

_SHOWN_AFTER_THE_END = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the fields of a wish: as it is kept, or as she typed it, with what was wrong and where."""

    skus: frozenset[str]
    quantity: str
    needed_by: str
    ceiling: str
    or_similar: bool
    fault: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One wish on her page, every word ready."""

    wish: Wish
    card: ProductCard
    sizes: str
    state: str
    rests: bool
    facts: list[str]
    held: str
    offer_link: str
    is_taken: bool
    confirm_link: str
    choices: list[dict[str, str | bool]]
    typed: Typed


@bp.get("/wishes/<token>")
@public
def her_wishes(token: str) -> ResponseReturnValue:
    """All her wishes, those that live first."""
    opened, customer = _open(token)
    return too_old("wishes", token, customer) if opened.is_expired else _page(token, customer)


def _page(token: str, customer: Customer, typed: Mapping[int, Typed] = MappingProxyType({})) -> str:
    """The page; `typed` is what she just typed about a wish, by its number, where that could not be kept."""
    language, now, zone = language_of(customer), clock.now(), zone_of_her(customer)
    wishes = [each for each in queries.list_wishes_of(db.session, customer.id) if _is_shown(each, now)]
    offers = {each.wish_id: each for each in queries.list_open_offers(db.session, customer.id)}
    with speaking(language):
        shown = [_shown(each, offers.get(each.id), typed.get(each.id), language, zone, now=now) for each in wishes]
        said, words = _said(request.args.get("said", "")), form_words()
    return show(
        "public/wishes.html",
        language,
        token=token,
        living=[each for each in shown if each.wish.is_living],
        over=[each for each in shown if not each.wish.is_living],
        said=said,
        words=words,
        unsubscribe=links.unsubscribe_link(house_config(), customer.id),
        tomorrow=(now + timedelta(days=1)).date(),
    )


@bp.post("/wishes/<token>/<int:wish_id>/change")
@public
def change(token: str, wish_id: int) -> ResponseReturnValue:
    """Other sizes, another day, another price: her place stays."""
    if (wish := _hers(token, wish_id)) is None:
        return _too_old(token)
    asked = read_asked(request.form)
    with speaking(language_of(wish.customer)):
        try:
            _change(wish, asked)
        except (BadInput, RuleBroken) as error:
            db.session.rollback()
            wish = queries.get_wish(db.session, wish_id)
            if not wish.is_living:
                raise
            return _page(token, wish.customer, {wish.id: _as_typed(asked, error)}), error.status
        db.session.commit()
    return _back(token, "changed", wish)


def _change(wish: Wish, asked: Asked) -> None:
    wanted, now = asked.wanted(tuple(dict.fromkeys(asked.skus)), wish.product), clock.now()
    is_same_day = wanted.needed_by == wish.needed_by  # it may have come, and she may leave it as it is
    requests.check_wanted(replace(wanted, needed_by=None) if is_same_day else wanted, now=now)
    change_wish(
        db.session,
        wish,
        variants=_kept_order(wish, wanted.skus),
        quantity=wanted.quantity,
        needed_by=wanted.needed_by,
        ceiling_cents=wanted.ceiling_cents,
        or_similar=wanted.or_similar,
        by=None,
        now=now,
    )


@bp.post("/wishes/<token>/<int:wish_id>/withdraw")
@public
def withdraw(token: str, wish_id: int) -> ResponseReturnValue:
    """She wants it no more; twice is fine."""
    if (wish := _hers(token, wish_id)) is None:
        return _too_old(token)
    withdraw_wish(db.session, wish, WishEnding.WITHDRAWN_BY_HER, by=None, now=clock.now())
    db.session.commit()
    return _back(token, "withdrawn", wish)


@bp.post("/wishes/<token>/<int:wish_id>/renew")
@public
def renew(token: str, wish_id: int) -> ResponseReturnValue:
    """ "Still want it?" Yes; twice is fine."""
    if (wish := _hers(token, wish_id)) is None:
        return _too_old(token)
    with speaking(language_of(wish.customer)):
        renew_wish(db.session, wish, now=clock.now(), span=house_config().policy.wish_span)
        db.session.commit()
    return _back(token, "renewed", wish)


@bp.post("/wishes/<token>/<int:wish_id>/wake")
@public
def wake(token: str, wish_id: int) -> ResponseReturnValue:
    """It rested, since she said not now or did not answer: she wants to hear of it again; twice is fine."""
    if (wish := _hers(token, wish_id)) is None:
        return _too_old(token)
    with speaking(language_of(wish.customer)):
        wake_wish(db.session, wish, now=clock.now())
        db.session.commit()
    return _back(token, "renewed", wish)


def _open(token: str) -> tuple[Opened, Customer]:
    opened = open_link(links.WISHES, token, days=house_config().policy.wish_link_days)
    try:
        return opened, get_person(db.session, opened.number)
    except NotFound as error:
        raise BadToken from error


def _hers(token: str, wish_id: int) -> Wish | None:
    """A wish of hers; somebody else's is not found (T35). None when the link is too old, which the page then says."""
    opened, customer = _open(token)
    if opened.is_expired:
        return None
    wish = queries.lock_wish(db.session, wish_id)
    if wish.customer_id != customer.id:
        raise WishNotFound
    return wish


def _too_old(token: str) -> ResponseReturnValue:
    return redirect(url_for(".her_wishes", token=token), 303)


def _as_typed(asked: Asked, fault: ConciergeError) -> Typed:
    skus = frozenset(asked.skus)
    kept = (skus, asked.quantity, asked.needed_by, asked.ceiling, asked.or_similar)
    return Typed(*kept, fault=fault.sentence(), field=field_of(fault))


def _as_kept(wish: Wish) -> Typed:
    return Typed(
        skus=frozenset(choice.variant.sku for choice in wish.choices),
        quantity=str(wish.quantity),
        needed_by=wish.needed_by.isoformat() if wish.needed_by else "",
        ceiling=price_typed(wish.ceiling_cents, wish.product.currency),
        or_similar=wish.or_similar,
    )


def _is_shown(wish: Wish, now: datetime) -> bool:
    return wish.ended_at is None or wish.ended_at > now - _SHOWN_AFTER_THE_END


def _kept_order(wish: Wish, skus: tuple[str, ...]) -> list[Variant]:
    """The variants she ticked: those she had in their order, the new ones behind."""
    had = [choice.variant.sku for choice in wish.choices]
    wanted = [each for each in had if each in skus] + [each for each in skus if each not in had]
    by_sku = {each.sku: each for each in wish.product.variants}
    return [by_sku[sku] for sku in wanted if sku in by_sku]


def _shown(
    wish: Wish, offer: Offer | None, typed: Typed | None, language: str, zone: ZoneInfo, *, now: datetime
) -> Shown:
    variants, system = [choice.variant for choice in wish.choices], system_known(wish.customer.country)
    labels = labels_of(wish.product, language, system)
    is_told = offer is not None and offer.left_at is not None
    return Shown(
        wish=wish,
        card=card_of((variants or wish.product.variants)[0], language, system),
        sizes=sizes_words(variants, language, system),
        state=state_of(wish, language, zone, now=now),
        rests=bool(rest_of(wish, language, zone, now=now)),
        facts=facts_of(wish, wish.product, language),
        held=offer_words(offer, zone, language, now=now) if offer and is_told else "",
        offer_link=links.offer_link(house_config(), offer.id) if offer and is_told else "",
        is_taken=offer is not None and offer.state is OfferState.TAKEN,
        confirm_link=links.confirm_link(house_config(), wish.id) if wish.state is WishState.UNCONFIRMED else "",
        choices=[
            {
                "sku": each.sku,
                "label": labels[each.id] or each.sku,
                "here": each.available > 0,
            }
            for each in wish.product.variants
        ],
        typed=typed or _as_kept(wish),
    )


def offer_words(offer: Offer, zone: ZoneInfo, language: str, *, now: datetime) -> str:
    """Until when a piece is held, by her own clock; nothing more than that it is, while our mail is stuck."""
    if offer.held_until is None or offer.held_until <= now:
        return str(
            _("One is held for you.") if offer.is_promised else _("Yours as soon as you take it, while there is one.")
        )
    is_hers = bool(offer.customer.timezone or offer.customer.country)
    until = held_words(offer.held_until, zone=zone, is_hers=is_hers, language=language, now=now)
    if not offer.is_promised:
        return str(_("Yours until %(moment)s, as long as there is one.", moment=until))
    return str(_("Held for you until %(moment)s.", moment=until))


def _said(word: str) -> str:
    sentences = {
        "confirmed": _("Thank you. Your wish counts from now."),
        "changed": _("Changed. Your place is the same."),
        "withdrawn": _("Withdrawn."),
        "renewed": _("Good. We keep looking."),
    }
    return str(sentences.get(word, ""))


def _back(token: str, said: str, wish: Wish) -> ResponseReturnValue:
    return redirect(f"{url_for('.her_wishes', token=token, said=said)}#wish-{wish.id}", 303)
