"""Signing in: Flask-Security's own view, behind our lock-out."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from flask import Flask, make_response, render_template, request
from flask.typing import ResponseReturnValue, RouteCallable
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_limiter.util import get_remote_address
from flask_security import current_user

from concierge import clock, tokens
from concierge.accounts import commands, lockout, passwords, queries
from concierge.accounts.guesses import SignInForm
from concierge.accounts.sentences import sentences
from concierge.addresses import normalise
from concierge.config import Config
from concierge.errors import BadToken
from concierge.extensions import db, house_config

_DEVICE_COOKIE = "concierge-device"
_DEVICE_AGE = timedelta(days=180)


def security_settings(config: Config) -> dict[str, Any]:
    """What Flask-Security is told."""
    return {
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": passwords.passlib_options(),
        "SECURITY_PASSWORD_SALT": config.secret,
        # argon2 salts by itself; hashed once, so that the command line can make hashes too
        "SECURITY_PASSWORD_SINGLE_HASH": {"argon2"},
        "SECURITY_PASSWORD_LENGTH_MIN": passwords.SHORTEST,
        # What a reset link carries is a digest of a password's own hash, which nobody can guess: half a million rounds
        # more would only tell by a second's wait whom the house knows. Links sent before carry the slow one.
        "SECURITY_HASHING_SCHEMES": ["hex_sha256", "sha256_crypt"],
        "SECURITY_DEPRECATED_HASHING_SCHEMES": ["sha256_crypt"],
        "SECURITY_LOGIN_URL": "/sign-in",
        "SECURITY_LOGOUT_URL": "/sign-out",
        "SECURITY_POST_LOGOUT_VIEW": "/sign-in",
        "SECURITY_RESET_URL": "/reset",
        "SECURITY_JOIN_USER_ROLES": False,
        "SECURITY_RECOVERABLE": True,
        # nothing in the house asks for a password twice: without this there is a page where one can be guessed
        "SECURITY_FRESHNESS": timedelta(minutes=-1),
        "SECURITY_RESET_PASSWORD_WITHIN": timedelta(hours=2),
        "SECURITY_SEND_PASSWORD_RESET_NOTICE_EMAIL": False,
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_DEFAULT_REMEMBER_ME": False,
        "SECURITY_CSRF_IGNORE_UNAUTH_ENDPOINTS": False,
        "SECURITY_LOGOUT_CSRF": True,
        "SECURITY_EMAIL_SUBJECT_PASSWORD_RESET": _l("Choose a new password"),
        "SECURITY_EMAIL_SENDER": "",
        **sentences(),
    }


def init_app(app: Flask) -> None:
    """Put the lock-out before Flask-Security's view."""
    app.view_functions["security.login"] = _behind_lockout(
        cast("Callable[[], ResponseReturnValue]", app.view_functions["security.login"])
    )


def _behind_lockout(sign_in: Callable[[], ResponseReturnValue]) -> RouteCallable:
    def guarded() -> ResponseReturnValue:
        if request.method != "POST":
            return sign_in()
        config = house_config()
        email = request.form.get("email", "")
        device = _known_device(config, email)
        own = lockout.caller_key(config.secret, email=email, caller=device or get_remote_address())
        anybody = lockout.caller_key(config.secret, email="*", caller=get_remote_address())
        if _must_wait(own, None if device else anybody):
            return _wait_a_little()
        response = make_response(sign_in())
        if not current_user.is_authenticated:
            commands.remember_failed_sign_in(db.session, [own, anybody], now=clock.now())
            db.session.commit()
            return response
        commands.forget_failed_sign_ins(db.session, own)
        db.session.commit()
        device = device or secrets.token_urlsafe(16)
        response.set_cookie(
            _DEVICE_COOKIE,
            tokens.sign(config.secret, "device", f"{normalise(email)}|{device}"),
            max_age=_DEVICE_AGE,
            secure=config.base_url.startswith("https://"),
            httponly=True,
            samesite="Lax",
        )
        return response

    return guarded


def _must_wait(own: str, anybody: str | None) -> bool:
    since = lockout.window_start(clock.now())
    if lockout.must_wait(queries.count_failed_sign_ins(db.session, own, since=since), limit=lockout.TRIES_FOR_ONE):
        return True
    if anybody is None:
        return False
    return lockout.must_wait(
        queries.count_failed_sign_ins(db.session, anybody, since=since), limit=lockout.TRIES_FOR_ALL
    )


def _wait_a_little() -> ResponseReturnValue:
    form = SignInForm()
    form.form_errors.append(
        _("That did not work a few times in a row. Wait a quarter of an hour, or choose a new password by mail.")
    )
    return render_template("security/login_user.html", login_user_form=form, identity_attributes=["email"]), 429


def _known_device(config: Config, email: str) -> str | None:
    """The browser's own number if this person signed in from it before."""
    try:
        payload = tokens.unsign(config.secret, "device", request.cookies.get(_DEVICE_COOKIE, ""), max_age=_DEVICE_AGE)
    except BadToken:
        return None
    whose, _bar, device = payload.rpartition("|")
    return device if whose == normalise(email) else None
