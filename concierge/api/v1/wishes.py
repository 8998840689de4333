"""The shop asks for a wish in a customer's name: the same caps and the same mail to her as behind the form (T29)."""

from flask import jsonify
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.api.answers import WishOut
from concierge.api.shapes import WishIn, read
from concierge.api.v1.callers import body, bp, caller, for_keys
from concierge.catalogue.models import ProductNotFound
from concierge.catalogue.prices import NotThatPrice
from concierge.config import LANGUAGES
from concierge.customers.models import NoAddress
from concierge.extensions import db, house_config
from concierge.wishes import caps, requests
from concierge.wishes.models import NothingWished, WishWay


@bp.post("/wishes")
@for_keys(
    "wishes",
    takes=(WishIn,),
    gives={202: (WishOut,)},
    breaks=(
        ProductNotFound, NothingWished, requests.NotThatMany, requests.NotThatDay, NotThatPrice, NoAddress,
        caps.TooOften,
    ),
)  # fmt: skip
def ask() -> ResponseReturnValue:
    """Keep what she asked for; 202 whoever she is, for only her yes by mail makes a wish of it."""
    asked = read(WishIn, body())
    product, variants = requests.find_wanted(db.session, product=asked.product, skus=asked.skus, sizes=asked.sizes)
    wanted = requests.Wanted(
        skus=tuple(each.sku for each in variants),
        quantity=asked.quantity,
        needed_by=asked.needed_by,
        ceiling_cents=asked.ceiling_cents,
        or_similar=asked.or_similar,
    )
    requests.request_wish(
        db.session,
        house_config(),
        asked.address,
        product,
        wanted,
        way=WishWay.API,
        language=asked.language if asked.language in LANGUAGES else LANGUAGES[0],
        words=asked.words,
        network=_network(asked),
        now=clock.now(),
    )
    return jsonify(state="asked", product=product.code, skus=list(wanted.skus)), 202


def _network(asked: WishIn) -> str:
    """Her network where the shop tells it, so that one visitor can't use up what all may ask; else the key's own."""
    secret = house_config().secret
    return caps.network_key(secret, str(asked.ip)) if asked.ip else caps.caller_key(secret, caller().id)
