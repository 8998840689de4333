"""The shop tells of its stock and of returns, and asks what may still be sold."""

from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from concierge import clock
from concierge.api.answers import (
    FullCountOut,
    ReturnBatchOut,
    ReturnOut,
    StockBatchOut,
    StockOut,
    UnknownOut,
    VariantOut,
)
from concierge.api.shapes import (
    FullCountIn,
    Misshapen,
    ReturnBatchIn,
    ReturnIn,
    StockBatchIn,
    StockIn,
    moment,
    name_taken,
    read,
    require_distinct,
)
from concierge.api.v1.callers import body, bp, for_keys, source
from concierge.catalogue import queries
from concierge.catalogue.imports import WorldChanged, apply_import, find_import, propose_import, wants_a_look
from concierge.catalogue.levels import Report
from concierge.catalogue.models import VariantNotFound
from concierge.catalogue.returns import ReturnReport, probable_units, report_return
from concierge.catalogue.sheets import SheetLine, write_sheet
from concierge.catalogue.sizes import all_systems, kind_of
from concierge.catalogue.stock import report_stock
from concierge.catalogue.stock_models import ImportRun, ReturnState, StockReport
from concierge.extensions import db, house_blobs, house_config


@bp.post("/stock")
@for_keys(
    "stock",
    takes=(StockIn, StockBatchIn, FullCountIn),
    gives={200: (StockOut, StockBatchOut, FullCountOut), 404: (UnknownOut,)},
    breaks=(WorldChanged,),
)
def stock() -> ResponseReturnValue:
    """One report, many, or a full count. A SKU we do not sell is answered as unknown, and the others count."""
    sent = body()
    if isinstance(sent, dict) and "complete" in sent:
        return _full_count(read(FullCountIn, sent))
    if isinstance(sent, dict) and "reports" in sent:
        reports = read(StockBatchIn, sent).reports
        require_distinct("reports", reports)
        answers = {number: _report(reports[number], f"reports[{number}].") for number in _in_order(reports)}
        return jsonify(reports=[answers[number] for number in range(len(reports))])
    answer = _report(read(StockIn, sent))
    return jsonify(answer), 404 if answer["state"] == "unknown" else 200


def _in_order(reports: list[Any]) -> list[int]:
    """Always by SKU: two batches at once never wait for each other in a circle."""
    return sorted(range(len(reports)), key=lambda number: (reports[number].sku, number))


def _report(sent: StockIn, where: str = "") -> dict[str, Any]:
    report = Report(
        source(), sent.id, sent.sku, sent.location or house_config().policy.shop_location, StockReport(sent.kind),
        max(0, sent.units) if sent.kind == "snapshot" else sent.units, sent.as_of, sent.version,
    )  # fmt: skip
    try:
        event = report_stock(db.session, report, now=clock.now(), policy=house_config().policy)
    except VariantNotFound:
        return {"id": sent.id, "sku": sent.sku, "state": "unknown"}
    if (variant := event.variant).sku != sent.sku:
        raise Misshapen([name_taken(f"{where}id", f"a report about {variant.sku}")])
    return {"id": sent.id, "sku": sent.sku, "state": event.state.value, **_units(db.session, variant.sku)}


def _full_count(sent: FullCountIn) -> ResponseReturnValue:
    run = find_import(db.session, source(), sent.id)
    if run is None:
        place = house_config().policy.shop_location
        lines = [SheetLine(0, each.sku, each.location or place, max(0, each.units)) for each in sent.count]
        run = propose_import(
            db.session, house_blobs(), write_sheet(lines), source=source(), name=sent.id, location=place,
            zone=house_config().policy.zone, as_of=sent.as_of, is_complete=True, by=None, now=clock.now(),
        )  # fmt: skip
        db.session.flush()
        if not wants_a_look(run, house_config().policy):
            apply_import(
                db.session, house_blobs(), run, by=None, now=clock.now(), policy=house_config().policy, approved=False
            )
    return jsonify(_counted(run))


def _counted(run: ImportRun) -> dict[str, Any]:
    tally = {name: run.outcome[name] for name in ("lines", "changed", "same", "late", "unknown", "missing", "wrong")}
    return {"id": run.name, "state": run.state.value, **tally, "unknown_skus": run.outcome["unknown_skus"]}


@bp.post("/returns")
@for_keys("stock", takes=(ReturnIn, ReturnBatchIn), gives={200: (ReturnOut, ReturnBatchOut), 404: (UnknownOut,)})
def returns() -> ResponseReturnValue:
    """Where one return is, or many are."""
    sent = body()
    if isinstance(sent, dict) and "returns" in sent:
        reports = read(ReturnBatchIn, sent).returns
        answers = {number: _return(reports[number], f"returns[{number}].") for number in _in_order(reports)}
        return jsonify(returns=[answers[number] for number in range(len(reports))])
    answer = _return(read(ReturnIn, sent))
    return jsonify(answer), 404 if answer["state"] == "unknown" else 200


def _return(sent: ReturnIn, where: str = "") -> dict[str, Any]:
    report = ReturnReport(
        source(), sent.id, sent.sku, sent.location or house_config().policy.shop_location, ReturnState(sent.state),
        sent.as_of, sent.units, sent.expected_on,
    )  # fmt: skip
    try:
        returned = report_return(db.session, report, now=clock.now(), policy=house_config().policy)
    except VariantNotFound:
        return {"id": sent.id, "sku": sent.sku, "state": "unknown"}
    if returned.variant.sku != sent.sku:
        raise Misshapen([name_taken(f"{where}id", f"a return of {returned.variant.sku}")])
    return {"id": sent.id, "sku": sent.sku, "state": returned.state.value, "units": returned.units}


@bp.get("/variants/<path:sku>")
@for_keys("stock", gives={200: (VariantOut,)}, breaks=(VariantNotFound,))
def variant(sku: str) -> ResponseReturnValue:
    """What is there of a variant, what is spoken for, and what may be sold."""
    found = queries.get_variant_by_sku(db.session, sku)
    return jsonify(
        sku=found.sku,
        product=found.product.code,
        size=found.size,
        size_system=found.size_system,
        sizes=all_systems(kind_of(found.product.category), found.size, found.size_system),
        **_units(db.session, sku),
        promised=found.promised,
        safety_minimum=found.safety_minimum,
        offered_from=moment(found.offered_from),
        on_the_way=sum(each.units for each in probable_units(db.session, found.id)),
        locations={level.location: {"on_hand": level.on_hand, "as_of": moment(level.as_of)} for level in found.stock},
    )


def _units(session: Session, sku: str) -> dict[str, int]:
    found = queries.get_variant_by_sku(session, sku)
    return {"on_hand": found.on_hand, "available": found.available}
