"""The application: wiring only, and the first file to read."""

from inspect import iscoroutinefunction
from typing import Any, cast

from flask import Flask, request, session
from flask_babel import get_locale
from flask_security import FSQLALiteUserDatastore, RoleMixin, current_user
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from concierge import blobs, clock
from concierge import db as database
from concierge.accounts import signing_in
from concierge.accounts import views as accounts
from concierge.accounts.guesses import SignInForm
from concierge.accounts.models import Editor, Role
from concierge.accounts.queries import find_house_name
from concierge.api import views as api
from concierge.catalogue import views as catalogue
from concierge.catalogue import webhooks as catalogue_webhooks
from concierge.config import LANGUAGES, Config, house_folder, read_config
from concierge.conversations import views as conversations
from concierge.customers import place_views as places
from concierge.customers import views as customers
from concierge.demo import days, post_office, shop, styleguide
from concierge.drafts import views as drafts
from concierge.extensions import babel, csrf, db, limiter, security
from concierge.followups import views as followups
from concierge.inbound import views as inbound
from concierge.inbound import webhooks as inbound_webhooks
from concierge.mailing import views as mailing
from concierge.mailing import webhooks as mailing_webhooks
from concierge.mailing.staff_mail import StaffMail
from concierge.operations import views as operations
from concierge.operations import webhooks as breaches
from concierge.public import views as customers_pages
from concierge.reports import views as reports
from concierge.templating import views as templating
from concierge.web import errors as web_errors
from concierge.web import filters as web_filters
from concierge.web import live
from concierge.web import security as web_security
from concierge.wishes import offer_views as offers
from concierge.wishes import views as wishes


def create_app(config: Config | None = None) -> Flask:
    """The web application for `config` (read from the environment when not given)."""
    config = config or read_config()
    clock.follow(config.clock_file)
    app = Flask("concierge", template_folder=str(house_folder("templates")), static_folder="static")
    app.config.from_mapping(_flask_settings(config))
    app.extensions["concierge"] = config
    app.extensions["blobs"] = blobs.open_store(config)
    if config.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=config.trusted_proxies, x_proto=config.trusted_proxies, x_host=config.trusted_proxies
        )
    _bind_extensions(app)
    _prepare_templates(app, config)
    _register_parts(app, config)
    return app


def _flask_settings(config: Config) -> dict[str, Any]:
    https = config.base_url.startswith("https://")
    return {
        "SECRET_KEY": config.secret,
        "SQLALCHEMY_ENGINES": {"default": database.engine_options(config)},
        "MAX_CONTENT_LENGTH": config.max_mail_bytes + 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 2 * 1024 * 1024,
        "SEND_FILE_MAX_AGE_DEFAULT": 31536000,
        "SESSION_COOKIE_NAME": "__Host-concierge" if https else "concierge",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": config.policy.session_hours * 3600,
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_SSL_STRICT": False,
        "BABEL_TRANSLATION_DIRECTORIES": "translations",
        "BABEL_DEFAULT_LOCALE": "en",
        "BABEL_DEFAULT_TIMEZONE": config.policy.timezone,
        **signing_in.security_settings(config),
    }


def _bind_extensions(app: Flask) -> None:
    db.init_app(app)
    # It also closes async sessions, which we have none of; each such call would start an event loop, once a request.
    app.teardown_appcontext_funcs[:] = [each for each in app.teardown_appcontext_funcs if not iscoroutinefunction(each)]
    with app.app_context():
        database.prepare(db.engine)
    csrf.init_app(app)  # reads the whole form, before anybody has to wait for us
    web_security.take_turns(app)
    limiter.init_app(app)
    babel.init_app(app, locale_selector=_page_language, timezone_selector=_page_zone)
    staff = FSQLALiteUserDatastore(db, Editor, cast(type[RoleMixin], Role))
    security.init_app(app, staff, login_form=SignInForm)
    security._mail_util = StaffMail(app)  # its constructor takes the class, but extensions know no part of the house
    web_security.init_app(app)
    web_errors.init_app(app)


def _prepare_templates(app: Flask, config: Config) -> None:
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    web_filters.init_app(app)
    app.jinja_env.globals.update(get_locale=get_locale, now=clock.now, LANGUAGES=LANGUAGES, demo_house=config.demo)
    app.context_processor(lambda: {"house_name": find_house_name(db.session)})


def _register_parts(app: Flask, config: Config) -> None:
    accounts.init_app(app)
    catalogue.init_app(app)
    catalogue_webhooks.init_app(app)
    api.init_app(app)
    inbound.init_app(app)
    inbound_webhooks.init_app(app)
    mailing.init_app(app)
    mailing_webhooks.init_app(app)
    drafts.init_app(app)
    customers.init_app(app)
    places.init_app(app)
    conversations.init_app(app)
    offers.init_app(app)
    wishes.init_app(app)
    followups.init_app(app)
    reports.init_app(app)
    live.init_app(app)
    operations.init_app(app, config)
    breaches.init_app(app)
    templating.init_app(app)
    customers_pages.init_app(app)
    if config.demo:  # elsewhere these doors are not there
        for part in (days, post_office, shop, styleguide):
            app.register_blueprint(part.bp)


def _page_language() -> str:
    if current_user and current_user.is_authenticated:
        return str(current_user.language)
    chosen = session.get("language")
    return chosen if chosen in LANGUAGES else (request.accept_languages.best_match(LANGUAGES) or "en")


def _page_zone() -> str | None:
    return str(current_user.timezone) if current_user and current_user.is_authenticated else None
