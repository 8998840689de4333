"""The page of mail that came in: what became of it, why, its bytes, and another try."""

from flask import Blueprint, Flask, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from concierge import clock
from concierge.extensions import db, house_blobs, house_config
from concierge.inbound import commands, queries, tallying
from concierge.inbound.models import InboundState
from concierge.inbound.reasons import describe, fate_words, source_words
from concierge.inbound.tallying import Fate
from concierge.web.rendering import render
from concierge.web.security import roles_accepted

bp = Blueprint("inbound", __name__)


def init_app(app: Flask) -> None:
    """Add the pages."""
    app.register_blueprint(bp)
    # A mail's card in its conversation says what is odd about it, in the words of those who read it.
    app.jinja_env.filters.update(described=describe)


_PAGE = 50
_SHOWN = {"quarantined": InboundState.QUARANTINED, "ignored": InboundState.IGNORED}


@bp.get("/mail-in")
@roles_accepted("editor", "admin")
def index() -> ResponseReturnValue:
    """Mails in quarantine, or those set aside."""
    config = house_config()
    shown = request.args.get("show", "quarantined")
    held = queries.list_held(db.session, config.policy, now=clock.now())
    if shown == "entrances" or shown in {fate.value for fate in Fate}:
        return _entrances(shown, sum(each.mails for each in held))
    state = _SHOWN.get(shown, InboundState.QUARANTINED)
    mails = queries.list_mails(db.session, state, before=request.args.get("before", type=int), most=_PAGE + 1)
    return render(
        "inbound/index.html",
        shown="held" if shown == "held" else state.value,
        held=held,
        held_mails=sum(each.mails for each in held),
        mails=mails[:_PAGE],
        older=mails[_PAGE - 1].id if len(mails) > _PAGE else None,
        fileable={mail.id for mail in mails if queries.is_fileable(db.session, mail)},
        tally=queries.tally(db.session, demo=config.demo),
        describe=describe,
    )


def _entrances(shown: str, held_mails: int) -> ResponseReturnValue:
    """What each entrance took in and what became of it, or the mails behind one of these numbers."""
    fate, source = Fate(shown) if shown != "entrances" else None, request.args.get("source")
    before = request.args.get("before", type=int)
    rows = tallying.list_by_fate(db.session, fate, source=source, before=before, most=_PAGE + 1) if fate else []
    reckoning = tallying.reckon(db.session)
    return render(
        "inbound/entrances.html",
        fate=fate,
        source=source,
        rows=rows[:_PAGE],
        older=rows[_PAGE - 1][0].id if len(rows) > _PAGE else None,
        reckoning=reckoning,
        unexplained=tallying.list_unexplained(db.session) if reckoning.unexplained else [],
        watched=tallying.list_watched(db.session, house_config()),
        tally=queries.tally(db.session, demo=house_config().demo),
        held_mails=held_mails,
        fates=tallying.KNOWN,
        fate_words=fate_words,
        source_words=source_words,
        describe=describe,
    )


@bp.post("/mail-in/held/<any(file, ignore):verb>")
@roles_accepted("editor", "admin")
def settle_held(verb: str) -> ResponseReturnValue:
    """File, or set aside, all that was held back of one sender."""
    settle = commands.file_held if verb == "file" else commands.ignore_held
    number = settle(db.session, request.form.get("sender", ""), by=current_user, now=clock.now())
    db.session.commit()
    filed, aside = _("%(number)s will be filed at once.", number=number), _("Set aside: %(number)s.", number=number)
    flash(filed if verb == "file" else aside)
    return redirect(url_for("inbound.index", show="held"), 303)


@bp.get("/mail-in/<int:mail_id>/raw")
@roles_accepted("editor", "admin")
def raw(mail_id: int) -> ResponseReturnValue:
    """The mail's bytes as they came, to be saved, never to be shown."""
    mail = queries.get_mail(db.session, mail_id)
    store = house_blobs()
    response = Response(store.get(mail.blob_key), mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="mail-{mail.id}.eml"'
    return response


@bp.post("/mail-in/<int:mail_id>/retry")
@roles_accepted("editor", "admin")
def retry(mail_id: int) -> ResponseReturnValue:
    """Try once more."""
    mail = queries.get_mail(db.session, mail_id)
    commands.retry_mail(db.session, mail, by=current_user, now=clock.now())
    db.session.commit()
    flash(_("It will be tried again at once."))
    return redirect(url_for("inbound.index"), 303)


@bp.post("/mail-in/<int:mail_id>/file")
@roles_accepted("editor", "admin")
def file(mail_id: int) -> ResponseReturnValue:
    """File it as a customer's, from the sender of its envelope."""
    mail = queries.get_mail(db.session, mail_id)
    commands.file_by_hand(db.session, mail, by=current_user, now=clock.now())
    db.session.commit()
    flash(_("It will be filed at once, as a customer’s mail from %(sender)s.", sender=mail.envelope_from))
    return redirect(url_for("inbound.index"), 303)


@bp.post("/mail-in/<int:mail_id>/ignore")
@roles_accepted("editor", "admin")
def ignore(mail_id: int) -> ResponseReturnValue:
    """Set it aside for good."""
    mail = queries.get_mail(db.session, mail_id)
    commands.ignore_mail(db.session, mail, by=current_user, now=clock.now())
    db.session.commit()
    flash(_("Set aside. Its original stays here."))
    return redirect(url_for("inbound.index"), 303)
