"""Who may see a page, and the headers every page carries."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, Response, current_app, g, redirect, request, url_for
from flask_security import current_user
from werkzeug.datastructures import Headers

from concierge.db import lock_for_writing
from concierge.errors import Forbidden
from concierge.extensions import db

P = ParamSpec("P")
R = TypeVar("R")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "frame-ancestors 'none'",
        "form-action 'self'",
        "base-uri 'none'",
        "object-src 'none'",
    )
)

# A mail that is about to leave, on a page of its own: nothing runs, nothing is loaded but what it carries.
FRAMED_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)

# Where a browser says what it kept a page from doing (see `operations.webhooks`).
BREACHES = "/csp-reports"

# Views that anybody may reach are marked by `public`; everything else asks for sign-in (see `init_app`).
_PUBLIC = "_concierge_public"


class NotForYou(Forbidden):
    """Your role does not allow this; ask an admin."""


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view as open to anybody."""
    setattr(view, _PUBLIC, True)
    return view


def roles_accepted(*roles: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only these roles in; everybody else reads why."""

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not any(role in roles for role in current_user.roles):
                raise NotForYou
            return view(*args, **kwargs)

        return guarded

    return mark


def init_app(app: Flask) -> None:
    """Ask for sign-in everywhere but on public views, set headers."""
    app.before_request(_begin)
    app.after_request(_headers)


def take_turns(app: Flask) -> None:
    """Let unsafe methods begin with the write lock; call this before any extension that reads the database.

    SQLite: reading first and writing later fails when somebody else wrote in between, however long one waits.
    """
    app.before_request(_take_turn)


def _take_turn() -> None:
    if request.endpoint is not None and request.method not in {"GET", "HEAD", "OPTIONS"}:
        lock_for_writing(db.session)


def _begin() -> Response | None:
    if request.endpoint is None:
        return None
    view = current_app.view_functions[request.endpoint]
    is_public = request.endpoint == "static" or request.blueprint == "security" or hasattr(view, _PUBLIC)
    if is_public or current_user.is_authenticated:
        return None
    if request.headers.get("HX-Request"):
        response = Response(status=401)
        response.headers["HX-Redirect"] = url_for("security.login")
        return response
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("security.login", next=target))  # type: ignore[return-value]


def _reporting(headers: Headers) -> str:
    """How a browser says that it kept a page from something: to the newer name by HTTPS alone, so both are told."""
    url = f"{request.script_root}{BREACHES}"
    if not request.is_secure:
        return f"report-uri {url}"
    headers["Reporting-Endpoints"] = f'breaches="{url}"'
    return f"report-uri {url}; report-to breaches"


def _headers(response: Response) -> Response:
    headers = response.headers
    policy = headers.get("Content-Security-Policy") or g.get("content_security_policy", CONTENT_SECURITY_POLICY)
    headers["Content-Security-Policy"] = f"{policy}; {_reporting(headers)}"
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), interest-cohort=()")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    return response
