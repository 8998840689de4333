"""Where browsers report what our policy kept a page from doing."""

from urllib.parse import urlsplit

from flask import Blueprint, Flask, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from concierge import clock
from concierge.extensions import csrf, db, limiter
from concierge.operations.breaches import read_breaches
from concierge.operations.commands import note_breaches
from concierge.web.security import BREACHES, public

bp = Blueprint("breaches", __name__)

_MOST_BYTES = 64 * 1024
# The page that shows a mail has no origin, so that a browser asks first whether it may report.
_MAY_REPORT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Allow-Methods": "POST",
}


def init_app(app: Flask) -> None:
    """Add the entrance; a browser sends no form token with a report."""
    app.register_blueprint(bp)
    csrf.exempt(bp)


@bp.route(BREACHES, methods=["POST", "OPTIONS"])
@public
@limiter.limit("30/minute", methods=["POST"])
@limiter.limit("300/minute", key_func=lambda: "breaches", methods=["POST"])
def report() -> ResponseReturnValue:
    """Count what is reported of pages of ours; 204 whatever was said, 429 when it is too much."""
    if request.method == "OPTIONS":
        return "", 204, _MAY_REPORT
    db.session.rollback()  # no transaction waits for a slow reader
    request.max_content_length = _MOST_BYTES
    told = read_breaches(request.get_data(cache=False))
    found = [(page, each.directive, each.blocked) for each in told if (page := _page_of(each.url))]
    if found:
        note_breaches(db.session, found, now=clock.now())
        db.session.commit()
    return "", 204, _MAY_REPORT


def _page_of(url: str) -> str:
    """The view behind an address of this house; empty for any other. What follows its kind is forgotten here."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.netloc.lower() != request.host.lower():
        return ""
    path = parts.path.removeprefix(request.script_root)
    try:
        endpoint, _values = current_app.url_map.bind(request.host).match(path, method="GET")
    except (HTTPException, RequestRedirect):
        return ""
    return str(endpoint)[:80]
