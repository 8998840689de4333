"""The entrance for what a provider reports of our mails: SendGrid's signed event webhook."""

import logging

from flask import Blueprint, Flask, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from concierge import clock
from concierge.db import lock_for_writing
from concierge.extensions import csrf, db, house_blobs, house_config, limiter
from concierge.mailing import reporting
from concierge.mailing.signatures import SIGNATURE, TIMESTAMP, is_signed
from concierge.web.security import public

log = logging.getLogger(__name__)

bp = Blueprint("mailing_webhooks", __name__, url_prefix="/webhooks")

_MOST_BYTES = 8 * 1024 * 1024


def init_app(app: Flask) -> None:
    """Add the entrance; whoever posts has no session, hence no form token, and no limit but the provider's."""
    app.register_blueprint(bp)
    csrf.exempt(bp)
    limiter.exempt(bp)


@bp.post("/sendgrid/events")
@public
def sendgrid_events() -> ResponseReturnValue:
    """Keep a post of events: 200 when its bytes are safe, 401 when it is not signed, 503 for what passes.

    A repeat is told by its bytes, and each event by its name, for ever; so there is no window outside which a
    signature is too old (they repeat for 29 hours and longer).
    """
    db.session.rollback()  # no transaction waits for a slow reader
    request.max_content_length = _MOST_BYTES
    body, config = request.get_data(cache=False), house_config()
    signature, timestamp = (request.headers.get(name, "") for name in (SIGNATURE, TIMESTAMP))
    if not config.sendgrid_event_key or not is_signed(body, signature, timestamp, config.sendgrid_event_key):
        return "", 401
    try:
        key = house_blobs().put(body)
        lock_for_writing(db.session)
        reporting.keep_post(db.session, "sendgrid", key, size=len(body), now=clock.now())
        db.session.commit()
    except IntegrityError:  # the same post a moment ago, in another thread
        db.session.rollback()
    except (OSError, SQLAlchemyError):
        db.session.rollback()
        log.exception("a post of events could not be kept")
        return "", 503, {"Retry-After": "60"}
    return "", 200
