"""What an editor does about a mail that did not leave, or of which nobody knows."""

from flask import Blueprint, Flask, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_security import current_user

from concierge import clock
from concierge.addresses import readable
from concierge.extensions import db
from concierge.mailing import commands, outbox, queries, words
from concierge.mailing.models import DeliveryState
from concierge.mailing.reasons import retold
from concierge.web.rendering import render
from concierge.web.security import roles_accepted

bp = Blueprint("mailing", __name__)

_SHOWN = ("doubt", "suppressed", "released")
_AT_ONCE = 50


def init_app(app: Flask) -> None:
    """Register these pages."""
    app.register_blueprint(bp)


@bp.get("/mail-out")
@roles_accepted("editor", "admin")
def index() -> ResponseReturnValue:
    """Mails in doubt with what is known of them, and addresses that are not to be mailed."""
    shown = request.args.get("show", "doubt")
    shown = shown if shown in _SHOWN else "doubt"
    after, sought = request.args.get("after", 0, type=int), request.args.get("q", "")[:200]
    doubts = queries.list_uncertain(db.session, after=after, limit=_AT_ONCE + 1)
    numbers = [each.id for each in doubts[:_AT_ONCE]]
    found = queries.list_suppressions(
        db.session,
        sought=sought,
        released=shown == "released",
        before=request.args.get("before", type=int),
        limit=_AT_ONCE + 1,
    )
    return render(
        "mailing/out.html",
        shown=shown,
        doubts=doubts[:_AT_ONCE],
        in_doubt=queries.count_uncertain(db.session),
        newer_doubts=numbers[-1] if len(doubts) > _AT_ONCE else None,
        after=after,
        talks=queries.list_conversations(db.session, numbers),
        events=queries.list_events(db.session, numbers),
        suppressions=found[:_AT_ONCE],
        older=found[_AT_ONCE - 1].id if len(found) > _AT_ONCE else None,
        sought=sought,
        reason_words=commands.words_for,
        retold=retold,
        words=words,
        shut=outbox.is_shut(db.session),
    )


@bp.post("/mail-out/open")
@roles_accepted("admin")
def open_outbox() -> ResponseReturnValue:
    """Let mail leave again after the house was restored; what may have left before waits for an editor."""
    uncertain = outbox.open_outbox(db.session, by=current_user, now=clock.now())
    db.session.commit()
    flash(
        ngettext(
            "Mail leaves again. One that may have left before stands below.",
            "Mail leaves again. %(num)s that may have left before stand below.",
            uncertain,
        )
        if uncertain
        else _("Mail leaves again.")
    )
    return redirect(url_for("mailing.index"), 303)


@bp.post("/suppressions/<int:suppression_id>/release")
@roles_accepted("editor", "admin")
def release(suppression_id: int) -> ResponseReturnValue:
    """Mail an address again, for a reason."""
    suppression = queries.get_suppression(db.session, suppression_id)
    because = request.form.get("because", "")[:300]
    commands.release(db.session, suppression, because=because, by=current_user, now=clock.now())
    db.session.commit()
    address = readable(suppression.normalised)
    if (standing := queries.find_suppression(db.session, suppression.normalised)) is not None:
        why = retold(commands.words_for(standing.reason))
        flash(_("Released, but %(address)s is still not mailed: %(why)s", address=address, why=why), "error")
    else:
        flash(_("%(address)s may be mailed again.", address=address))
    return redirect(url_for("mailing.index", show="suppressed"), 303)


@bp.post("/deliveries/<int:delivery_id>/send-again")
@roles_accepted("editor", "admin")
def send_again(delivery_id: int) -> ResponseReturnValue:
    """Queue a mail anew that failed, was withheld, or came to an unknown end."""
    delivery = queries.lock_delivery(db.session, delivery_id)
    commands.send_again(db.session, delivery, by=current_user, now=clock.now())
    db.session.commit()
    if delivery.state is DeliveryState.WITHHELD:
        flash(retold(delivery.reason), "error")
    else:
        flash(_("It is on its way again."))
    return redirect(_back())


@bp.post("/deliveries/<int:delivery_id>/confirm-arrival")
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
