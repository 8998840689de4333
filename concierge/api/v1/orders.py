"""The shop tells of its orders, and its checkout asks whether a piece is held."""

from datetime import datetime
from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.api.answers import HoldOut, OrderOut
from concierge.api.models import HoldOver
from concierge.api.shapes import Misshapen, OrderIn, OrderLineIn, moment, name_taken, read, require_distinct
from concierge.api.v1.callers import body, bp, for_keys, source
from concierge.catalogue.models import VariantNotFound
from concierge.catalogue.purchases import PurchaseReport, report_purchase
from concierge.catalogue.stock_models import Purchase
from concierge.errors import BadToken
from concierge.extensions import db, house_config
from concierge.wishes import links
from concierge.wishes.offer_models import Offer, OfferNotFound
from concierge.wishes.queries import get_offer


@bp.post("/orders")
@for_keys("orders", takes=(OrderIn,), gives={200: (OrderOut,)})
def orders() -> ResponseReturnValue:
    """An order that was paid, delivered, cancelled or sent back, line by line; the same again changes nothing."""
    order = read(OrderIn, body())
    require_distinct("lines", order.lines)
    lines = sorted(enumerate(order.lines), key=lambda numbered: numbered[1].sku)
    answers = {number: _line(order, line, f"lines[{number}].", now=clock.now()) for number, line in lines}
    return jsonify(id=order.id, lines=[answers[number] for number in range(len(lines))])


def _line(order: OrderIn, line: OrderLineIn, where: str, *, now: datetime) -> dict[str, Any]:
    report = PurchaseReport(
        source=source(),
        external_id=f"{order.id}:{line.id}"[:200],
        sku=line.sku,
        at=order.at,
        units=line.units,
        price_cents=line.price_cents,
        currency=order.currency,
        address=order.address,
        account=order.account,
        hold_token=order.hold,
        location=order.location or house_config().policy.shop_location,
        returned=line.units if order.state in {"cancelled", "returned"} else line.returned,
        is_void=order.state == "cancelled",
        delivered_at=order.delivered_at or (now if order.state == "delivered" else None),
    )
    try:
        purchase = report_purchase(db.session, report, now=now)
    except VariantNotFound:
        return {"id": line.id, "sku": line.sku, "state": "unknown"}
    if purchase.variant.sku != line.sku:
        raise Misshapen([name_taken(f"{where}id", f"a line that sold {purchase.variant.sku}")])
    return {"id": line.id, "sku": line.sku, "state": _state(purchase)}


def _state(purchase: Purchase) -> str:
    if purchase.returned_at:
        return "returned"
    return "delivered" if purchase.delivered_at else "paid"


@bp.get("/holds/<token>")
@for_keys("orders", gives={200: (HoldOut,)}, breaks=(BadToken, OfferNotFound, HoldOver))
def hold(token: str) -> ResponseReturnValue:
    """Whether the piece a customer comes for is held for her, and until when; it says nothing of who she is."""
    offer = get_offer(db.session, links.read(house_config(), links.HOLD, token))
    now = clock.now()
    if offer.is_over or not offer.holds or (offer.held_until is not None and offer.held_until <= now):
        raise HoldOver
    return jsonify(_held(offer))


def _held(offer: Offer) -> dict[str, Any]:
    return {
        "sku": offer.variant.sku,
        "units": offer.quantity,
        "price_cents": offer.price_cents,
        "currency": offer.variant.product.currency,
        "state": offer.state.value,
        "held_until": moment(offer.held_until),
    }
