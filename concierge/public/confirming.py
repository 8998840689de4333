"""Yes to a wish: what a form asked for an address, and what an editor noted for her. GET shows, POST confirms."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.catalogue.cards import sizes_words
from concierge.catalogue.sizes import system_known
from concierge.config import LANGUAGES
from concierge.errors import BadToken, NotFound
from concierge.extensions import db, house_config
from concierge.public.fresh import her_link, too_old
from concierge.public.pages import Opened, bp, caller_network, cards_of, language_of, open_link, show, speaking
from concierge.public.wording import facts_of
from concierge.web.security import public
from concierge.wishes import answers, links, queries, requests, sentences
from concierge.wishes.commands import withdraw_wish
from concierge.wishes.models import Wish, WishEnding, WishRequest, WishState


@bp.get("/wish-request/<token>")
@public
def request_page(token: str) -> ResponseReturnValue:
    """What was asked for her address, and the button that makes it count."""
    opened, asked = _open_request(token)
    if opened.is_expired:
        return show("public/request_expired.html", _language(asked), token=token, sent="sent" in request.args)
    if asked.wish_id is not None:
        return show("public/request_confirmed.html", _language(asked), link=_her_page(asked.wish_id))
    newest, wanted, variants = answers.what_she_asked(db.session, asked)
    language = _language(newest)  # in which she last spoke to us, and was shown what she agrees to
    with speaking(language):
        facts = [sizes_words(variants, language), *facts_of(wanted, newest.product, language)]
    return show(
        "public/request.html", language, token=token, asked=newest, cards=cards_of(variants, language), facts=facts
    )


@bp.post("/wish-request/<token>")
@public
def confirm_request(token: str) -> ResponseReturnValue:
    """She says yes; twice is fine."""
    opened, asked = _open_request(token, lock=True)
    if opened.is_expired:
        return redirect(url_for(".request_page", token=token), 303)
    shown = request.form.get("shown", type=int, default=asked.id)
    with speaking(_language(asked)):
        wish = answers.confirm_request(
            db.session, house_config().policy, asked, shown, network=caller_network(), now=clock.now()
        )
        db.session.commit()
    return redirect(f"{_her_page(wish.id)}?said=confirmed#wish-{wish.id}", 303)


@bp.post("/wish-request/<token>/fresh")
@public
def fresh_request(token: str) -> ResponseReturnValue:
    """The link was too old: the same question once more by mail, within the same caps."""
    _opened, asked = _open_request(token)
    with speaking(_language(asked)):
        requests.ask_again(db.session, house_config(), asked, network=caller_network(), now=clock.now())
        db.session.commit()
    return redirect(url_for(".request_page", token=token, sent=""), 303)


@bp.get("/wish/<token>")
@public
def noted_page(token: str) -> ResponseReturnValue:
    """A wish an editor noted for her, and whether that is right."""
    opened, wish = _open_noted(token)
    if opened.is_expired:
        return too_old("wish", token, wish.customer)
    language, system = language_of(wish.customer), system_known(wish.customer.country)
    variants = [choice.variant for choice in wish.choices]
    with speaking(language):
        facts = [sizes_words(variants, language, system), *facts_of(wish, wish.product, language)]
    return show(
        "public/noted.html",
        language,
        token=token,
        wish=wish,
        is_open=wish.state is WishState.UNCONFIRMED,
        cards=cards_of(variants, language, system),
        facts=facts,
        words=_sentence(wish, language),
        link=her_link(wish.customer),
    )


@bp.post("/wish/<token>")
@public
def confirm_noted(token: str) -> ResponseReturnValue:
    """She says yes to it; twice is fine."""
    opened, wish = _open_noted(token, lock=True)
    language = language_of(wish.customer)
    if not opened.is_expired:
        with speaking(language):
            words, now = _sentence(wish, language), clock.now()
            answers.confirm_noted(db.session, wish, words=words, language=language, network=caller_network(), now=now)
            db.session.commit()
    return redirect(url_for(".noted_page", token=token), 303)


@bp.post("/wish/<token>/decline")
@public
def decline_noted(token: str) -> ResponseReturnValue:
    """She did not mean that: the wish ends; twice is fine."""
    opened, wish = _open_noted(token, lock=True)
    if not opened.is_expired:
        withdraw_wish(db.session, wish, WishEnding.WITHDRAWN_BY_HER, by=None, now=clock.now())
        db.session.commit()
    return redirect(url_for(".noted_page", token=token), 303)


def _open_request(token: str, *, lock: bool = False) -> tuple[Opened, WishRequest]:
    opened = open_link(links.REQUEST, token, days=house_config().policy.wish_request_days)
    return opened, requests.get_request(db.session, opened.number, lock=lock)


def _open_noted(token: str, *, lock: bool = False) -> tuple[Opened, Wish]:
    opened = open_link(links.CONFIRM, token, days=house_config().policy.wish_link_days)
    read = queries.lock_wish if lock else queries.get_wish
    try:
        return opened, read(db.session, opened.number)
    except NotFound as error:
        raise BadToken from error


def _language(asked: WishRequest) -> str:
    return asked.language if asked.language in LANGUAGES else LANGUAGES[0]


def _her_page(wish_id: int) -> str:
    return her_link(queries.get_wish(db.session, wish_id).customer)


def _sentence(wish: Wish, language: str) -> str:
    words = sentences.words_of(sentences.current_sentence(language), wish.mailbox.brand)
    assert words
    return words
