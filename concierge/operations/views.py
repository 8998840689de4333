"""The operations page for admins, and what machines ask: does it live, is it ready, how does it do."""

import hmac
from typing import Any

from flask import Blueprint, Flask, Response, current_app, flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy.exc import SQLAlchemyError

from concierge import clock, copies, setbacks
from concierge.config import Config
from concierge.extensions import csrf, db, limiter
from concierge.operations import metrics, queries, watch, words
from concierge.operations.timetable import merge_lines
from concierge.web.rendering import render
from concierge.web.security import public, roles_accepted

bp = Blueprint("operations", __name__)
machines = Blueprint("machines", __name__)


def init_app(app: Flask, config: Config) -> None:
    """Register the pages, and give every page its banner."""
    watch.init_app(app, config)
    app.register_blueprint(bp)
    app.register_blueprint(machines)
    csrf.exempt(machines)
    limiter.exempt(machines)
    app.jinja_env.globals.update(house_faults=_faults)


def _faults() -> list[str]:
    return [words.fault_words(fault) for fault in watch.the_watch().faults()]


@bp.get("/operations")
@roles_accepted("admin")
def index() -> ResponseReturnValue:
    """The timetable, what waits, what was set aside, the provider, the worker's copies."""
    state = watch.the_watch().look()
    alive = [copy for copy in state.copies if copy.is_alive(state.now, copies.SILENCE)]
    lease = copies.find_clock(db.session, now=state.now)
    return render(
        "operations/index.html",
        state=state,
        alive={copy.id for copy in alive},
        clock_id=lease.copy_id if lease else None,
        lines=merge_lines(alive),
        set_aside=setbacks.list_set_aside(db.session),
        breaches=queries.list_breaches(db.session),
        provider=_config().provider,
        away=next((copy.provider["away_since"] for copy in alive if copy.provider.get("away_since")), None),
        words=words,
    )


@bp.get("/operations/banner")
def banner() -> ResponseReturnValue:
    """What is wrong, for the top of every page."""
    return render("operations/banner.html")


@bp.post("/operations/set-aside/<int:setback_id>/retry")
@roles_accepted("admin")
def retry(setback_id: int) -> ResponseReturnValue:
    """Try a row again that was set aside."""
    found = setbacks.get_set_aside(db.session, setback_id)
    setbacks.retry(db.session, found, by=current_user, now=clock.now())
    db.session.commit()
    flash(_("It will be tried again."))
    return redirect(url_for("operations.index", _anchor="set-aside"), 303)


@bp.post("/operations/set-aside/<int:setback_id>/discard")
@roles_accepted("admin")
def discard(setback_id: int) -> ResponseReturnValue:
    """Leave a row that was set aside as it is, for good."""
    found = setbacks.get_set_aside(db.session, setback_id)
    setbacks.discard(db.session, found, by=current_user, now=clock.now())
    db.session.commit()
    flash(_("It is left as it is."))
    return redirect(url_for("operations.index", _anchor="set-aside"), 303)


@machines.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """This process answers; whether it can do anything is for /readyz to say."""
    return Response("ok\n", mimetype="text/plain")


@machines.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """200 when mail comes in, is filed and leaves; else 503 with the reasons."""
    try:
        reasons = [fault.sentence for fault in watch.the_watch().look().faults]
    except SQLAlchemyError as error:
        reasons = [f"database: {type(error).__name__}"]
    return jsonify(ready=not reasons, reasons=reasons), 503 if reasons else 200


@machines.get("/metrics", endpoint="metrics")
@public
def figures() -> ResponseReturnValue:
    """Figures for Prometheus: with the token, or from this machine itself where none is set."""
    if not _may_read_figures():
        return Response("", 403, mimetype="text/plain")
    state = watch.the_watch().look()
    return Response(metrics.expose(state, db.session), content_type=metrics.CONTENT_TYPE)


def _may_read_figures() -> bool:
    token = _config().metrics_token.get_secret_value()
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    # Behind a proxy everybody comes from this machine; a proxy names whom it speaks for.
    passed_on = any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"))
    return request.remote_addr in {"127.0.0.1", "::1"} and not passed_on


def _config() -> Config:
    config: Any = current_app.extensions["concierge"]
    assert isinstance(config, Config)
    return config
