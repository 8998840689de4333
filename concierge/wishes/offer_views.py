"""The offers desk, and the banner in a conversation that says what a reply to an offer probably means."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, Response, flash, jsonify, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from sqlalchemy.orm import sessionmaker

from concierge import clock
from concierge.accounts.queries import current_editor
from concierge.catalogue.cards import ProductCard, card_of, piece_words
from concierge.catalogue.naming import price_text
from concierge.catalogue.queries import cards
from concierge.config import LANGUAGES
from concierge.conversations.models import Conversation
from concierge.conversations.queries import get_conversation
from concierge.db import lock_for_writing
from concierge.errors import RuleBroken
from concierge.extensions import db, house_blobs, house_config
from concierge.mailing.sheets import self_contained
from concierge.web.rendering import render, wants_block
from concierge.web.security import FRAMED_MAIL_POLICY, roles_accepted
from concierge.wishes import desk, drafting, links, preview, queries, release, soundness, understanding
from concierge.wishes.desk import Bundle
from concierge.wishes.drafting import OfferHasLeft, Sent
from concierge.wishes.likenesses import list_pieces
from concierge.wishes.models import NoReason
from concierge.wishes.offer_forms import RESTS, NotHerForm
from concierge.wishes.offer_models import Offer
from concierge.wishes.understanding import Verdict
from concierge.wishes.words import skipped_words

bp = Blueprint("desk", __name__)
answering = roles_accepted("editor", "admin")
_REMEMBERED = timedelta(days=7)
_NOT_NOW = timedelta(days=30)


def init_app(app: Flask) -> None:
    """Register these pages, and let the navigation count what waits."""
    app.register_blueprint(bp)
    app.jinja_env.globals.update(count_desk=_count, count_broken=lambda: soundness.count_broken(db.session))


def _count() -> int:
    return desk.count_waiting(db.session, current_editor(), now=clock.now())


@bp.get("/wishes/broken")
@roles_accepted("merchandiser", "admin")
def broken() -> ResponseReturnValue:
    """What does not add up, at which row and since when, as the worker last saw it."""
    found = soundness.list_broken(db.session)
    return render("wishes/broken.html", found=[(each, _address_of(each)) for each in found])


def _address_of(found: soundness.BrokenInvariant) -> str:
    """The page that shows a row best."""
    code, customer_id = soundness.whereabouts(db.session, found)
    if code:
        return url_for("catalogue.show", code=code)
    return url_for("customers.show", customer_id=customer_id) if customer_id else ""


@bp.get("/desk")
@answering
def show() -> ResponseReturnValue:
    """What waits on her desk (?whose=all: on everybody's), what has left today, and what did not arrive."""
    me, now = current_editor(), clock.now()
    whose = None if request.args.get("whose") == "all" else me
    bundles = desk.list_bundles(db.session, house_config(), editor=whose, now=now)
    today = now.astimezone(house_config().policy.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return render(
        "wishes/desk.html",
        bundles=bundles,
        whose=whose,
        me=me,
        cards=_cards(bundles),
        pictured=_pictured,
        prices=_prices(bundles),
        not_her=NotHerForm,
        policy=queries.policy_or_first(db.session),
        left=desk.list_left(db.session, editor=whose, since=today),
        not_arrived=desk.list_not_arrived(db.session, editor=whose, since=now - _REMEMBERED),
        skipped_words=skipped_words,
        piece=_piece,
        language=_page_language(),
    )


@bp.post("/desk/words")
@answering
def keep_words() -> ResponseReturnValue:
    """Keep what she has written on this page, all of it; a script is told the versions, everybody else is led back."""
    kept = _keep_words()
    db.session.commit()
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return jsonify(version=kept)
    flash(_("Your words are kept."))
    return _back()


@bp.post("/desk/send")
@answering
def send() -> ResponseReturnValue:
    """Send one mail (its number), or all she sees ("all"); her words on the page are kept with it. Twice is fine."""
    chosen = request.form.get("send", "")
    bundles = _bundles_on_page()
    wanted = [offer for number, offers in bundles.items() if chosen in {"all", str(number)} for offer in offers]
    for _attempt in range(3):
        try:
            _keep_words()
            sent = drafting.send_offers(db.session, house_config(), wanted, by=current_editor(), now=clock.now())
            db.session.commit()
            break
        except release.MouldsMissing as missing:
            db.session.rollback()
            release.make_moulds(house_config(), sessionmaker(db.engine), missing.keys)
            lock_for_writing(db.session)
    else:
        sent = Sent(gone=len(wanted))
    for words in _sent_words(sent):
        flash(words)
    return _back()


def _sent_words(sent: Sent) -> list[str]:
    """What became of it, a sentence for each kind."""
    told = [
        (sent.mails, ngettext("%(num)s mail has left.", "%(num)s mails have left.", sent.mails)),
        (
            sent.asleep,
            ngettext("%(num)s leaves when she is awake.", "%(num)s leave when they are awake.", sent.asleep),
        ),
        (
            sent.withheld,
            ngettext(
                "%(num)s may not leave; the reason is below, and the piece goes to the next.",
                "%(num)s may not leave; the reasons are below, and the pieces go to the next.",
                sent.withheld,
            ),
        ),
        (sent.gone, ngettext("%(num)s had left already.", "%(num)s had left already.", sent.gone)),
    ]
    return [str(words) for count, words in told if count] or [_("Nothing was waiting any more.")]


@bp.get("/desk/offers/<int:offer_id>")
@answering
def mail(offer_id: int) -> ResponseReturnValue:
    """The mail this offer waits in, as it will arrive if she sends it now."""
    shown = preview.show(db.session, house_config(), _bundle(offer_id))
    return render("wishes/desk_mail.html", block="mail", offer_id=offer_id, shown=shown)


@bp.get("/desk/offers/<int:offer_id>/mail")
@answering
def letter(offer_id: int) -> ResponseReturnValue:
    """The letter itself, for the frame."""
    shown, store = preview.show(db.session, house_config(), _bundle(offer_id)), house_blobs()
    response = Response(self_contained(shown.letter.html, shown.pictures, store.get), mimetype="text/html")
    response.headers["Content-Security-Policy"] = FRAMED_MAIL_POLICY
    return response


@bp.get("/desk/offers/<int:offer_id>/pieces")
@answering
def pieces(offer_id: int) -> ResponseReturnValue:
    """What could stand under "if not this one": pieces that are there in her size, found by their names."""
    offer, words = queries.get_offer(db.session, offer_id), request.args.get("q", "")[:200]
    found = list_pieces(db.session, offer.variant, words)
    return render(
        "wishes/desk_pieces.html",
        block="found",
        offer=offer,
        words=words,
        instead=request.args.get("instead", "")[:80],
        found=[card_of(each, _page_language()) for each in found],
        piece=_piece,
        pictured=_pictured,
    )


@bp.post("/desk/offers/<int:offer_id>/pieces")
@answering
def choose_pieces(offer_id: int) -> ResponseReturnValue:
    """Add a piece, in another's place or beside it; take one away; or let the house propose."""
    _keep_words()
    me, now = current_editor(), clock.now()
    bundle = _bundle(offer_id)
    offer, shown = queries.get_offer(db.session, offer_id), list(bundle.similar.get(offer_id, ()))
    removed, added = request.form.get("remove", ""), request.form.get("add", "")
    if request.form.get("propose"):
        drafting.forget_pieces(db.session, offer, by=me, now=now)
    else:
        instead = request.form.get("instead", "")
        chosen = [added if added and each == instead else each for each in shown if each != removed]
        chosen += [added] if added and added not in chosen else []
        drafting.choose_pieces(db.session, offer, chosen, by=me, now=now, added=added)
    db.session.commit()
    return redirect(f"{url_for('.show', **_whose())}#offer-{offer_id}", 303)


@bp.post("/desk/offers/<int:offer_id>/withdraw")
@answering
def withdraw(offer_id: int) -> ResponseReturnValue:
    """Not her, for a reason: the piece goes to the next."""
    _keep_words()
    form = NotHerForm(request.form, prefix=f"o{offer_id}")
    if not form.validate():
        raise NoReason
    now, rest = clock.now(), RESTS[form.again.data or "week"]
    offer = queries.get_offer(db.session, offer_id)
    until = now + rest if rest else None
    drafting.withdraw_offer(
        db.session, offer, because=form.because.data or "", until=until, by=current_editor(), now=now
    )
    db.session.commit()
    flash(_("Withdrawn. The piece goes to the next."))
    return _back()


@bp.get("/conversations/<int:conversation_id>/offers")
@answering
def replies(conversation_id: int) -> ResponseReturnValue:
    """What her reply to our offer probably means, and what can be done about it; htmx gets the banner alone."""
    return _replies(get_conversation(db.session, conversation_id))


@bp.post("/conversations/<int:conversation_id>/offers/<int:offer_id>/<any(take,pass,'put-off',dismiss):verdict>")
@answering
def judge(conversation_id: int, offer_id: int, verdict: str) -> ResponseReturnValue:
    """She takes it, she passes, not now, or none of it; only if this mail is still her newest. Twice is fine."""
    conversation, me, now = get_conversation(db.session, conversation_id), current_editor(), clock.now()
    seen = request.form.get("message", 0, type=int)
    try:
        understanding.judge_reply(
            db.session,
            conversation,
            offer_id,
            Verdict(verdict),
            message_id=seen,
            until=now + _NOT_NOW,
            by=me,
            now=now,
        )
        db.session.commit()
        said = ""
    except RuleBroken as error:
        db.session.rollback()
        said = error.sentence()
    if wants_block():
        answer = make_response(_replies(get_conversation(db.session, conversation_id), said=said))
        answer.headers["HX-Trigger"] = "house-changed"  # her wishes beside it ask what became of theirs
        return answer
    if said:
        flash(said, "danger")
    return redirect(url_for("conversations.show", conversation_id=conversation_id), 303)


def _replies(conversation: Conversation, said: str = "") -> str:
    return render(
        "wishes/answers.html",
        block="answers",
        conversation=conversation,
        reply=understanding.find_reply(db.session, conversation),
        taken=understanding.list_taken(db.session, conversation),
        checkout=lambda offer: links.checkout_link(house_config(), offer.variant.product.link, offer.id),
        piece=_piece,
        said=said,
        until=clock.now() + _NOT_NOW,
    )


def _page_language() -> str:
    locale = get_locale()
    return locale.language if locale and locale.language in LANGUAGES else "en"


def _bundle(offer_id: int) -> Bundle:
    found = desk.find_bundle(db.session, house_config(), offer_id, by=current_editor(), now=clock.now())
    if found is None:
        queries.get_offer(db.session, offer_id)
        raise OfferHasLeft
    return found


def _bundles_on_page() -> dict[int, list[int]]:
    """The mails the page showed: each by its first offer, with all it carries."""
    found: dict[int, list[int]] = {}
    for each in request.form.getlist("mail")[: desk.MOST]:
        numbers = [int(number) for number in each.split(",")[:50] if number.isdecimal() and len(number) < 19]
        if numbers:
            found[numbers[0]] = numbers
    return found


def _keep_words() -> str:
    """Keep all that she wrote on the page; the versions of what is kept now, as the page's field says them."""
    seen = dict(each.partition(":")[::2] for each in request.form.get("version", "").split(","))
    kept = {}
    for number, offers in sorted(_bundles_on_page().items()):
        words = request.form.get(f"words-{number}")
        if words is not None:
            kept[number] = drafting.keep_words(
                db.session, offers, words, version=seen.get(str(number), ""), by=current_editor(), now=clock.now()
            )
    return ",".join(f"{number}:{version}" for number, version in kept.items())


def _whose() -> dict[str, Any]:
    return {"whose": "all"} if request.args.get("whose") == "all" else {}


def _back() -> ResponseReturnValue:
    return redirect(url_for(".show", **_whose()), 303)


def _cards(bundles: list[Bundle]) -> dict[str, ProductCard]:
    skus = {each.sku for bundle in bundles for each in bundle.offers}
    skus |= {sku for bundle in bundles for shown in bundle.similar.values() for sku in shown}
    return cards(db.session, skus, _page_language()) if skus else {}


def _pictured(card: ProductCard) -> str | None:
    return url_for("catalogue.picture", key=card.picture_key) if card.picture_key else None


def _prices(bundles: list[Bundle]) -> dict[int, str]:
    """What each offer asks, by its number; the piece may cost another price by now."""
    offers = [each for bundle in bundles for each in bundle.offers]
    currencies = desk.currencies_of(db.session, {each.sku for each in offers})
    return {
        each.offer_id: price_text(each.price_cents, currencies[each.sku], _page_language())
        for each in offers
        if each.sku in currencies
    }


def _piece(offer: Offer) -> str:
    """An offered piece in words: "Calanque sandals, Turquoise, EU 36"."""
    return piece_words(offer.variant, _page_language())
