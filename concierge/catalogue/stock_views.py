"""Pages for merchandisers: what waits for a yes, counts brought as files, and the minimum that is never offered."""

from flask import Blueprint, Flask, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_security import current_user

from concierge import clock
from concierge.accounts.queries import current_editor
from concierge.catalogue import imports, ledger, stock
from concierge.catalogue.forms import FAULT_WORDS, CountForm, SafetyForm
from concierge.catalogue.queries import cards, get_variant_by_sku
from concierge.errors import BadInput
from concierge.extensions import db, house_blobs, house_config
from concierge.web.rendering import render
from concierge.web.security import roles_accepted

bp = Blueprint("stock", __name__, url_prefix="/catalogue")


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(bp)


@bp.get("/stock")
def index() -> ResponseReturnValue:
    """What waits for a merchandiser, the last counts, and what is on its way back."""
    return _page(CountForm(formdata=None, location=house_config().policy.shop_location))


@bp.post("/stock/imports")
@roles_accepted("merchandiser", "admin")
def propose() -> ResponseReturnValue:
    """A file with counts: kept, compared, and shown; nothing is changed yet."""
    form, now = CountForm(), clock.now()
    if not form.validate():
        return _page(form), 422
    try:
        run = imports.propose_import(
            db.session,
            house_blobs(),
            form.file.data.read(),
            source="page",
            name=form.file.data.filename or "stock.csv",
            location=form.location.data or house_config().policy.shop_location,
            zone=house_config().policy.zone,
            as_of=now,
            is_complete=bool(form.is_complete.data),
            by=current_editor(),
            now=now,
        )
    except BadInput as unusable:
        form.file.errors = [unusable.sentence()]
        return _page(form), 422
    db.session.commit()
    return redirect(url_for("stock.show_import", run_id=run.id), 303)


@bp.get("/stock/imports/<int:run_id>")
def show_import(run_id: int) -> ResponseReturnValue:
    """What a file would change, or has changed."""
    run = ledger.get_import(db.session, run_id)
    vanishes = imports.wants_a_look(run, house_config().policy)
    pieces = cards(db.session, {sku for sku, *_ in run.outcome["changes"]}, str(get_locale()))
    return render(
        "catalogue/import.html", run=run, may_write=_may_write(), vanishes=vanishes, faults=FAULT_WORDS,
        shown=imports.SHOWN, pieces=pieces, undone=ledger.list_undone(db.session, [run]).get(run.id, ledger.Undone()),
    )  # fmt: skip


@bp.post("/stock/imports/<int:run_id>/apply")
@roles_accepted("merchandiser", "admin")
def apply_import(run_id: int) -> ResponseReturnValue:
    """Do exactly what was shown; if the world has changed, show it anew instead."""
    run = ledger.get_import(db.session, run_id)
    try:
        imports.apply_import(
            db.session,
            house_blobs(),
            run,
            by=current_editor(),
            now=clock.now(),
            policy=house_config().policy,
            approved=True,
        )
    except imports.WorldChanged as changed:
        db.session.rollback()
        imports.look_again(db.session, house_blobs(), ledger.get_import(db.session, run_id))
        flash(changed.sentence(), "danger")
    else:
        flash(_("The count is applied."))
    db.session.commit()
    return redirect(url_for("stock.show_import", run_id=run_id), 303)


@bp.post("/stock/imports/<int:run_id>/discard")
@roles_accepted("merchandiser", "admin")
def discard_import(run_id: int) -> ResponseReturnValue:
    """Leave everything as it is."""
    run = ledger.get_import(db.session, run_id)
    imports.discard_import(db.session, run, by=current_editor(), now=clock.now())
    db.session.commit()
    flash(_("Nothing was changed."))
    return redirect(url_for("stock.index"), 303)


@bp.post("/stock/events/<int:event_id>/approve")
@roles_accepted("merchandiser", "admin")
def approve(event_id: int) -> ResponseReturnValue:
    """The jump is right."""
    event = ledger.get_stock_event(db.session, event_id)
    stock.approve_stock_event(db.session, event, by=current_editor(), now=clock.now(), policy=house_config().policy)
    db.session.commit()
    flash(_("It counts now."))
    return redirect(url_for("stock.index"), 303)


@bp.post("/stock/events/<int:event_id>/refuse")
@roles_accepted("merchandiser", "admin")
def refuse(event_id: int) -> ResponseReturnValue:
    """The jump is a mistake."""
    event = ledger.get_stock_event(db.session, event_id)
    stock.refuse_stock_event(db.session, event, by=current_editor(), now=clock.now())
    db.session.commit()
    flash(_("It stays as it was."))
    return redirect(url_for("stock.index"), 303)


@bp.post("/safety/<path:sku>")
@roles_accepted("merchandiser", "admin")
def set_safety(sku: str) -> ResponseReturnValue:
    """How many of a variant are never offered."""
    variant, form = get_variant_by_sku(db.session, sku), SafetyForm()
    if form.validate():
        stock.set_safety_minimum(db.session, variant, form.units.data or 0, by=current_editor(), now=clock.now())
        db.session.commit()
        flash(_("The minimum is kept."))
    else:
        flash(_("A minimum is a number from 0 to 9999."), "danger")
    return redirect(url_for("catalogue.show", code=variant.product.code, _anchor="stock"), 303)


def _page(form: CountForm) -> str:
    policy = house_config().policy
    waiting, returns = ledger.list_waiting_events(db.session), ledger.list_returns(db.session)
    runs = ledger.list_imports(db.session)
    skus = {each.variant.sku for each in waiting} | {each.variant.sku for each in returns}
    return render(
        "catalogue/stock.html",
        form=form,
        may_write=_may_write(),
        waiting=waiting,
        counts=[(run, imports.wants_a_look(run, policy)) for run in ledger.list_waiting_imports(db.session)],
        runs=runs,
        undone=ledger.list_undone(db.session, runs),
        nothing_undone=ledger.Undone(),
        returns=returns,
        pieces=cards(db.session, skus, str(get_locale())),
    )


def _may_write() -> bool:
    return any(role in {"merchandiser", "admin"} for role in current_user.roles)
