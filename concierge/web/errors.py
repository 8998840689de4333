"""Errors to HTTP, once: each broken rule becomes its status and its sentence."""

import logging
from http import HTTPStatus

from flask import Flask, jsonify, make_response, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, default_exceptions

from concierge.errors import ConciergeError
from concierge.extensions import db
from concierge.web.rendering import render, wants_block

log = logging.getLogger(__name__)

_OUT_OF_RANGE = "22003"  # PostgreSQL's numeric_value_out_of_range


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(ConciergeError, _broken_rule)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http)
    # A number no row can have: SQLite's driver says the one, PostgreSQL the other.
    app.register_error_handler(OverflowError, _beyond)
    app.register_error_handler(DataError, _beyond)
    app.register_error_handler(OperationalError, _busy)
    app.register_error_handler(NoConnectionLeft, _busy)
    app.register_error_handler(Exception, _unexpected)


def _broken_rule(error: Exception) -> ResponseReturnValue:
    assert isinstance(error, ConciergeError)
    db.session.rollback()
    return _answer(error.status, error.sentence())


def _stale_form(_error: Exception) -> ResponseReturnValue:
    return _answer(
        400, _("This page was open for a long while. Go back, reload it, and try once more; nothing is lost.")
    )


def _http(error: Exception) -> ResponseReturnValue:
    assert isinstance(error, HTTPException)
    if error.response is not None:
        return error.response
    status = error.code or 500
    sentences = {
        403: _("Your role does not allow this; ask an admin."),
        404: _("We looked everywhere and could not find this page."),
        405: _("This page can't be used that way."),
        413: _("This is larger than we can take."),
        429: _("That was a little too often. Wait a minute, then try again."),
    }
    answer = make_response(_answer(status, sentences.get(status, error.description or HTTPStatus(status).phrase)))
    if isinstance(error, MethodNotAllowed):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return answer


def _beyond(error: Exception) -> ResponseReturnValue:
    if isinstance(error, DataError) and getattr(error.orig, "sqlstate", "") != _OUT_OF_RANGE:
        return _unexpected(error)
    db.session.rollback()
    return _http(NotFound())


def _busy(error: Exception) -> ResponseReturnValue:
    """Too many wrote at once (SQLite), or the database is away (PostgreSQL): it passes."""
    db.session.rollback()
    log.warning("database not to be had at %s %s: %s", request.method, request.url_rule, type(error).__name__)
    return _answer(503, _("The house is very busy right now. Nothing was changed; please try again in a moment."))


def _unexpected(error: Exception) -> ResponseReturnValue:
    db.session.rollback()
    log.exception("unexpected error at %s %s", request.method, request.url_rule)
    return _answer(500, _("Something broke on our side. It is written down; please try again in a moment."))


def _answer(status: int, sentence: str) -> ResponseReturnValue:
    if request.path.startswith("/api/"):  # for programs, as docs/api.md says; its own errors never come here
        name = default_exceptions.get(status, HTTPException).__name__
        return jsonify(error={"name": name, "what": sentence, "faults": []}), status
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return jsonify(error=sentence), status
    # htmx swaps the fragment into the page's message area, see HX-Retarget
    if wants_block():
        headers = {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"}
        return render("errors/toast.html", sentence=sentence), status, headers
    return render("errors/page.html", status=status, sentence=sentence), status
