"""What an editor does about a mail that did not leave, or of which nobody knows."""

from flask import Blueprint, Flask, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from concierge import clock
from concierge.extensions import db
from concierge.mailing import commands, queries
from concierge.mailing.models import DeliveryState
from concierge.web.security import roles_accepted

bp = Blueprint("mailing", __name__, url_prefix="/deliveries")


def init_app(app: Flask) -> None:
    """Register these pages."""
    app.register_blueprint(bp)


@bp.post("/<int:delivery_id>/send-again")
@roles_accepted("editor", "admin")
def send_again(delivery_id: int) -> ResponseReturnValue:
    """Queue a mail anew that failed, was withheld, or came to an unknown end."""
    delivery = queries.lock_delivery(db.session, delivery_id)
    commands.send_again(db.session, delivery, by=current_user, now=clock.now())
    db.session.commit()
    if delivery.state is DeliveryState.WITHHELD:
        flash(delivery.reason, "error")
    else:
        flash(_("It is on its way again."))
    return redirect(_back())


@bp.post("/<int:delivery_id>/confirm-arrival")
@roles_accepted("editor", "admin")
def confirm_arrival(delivery_id: int) -> ResponseReturnValue:
    """She has it: a mail of unknown end arrived."""
    delivery = queries.lock_delivery(db.session, delivery_id)
    commands.confirm_arrival(db.session, delivery, by=current_user, now=clock.now())
    db.session.commit()
    flash(_("Good: it has arrived."))
    return redirect(_back())


def _back() -> str:
    """The page the form stood on, named in its field `back`; never another host."""
    path = request.form.get("back", "")
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"
