"""The pages and verbs of one wish: its story, changed, moved, renewed, withdrawn, or confirmed by a mail of hers."""

from dataclasses import replace
from datetime import timedelta

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from concierge import audit, clock
from concierge.accounts.queries import current_editor, list_editors
from concierge.conversations import queries as conversations
from concierge.conversations.models import Conversation
from concierge.errors import BadInput, ConciergeError, RuleBroken
from concierge.extensions import db, house_config
from concierge.web.rendering import render
from concierge.wishes import noting, queries, requests, showing, wording
from concierge.wishes.commands import change_wish, move_wish, renew_wish, withdraw_wish
from concierge.wishes.forms import WishForm, field_of, price_typed, read_form
from concierge.wishes.models import Wish, WishEnding, WishState
from concierge.wishes.views import answering, chips_of, done, reader

bp = Blueprint("wish", __name__, url_prefix="/wishes/<int:wish_id>")
_QUEUE_SHOWN = 12
# Why an editor ends a wish, as the form says it.
_ENDINGS = {"no-more": WishEnding.WITHDRAWN_BY_EDITOR, "elsewhere": WishEnding.BOUGHT_ELSEWHERE}


class NoPlace(BadInput):
    """Write a place in the queue, such as 1."""


class NoEnding(BadInput):
    """Say why it ends: she wants it no more, or has found it elsewhere."""


@bp.get("")
def show(wish_id: int) -> ResponseReturnValue:
    """One wish, with all that was done to it."""
    wish = queries.get_wish(db.session, wish_id)
    names = {each.id: each.name for each in list_editors(db.session)}
    history = [
        (each.at, wording.told(each.verb, each.details), names.get(each.editor_id or 0, ""))
        for each in audit.list_for(db.session, wish)
    ]
    return _page("wishes/show.html", "story", wish, history=[each for each in history if each[1]])


@bp.get("/change")
@answering
def choose_change(wish_id: int) -> ResponseReturnValue:
    """Other sizes, another number, day or price."""
    return _change_page(queries.get_wish(db.session, wish_id))


@bp.post("/change")
@answering
def change(wish_id: int) -> ResponseReturnValue:
    """Keep the changes; her place stays."""
    wish, form = queries.lock_wish(db.session, wish_id), read_form(request.form)
    try:
        _change(wish, form)
    except (BadInput, RuleBroken) as error:
        db.session.rollback()
        return _change_page(queries.get_wish(db.session, wish_id), form, fault=error)
    db.session.commit()
    return done(_("Changed. Her place is the same."), _back(wish))


@bp.get("/move")
@answering
def choose_place(wish_id: int) -> ResponseReturnValue:
    """Another place in the queue, for a reason."""
    return _move_page(queries.get_wish(db.session, wish_id))


@bp.post("/move")
@answering
def move(wish_id: int) -> ResponseReturnValue:
    """Move her; the reason is kept with the wish."""
    wish, because = queries.lock_wish(db.session, wish_id), request.form.get("because", "")[:400]
    place, variant_id = request.form.get("place", type=int), request.form.get("variant", type=int)
    try:
        if place is None or place < 1:
            raise NoPlace
        chosen = variant_id if variant_id in {choice.variant_id for choice in wish.choices} else None
        now, me = clock.now(), current_editor()
        move_wish(db.session, wish, place=place, because=because, by=me, now=now, variant_id=chosen)
    except (BadInput, RuleBroken) as error:
        db.session.rollback()
        return _move_page(queries.get_wish(db.session, wish_id), because=because, place=place, fault=error)
    db.session.commit()
    return done(_("Moved."), _back(wish))


@bp.post("/renew")
@answering
def renew(wish_id: int) -> ResponseReturnValue:
    """She still wants it; twice is fine."""
    wish = queries.lock_wish(db.session, wish_id)
    renew_wish(db.session, wish, now=clock.now(), span=house_config().policy.wish_span, by=current_editor())
    db.session.commit()
    return done(_("Renewed."), _back(wish))


@bp.get("/withdraw")
@answering
def choose_ending(wish_id: int) -> ResponseReturnValue:
    """Why it ends."""
    return _page("wishes/withdraw.html", "sheet", queries.get_wish(db.session, wish_id))


@bp.post("/withdraw")
@answering
def withdraw(wish_id: int) -> ResponseReturnValue:
    """End it, for this reason; twice is fine. What is held for her goes to the next."""
    wish = queries.lock_wish(db.session, wish_id)
    because = _ENDINGS.get(request.form.get("because", ""))
    if because is None:
        return _page("wishes/withdraw.html", "sheet", wish, fault=NoEnding())
    withdraw_wish(db.session, wish, because, by=current_editor(), now=clock.now())
    db.session.commit()
    return done(_("Withdrawn."), _back(wish))


@bp.get("/confirm")
@answering
def choose_proof(wish_id: int) -> ResponseReturnValue:
    """The mail in which she said yes, for a wish that waits for it."""
    return _confirm_page(queries.get_wish(db.session, wish_id))


@bp.post("/confirm")
@answering
def confirm(wish_id: int) -> ResponseReturnValue:
    """It counts from now, with her mail as the proof."""
    wish, form = queries.lock_wish(db.session, wish_id), read_form(request.form)
    try:
        asked = conversations.get_message(db.session, form.message_id or 0)
        noting.confirm_in_writing(db.session, wish, asked, by=current_editor(), now=clock.now())
    except (BadInput, RuleBroken) as error:
        db.session.rollback()
        return _confirm_page(queries.get_wish(db.session, wish_id), fault=error)
    db.session.commit()
    return done(_("The wish counts from now."), _back(wish))


def _change(wish: Wish, form: WishForm) -> None:
    had = [choice.variant.sku for choice in wish.choices]
    ticked = [sku for sku in had if sku in form.skus] + [sku for sku in form.skus if sku not in had]
    variants = noting.variants_of(wish.product, ticked)
    wanted = replace(form.wanted(wish.product), skus=tuple(each.sku for each in variants))
    is_same_day = wanted.needed_by == wish.needed_by  # it may have come, and may stay as it is
    requests.check_wanted(replace(wanted, needed_by=None) if is_same_day else wanted, now=clock.now())
    change_wish(
        db.session,
        wish,
        variants=variants,
        quantity=wanted.quantity,
        needed_by=wanted.needed_by,
        ceiling_cents=wanted.ceiling_cents,
        or_similar=wanted.or_similar,
        by=current_editor(),
        now=clock.now(),
    )


def _change_page(
    wish: Wish, form: WishForm | None = None, *, fault: ConciergeError | None = None
) -> ResponseReturnValue:
    form = form or WishForm(
        product=wish.product.code,
        skus=tuple(choice.variant.sku for choice in wish.choices),
        quantity=str(wish.quantity),
        needed_by=wish.needed_by.isoformat() if wish.needed_by else "",
        ceiling=price_typed(wish.ceiling_cents, wish.product.currency),
        or_similar=wish.or_similar,
    )
    known = showing.list_known(db.session, wish.customer_id, wish.product, reader(), but=wish.id)
    return _page(
        "wishes/change.html",
        "sheet",
        wish,
        fault=fault,
        form=form,
        sizes=chips_of(wish.product, form.skus, known),
        has_offer=queries.find_open_offer(db.session, wish_id=wish.id) is not None,
        tomorrow=(clock.now() + timedelta(days=1)).date().isoformat(),
    )


def _move_page(
    wish: Wish, *, because: str = "", place: int | None = None, fault: ConciergeError | None = None
) -> ResponseReturnValue:
    asked = request.values.get("variant", type=int)
    variants = [choice.variant for choice in wish.choices]
    variant = next((each for each in variants if each.id == asked), variants[0])
    waiting = queries.count_waiting(db.session, variant.id)
    is_short = waiting <= showing.LONGEST_QUEUE and wish.state is WishState.WAITING
    queue = queries.queue_of(db.session, variant.id, limit=_QUEUE_SHOWN) if is_short else []
    return _page(
        "wishes/move.html",
        "sheet",
        wish,
        fault=fault,
        variant=variant,
        variants=[(each, showing.sized(each, reader().language, with_colour=False)) for each in variants],
        waiting=waiting,
        queue=queue,
        because=because,
        place=place,
    )


def _confirm_page(wish: Wish, *, fault: ConciergeError | None = None) -> ResponseReturnValue:
    conversation = _conversation(wish)
    asked = noting.list_asked(db.session, conversation) if conversation else []
    return _page("wishes/confirm.html", "sheet", wish, fault=fault, asked=asked)


def _page(
    template: str, block: str, wish: Wish, *, fault: ConciergeError | None = None, **values: object
) -> ResponseReturnValue:
    [shown] = showing.show(db.session, [wish], reader())
    back, me = _back(wish), current_editor()
    page = render(
        template,
        block=block,
        shown=shown,
        wish=wish,
        back=back,
        may_answer=me.may_answer,
        fault=fault.sentence() if fault else "",
        field=field_of(fault),
        way=wording.way_words(wish),
        **values,
    )
    return page, fault.status if fault else 200


def _conversation(wish: Wish) -> Conversation | None:
    return conversations.get_conversation(db.session, wish.conversation_id) if wish.conversation_id else None


def _back(wish: Wish) -> str:
    """Where a verb without a script leads: her wishes beside the conversation, else on her own page."""
    if wish.conversation_id:
        return url_for("wishes.of_conversation", conversation_id=wish.conversation_id)
    return url_for("wishes.of_customer", customer_id=wish.customer_id)
