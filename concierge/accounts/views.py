"""Pages about staff: one's own profile."""

from flask import Blueprint, Flask
from flask.typing import ResponseReturnValue

from concierge.accounts import signing_in
from concierge.web.rendering import render

bp = Blueprint("accounts", __name__)


def init_app(app: Flask) -> None:
    """Register the pages, and the lock-out before Flask-Security's view."""
    app.register_blueprint(bp)
    signing_in.init_app(app)


@bp.get("/profile")
def profile() -> ResponseReturnValue:
    """One's own name, face, sign-offs and working hours."""
    return render("accounts/profile.html")
