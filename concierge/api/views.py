"""The admin's page of keys for the API."""

from flask import Blueprint, Flask, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from concierge import clock
from concierge.accounts.queries import current_editor
from concierge.api import commands, queries
from concierge.api.forms import SCOPE_WORDS, KeyForm
from concierge.api.v1 import wiring
from concierge.extensions import db
from concierge.web.rendering import render
from concierge.web.security import roles_accepted

bp = Blueprint("api", __name__)


def init_app(app: Flask) -> None:
    """Register the page, and the API itself."""
    app.register_blueprint(bp)
    wiring.init_app(app)


@bp.get("/api-keys")
@roles_accepted("admin")
def index() -> ResponseReturnValue:
    """Every key, what it is good for, and when it was last used."""
    return _page(KeyForm(formdata=None))


@bp.post("/api-keys")
@roles_accepted("admin")
def make() -> ResponseReturnValue:
    """A new key. It is shown now and never again, so this answers with the page instead of leading to it."""
    form = KeyForm()
    if not form.validate():
        return _page(form), 422
    _key, text = commands.make_key(
        db.session, name=form.name.data or "", scopes=form.scopes.data or [], by=current_editor(), now=clock.now()
    )
    db.session.commit()
    return _page(KeyForm(formdata=None), made=text)


@bp.post("/api-keys/<int:key_id>/revoke")
@roles_accepted("admin")
def revoke(key_id: int) -> ResponseReturnValue:
    """It opens nothing any more."""
    commands.revoke_key(db.session, queries.get_key(db.session, key_id), by=current_editor(), now=clock.now())
    db.session.commit()
    flash(_("The key opens nothing any more."))
    return redirect(url_for("api.index"), 303)


def _page(form: KeyForm, *, made: str = "") -> str:
    return render("api/index.html", form=form, keys=queries.list_keys(db.session), made=made, words=SCOPE_WORDS)
