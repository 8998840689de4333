"""The entrance for providers that post mail: SendGrid's Inbound Parse."""

import hmac
import logging

from flask import Blueprint, Flask, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from concierge import clock
from concierge.config import Config
from concierge.extensions import csrf, db, house_blobs, house_config, limiter
from concierge.inbound import queries
from concierge.inbound.commands import accept_mail
from concierge.inbound.measures import Welcome
from concierge.inbound.sources.webhook import NotAForm, PostedMail, read_post
from concierge.mailing.signatures import SIGNATURE, TIMESTAMP, is_signed
from concierge.web.security import public

log = logging.getLogger(__name__)

bp = Blueprint("inbound_webhooks", __name__)

# A mail in parsed mode is posted with its texts and files unpacked; the form's own lines come on top.
_FORM_BYTES = 2 * 1024 * 1024


def init_app(app: Flask) -> None:
    """Add the entrance; whoever posts has no session, hence no CSRF token, and no limit but the provider's."""
    app.register_blueprint(bp)
    csrf.exempt(bp)
    limiter.exempt(bp)


@bp.post("/webhooks/inbound/<secret>")
@public
def sendgrid(secret: str) -> ResponseReturnValue:
    """Keep a posted mail: 200 when it is safe, 403 for a wrong secret, 5xx for what passes (it is posted again).

    Where a signature is asked for, what has none is answered 503: should the key be the wrong one, SendGrid keeps the
    mail for three days while that is mended; of a 4xx it would be lost.
    """
    config = house_config()
    if not hmac.compare_digest(secret.encode("utf-8", "replace"), config.inbound_token.encode()):
        return "", 403
    # Reading a large post takes as long as its sender likes; no transaction may wait for that.
    db.session.rollback()
    request.max_content_length = config.max_mail_bytes + _FORM_BYTES
    body = request.get_data(cache=False)
    signature, timestamp = (request.headers.get(name, "") for name in (SIGNATURE, TIMESTAMP))
    if (key := config.sendgrid_inbound_key) and not is_signed(body, signature, timestamp, key):
        log.warning("a posted mail is not signed with CONCIERGE_SENDGRID_INBOUND_KEY; it has to come again")
        return "", 503, {"Retry-After": "3600"}
    try:
        posted = read_post(request.headers.get("Content-Type", ""), body)
    except NotAForm:
        # Not what we were promised, but it came with our secret: it is kept, and staff see it in quarantine.
        posted = PostedMail(body, None, ())
    try:
        if not _keep(posted, config):
            return "", 503, {"Retry-After": "3600"}
    except (OSError, SQLAlchemyError):
        db.session.rollback()
        log.exception("a posted mail could not be kept")
        return "", 503, {"Retry-After": "60"}
    return "", 200


def _keep(posted: PostedMail, config: Config) -> bool:
    """Whether it is kept; False when it has to come again later, for its sender sends too much."""
    store = house_blobs()
    size, now = len(posted.raw), clock.now()
    welcome = queries.welcome(db.session, posted.envelope_from, size, config.policy, now=now)
    db.session.rollback()  # what began by looking can't write any more once somebody else has (SQLite)
    if welcome is Welcome.LATER:
        return False
    accept_mail(
        db.session,
        store,
        posted.raw,
        source="webhook",
        envelope_from=posted.envelope_from,
        recipients=posted.recipients,
        now=now,
        held=welcome is Welcome.HELD,
        verdicts=posted.verdicts,
    )
    db.session.commit()
    return True
