"""Who calls the API, how much a call may be, and how it is told what went wrong."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final, ParamSpec, cast

from flask import Blueprint, Flask, Response, g, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException

from concierge import clock
from concierge.api.commands import hash_key, note_use
from concierge.api.models import ApiKey, NoKey, OtherScope
from concierge.api.queries import find_key
from concierge.api.shapes import Misshapen
from concierge.api.v1.calls import Call, Shapes, say
from concierge.db import lock_for_writing
from concierge.errors import ConciergeError
from concierge.extensions import csrf, db, house_config, limiter
from concierge.web.security import public

P = ParamSpec("P")

bp = Blueprint("api_v1", __name__, url_prefix="/api/v1")

_MOST_BYTES: Final = 16 * 1024 * 1024


def init_app(app: Flask) -> None:
    """Add the API: whoever calls has a key and no session, hence no form token; a limit per key and per network."""
    app.register_blueprint(bp)
    csrf.exempt(bp)


def caller() -> ApiKey:
    """The key of this call."""
    return cast(ApiKey, g.api_key)


def source() -> str:
    """What the caller's reports come from: its key's name, so that a key made anew goes on where the old one ended."""
    return caller().name[:40]


def body() -> Any:
    """The JSON that was sent; raises Misshapen."""
    try:
        return json.loads(g.api_body)
    except (ValueError, RecursionError) as error:
        what = {"where": "(body)", "what": "This is not JSON.", "how": "Send JSON in UTF-8."}
        raise Misshapen([what]) from error


def for_keys(
    scope: str, *, takes: Shapes = (), gives: Mapping[int, Shapes], breaks: tuple[type[ConciergeError], ...] = ()
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Let a view be called with a key that is good for `scope`; what it wrote is committed when it returns.

    The body is read before anything is locked: a slow caller keeps nobody waiting. What it takes, gives and breaks is
    said here once, for the description of the API.
    """

    def mark(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @public
        @wraps(view)
        def called(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            db.session.rollback()
            request.max_content_length = _MOST_BYTES
            g.api_body = request.get_data(cache=False)
            if request.method != "GET":
                lock_for_writing(db.session)
            _let_in(scope)
            answer = view(*args, **kwargs)
            db.session.commit()
            return answer

        limited = limiter.limit(_calls, key_func=_limited_by)(called)
        say(limited, Call(scope, takes, gives, breaks))
        return limited

    return mark


@contextmanager
def lock_let_go() -> Iterator[None]:
    """Do what is slow while others write: the turn is given up meanwhile, and the key is asked for again afterwards."""
    scope = g.api_scope
    db.session.rollback()
    yield
    db.session.rollback()
    lock_for_writing(db.session)
    _let_in(scope)


def _let_in(scope: str) -> None:
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    key = find_key(db.session, text.strip()) if kind.lower() == "bearer" else None
    if key is None:
        raise NoKey
    if scope not in key.scopes:
        raise OtherScope
    if request.method != "GET":
        note_use(key, now=clock.now())
    g.api_key, g.api_scope = key, scope


def _calls() -> str:
    return f"{house_config().policy.api_calls_per_minute} per minute"


def _limited_by() -> str:
    return f"api:{hash_key(request.headers.get('Authorization', ''))}:{request.remote_addr}"


@bp.errorhandler(ConciergeError)
def _broken_rule(error: ConciergeError) -> ResponseReturnValue:
    db.session.rollback()
    faults = error.faults if isinstance(error, Misshapen) else []
    response = _say(error.status, type(error).__name__, (type(error).__doc__ or "").strip(), faults)
    if isinstance(error, NoKey):
        response.headers["WWW-Authenticate"] = 'Bearer realm="concierge"'
    return response


@bp.errorhandler(HTTPException)
def _http(error: HTTPException) -> ResponseReturnValue:
    db.session.rollback()
    status = error.code or 500
    response = _say(status, error.name.title().replace(" ", ""), error.description or error.name, [])
    if status == 429:
        response.headers["Retry-After"] = "60"
    return response


@bp.errorhandler(IntegrityError)
@bp.errorhandler(OperationalError)
def _busy(_error: Exception) -> ResponseReturnValue:
    """Two said the same at once, or too many wrote: it passes, and saying it again is safe."""
    db.session.rollback()
    response = _say(503, "Busy", "We are busy. Nothing was changed; send the same again.", [])
    response.headers["Retry-After"] = "2"
    return response


def _say(status: int, name: str, what: str, faults: list[dict[str, str]]) -> Response:
    response = jsonify(error={"name": name, "what": what, "faults": faults})
    response.status_code = status
    return response
