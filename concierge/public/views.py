"""Puts the customers' pages into the application."""

from flask import Flask

from concierge.extensions import csrf, limiter
from concierge.public import asking, confirming, declining, fresh, offers, unsubscribing, wishes
from concierge.public.pages import bp

PAGES = (asking, confirming, declining, fresh, offers, unsubscribing, wishes)


def init_app(app: Flask) -> None:
    """Register the pages; they have no session, hence no CSRF token, and count in the database instead."""
    app.register_blueprint(bp)
    csrf.exempt(bp)
    limiter.exempt(bp)
