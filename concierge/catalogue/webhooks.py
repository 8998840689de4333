"""The entrances for shop systems that post what happens: Shopify and WooCommerce, each with its signature."""

import json
import logging
from collections.abc import Sequence
from typing import Any, Final

from flask import Blueprint, Flask, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from concierge import clock
from concierge.catalogue import shopify as shopify_words
from concierge.catalogue import woocommerce as woocommerce_words
from concierge.catalogue.foreign import Gone, Goods, Misread, Told, is_signed
from concierge.catalogue.hearing import hear, hear_of_goods
from concierge.db import lock_for_writing
from concierge.extensions import csrf, db, house_config, limiter
from concierge.web.security import public

log = logging.getLogger(__name__)

bp = Blueprint("catalogue_webhooks", __name__, url_prefix="/webhooks")

_MOST_BYTES: Final = 4 * 1024 * 1024


def init_app(app: Flask) -> None:
    """Add the entrances; whoever posts has no session, hence no form token, and no limit but the shop's."""
    app.register_blueprint(bp)
    csrf.exempt(bp)
    limiter.exempt(bp)


@bp.post("/shopify")
@public
def shopify() -> ResponseReturnValue:
    """A webhook of Shopify: 200 when it is written down, or does not concern us; 401 when it is not signed."""
    body, config = _body(), house_config()
    signature = request.headers.get(shopify_words.SIGNATURE, "")
    if not is_signed(body, signature, config.shopify_secret.get_secret_value()):
        return _say("not signed with our secret", 401)
    topic = request.headers.get(shopify_words.TOPIC, "")
    try:
        said, headers = _json(body), _headers()
        told = shopify_words.read(topic, headers, said, config.shopify_locations)
        goods = shopify_words.read_goods(
            topic, headers, said, domain=config.shopify_domain, language=config.policy.shop_language,
            currency=config.policy.shop_currency,
        )  # fmt: skip
    except Misread as misread:
        return _say(str(misread.__doc__), 422)
    return _write_down(told, goods, "shopify")


@bp.post("/woocommerce")
@public
def woocommerce() -> ResponseReturnValue:
    """A webhook of WooCommerce, or the ping it tries a new webhook with."""
    body, config = _body(), house_config()
    if woocommerce_words.is_ping(body):
        return _say("hello", 200)
    signature = request.headers.get(woocommerce_words.SIGNATURE, "")
    if not is_signed(body, signature, config.woocommerce_secret.get_secret_value()):
        return _say("not signed with our secret", 401)
    topic = request.headers.get(woocommerce_words.TOPIC, "")
    now = clock.now()
    try:
        said = _json(body)
        told = woocommerce_words.read(topic, _headers(), body, said, now=now)
        goods = woocommerce_words.read_goods(
            topic, said, now=now, language=config.policy.shop_language, currency=config.policy.shop_currency
        )
    except Misread as misread:
        return _say(str(misread.__doc__), 422)
    return _write_down(told, goods, "woocommerce")


def _body() -> bytes:
    """The raw bytes, which are what is signed; read before anything is locked."""
    db.session.rollback()
    request.max_content_length = _MOST_BYTES
    return request.get_data(cache=False)


def _headers() -> dict[str, str]:
    """The headers, their names in lower case: proxies and frameworks write them as they like."""
    return {name.lower(): value for name, value in request.headers}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Misread from error


def _write_down(told: Sequence[Told], goods: Goods | Gone | None, source: str) -> ResponseReturnValue:
    policy = house_config().policy
    for is_last in (False, True):
        try:
            lock_for_writing(db.session)
            now = clock.now()
            if goods is not None:
                hear_of_goods(db.session, goods, source=source, now=now, policy=policy)
            ours, others = hear(db.session, told, source=source, now=now, policy=policy)
            db.session.commit()
        except IntegrityError:
            # Another thread wrote the same down a moment before; now we see it.
            db.session.rollback()
            if is_last:
                break
        except SQLAlchemyError:
            db.session.rollback()
            log.exception("a webhook of %s could not be written down", source)
            break
        else:
            return jsonify(ours=ours, others=others)
    return _say("busy", 503)


def _say(words: str, status: int) -> ResponseReturnValue:
    return jsonify(said=words), status
