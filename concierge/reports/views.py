"""The policy page: a policy is replayed on a restock before it is saved, and saved as a new one beside the old."""

from typing import Any

from flask import Flask, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from concierge import clock
from concierge.accounts.queries import current_editor
from concierge.catalogue.cards import piece_words
from concierge.extensions import db
from concierge.reports import files, queries, ranking, replaying, restocks, showing
from concierge.reports.asking import page_language
from concierge.reports.forms import PolicyForm, head_starts_text
from concierge.reports.pages import BUYERS, bp
from concierge.reports.words import RULES
from concierge.web.choices import SelectChoice
from concierge.web.filters import local_day
from concierge.web.rendering import render
from concierge.web.security import roles_accepted
from concierge.wishes.queries import policy_or_first

_PAST = 20


def init_app(app: Flask) -> None:
    """Register these pages, those of `pages`, and the files."""
    app.register_blueprint(bp)
    app.register_blueprint(files.bp)


@bp.get("/policy")
@roles_accepted(*BUYERS)
def policy() -> ResponseReturnValue:
    """The policy that counts, ready to be changed into the next, and those before it."""
    form = PolicyForm()
    form.show(policy_or_first(db.session))
    form.restock.data = request.args.get("restock", "")
    return _page(form)


@bp.post("/policy/replay")
@roles_accepted(*BUYERS)
def replay_policy() -> ResponseReturnValue:
    """What a restock would become under the policy in the form, beside the one that counts; saves nothing."""
    form = PolicyForm()
    _take_past(form)
    if not form.validate():
        return _page(form), 422
    return _replayed(form)


@bp.post("/policy")
@roles_accepted(*BUYERS)
def save_policy() -> ResponseReturnValue:
    """Save a policy that was replayed; one that was changed since is replayed first."""
    form = PolicyForm()
    _take_past(form)
    if not form.validate():
        return _page(form), 422
    if form.replayed.data != form.fingerprint():
        flash(_("You changed something since the replay. Here is what it means now; nothing is saved yet."))
        return _replayed(form)
    ranking.save_policy(db.session, form.policy(), by=current_editor(), now=clock.now())
    db.session.commit()
    flash(_("Saved. It counts from the next wave on."))
    return redirect(url_for("reports.policy"), 303)


def _take_past(form: PolicyForm) -> None:
    """Put the numbers of the past restock that was chosen into the form."""
    chosen = form.restock.data or ""
    past = next((each for each in _past() if str(each.restock.id) == chosen), None)
    if past is not None:
        waves = restocks.list_waves(db.session, past.restock.id)
        form.imagine(units=past.restock.units, waiting=waves[0].wave.waiting if waves else 1)


def _past() -> list[restocks.RestockRow]:
    """Past restocks that had waves, the newest first."""
    found, _older = restocks.list_restocks(db.session, limit=_PAST * 2)
    return [each for each in found if each.waves][:_PAST]


def _replayed(form: PolicyForm) -> str:
    _count, house = queries.newest_figures(db.session)
    restock = replaying.situation(form.units.data or 1, form.waiting.data or 1, house)
    tried, present = form.policy(), policy_or_first(db.session)
    compared = replaying.compare(
        restock, [("present", replaying.terms(present, house)), ("tried", replaying.terms(tried, house))]
    )
    form.replayed.data = form.fingerprint()
    names = {"present": _("Present policy"), "tried": _("This policy"), "everyone": _("Everybody at once")}
    plots = showing.replay_plots(compared, names)
    return _page(form, compared=compared, names=names, plots=plots, restock=restock, house=house)


def _page(form: PolicyForm, **values: Any) -> str:
    past = _past()
    form.restock.choices = [
        SelectChoice("", _("the numbers below")),
        *(SelectChoice(str(each.restock.id), _past_name(each)) for each in past),
    ]
    shown = {"compared": (), "names": {}, "plots": ("", ""), "restock": None, "house": None} | values
    return render(
        "reports/policy.html",
        form=form,
        present=policy_or_first(db.session),
        history=queries.list_policies(db.session),
        reranking=bool(queries.list_unranked_policy_ids(db.session)),
        head_starts_text=head_starts_text,
        rules=RULES,
        **shown,
    )


def _past_name(row: restocks.RestockRow) -> str:
    units = ngettext("%(num)s unit", "%(num)s units", row.restock.units)
    piece = piece_words(row.restock.variant, page_language())
    return str(_("%(piece)s: %(units)s on %(day)s", piece=piece, units=units, day=local_day(row.restock.at)))
