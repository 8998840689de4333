"""Orders of the shop, line by line: who bought what, and that a sold unit is not offered again before it is missing."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.addresses import normalise
from concierge.catalogue.models import Variant
from concierge.catalogue.stock import give_back_units, lock_variant, promise_sold, settle_sales
from concierge.catalogue.stock_models import Purchase
from concierge.customers.queries import share_customer


@dataclass(frozen=True, slots=True)
class PurchaseReport:
    """A line of an order as the shop sent it; `(source, external_id)` names the line, e.g. "S-49406:1".

    `address` may be empty (a sale in a boutique), `account` is the shop's own name for who bought, `hold_token` is what
    the checkout was given with our offer. Of its `units` so many were cancelled or came back, in all: `returned`. An
    order that was cancelled or never paid is `is_void`: all of it came to nothing, and whoever wished for it has not
    got it. `delivered_at`: when she had it in her hands; None says nothing. Where the shop says since when the order is
    as it is (`stated_at`), what it said of earlier is passed over, and what came to nothing may be paid yet.
    """

    source: str
    external_id: str
    sku: str
    at: datetime
    units: int = 1
    price_cents: int = 0
    currency: str = "EUR"
    address: str = ""
    account: str = ""
    hold_token: str = ""
    location: str = ""
    returned: int = 0
    is_void: bool = False
    delivered_at: datetime | None = None
    stated_at: datetime | None = None

    @property
    def kept(self) -> int:
        """Units sold and not undone."""
        return 0 if self.is_void else max(0, self.units - max(0, self.returned))


def report_purchase(session: Session, report: PurchaseReport, *, now: datetime) -> Purchase:
    """Write down what was sold, or that a sale was undone, wholly or in part; the same line again changes nothing.

    Sold units are promised until a stock report has them missing. Wishes are looked through by whoever reads
    `matched_at IS NULL`. A cancellation may come before its order, and what was undone stays so, unless the shop says
    of a later moment that it is sold after all; so does the first word of its delivery. Raises VariantNotFound.
    """
    variant = lock_variant(session, report.sku)
    purchase = find_purchase(session, report.source, report.external_id)
    address = report.address or (purchase.normalised if purchase else "")
    buyer = share_customer(session, address) if address else None  # what is decided about her sees this, or has been
    if purchase is None:
        purchase = Purchase(
            source=report.source,
            external_id=report.external_id,
            variant=variant,
            customer_id=buyer.id if buyer else None,
            normalised=normalise(report.address)[:320],
            account=report.account[:60],
            units=report.kept or report.units,
            location=report.location,
            price_cents=report.price_cents,
            currency=report.currency,
            hold_token=report.hold_token,
            at=min(report.at, now),
            received_at=now,
            unsettled=report.kept,
            stated_at=report.stated_at,
            # what was undone before we heard of it fulfils no wish
            matched_at=None if report.kept else now,
            returned_at=None if report.kept else now,
            delivered_at=_delivered_at(report, now),
        )
        session.add(purchase)
        audit.record(session, "purchase.reported", purchase, by=None, now=now)
        if report.kept:
            _promise(session, variant, report.kept)
        session.flush()
        return purchase
    is_later = _is_later(report, purchase)
    if is_later is False:
        return purchase
    if report.kept < purchase.units and purchase.returned_at is None:
        _undo(session, purchase, report.kept, now=now)
    elif report.kept and purchase.returned_at is not None and is_later:
        _redo(session, variant, purchase, report, now=now)
    if report.delivered_at is not None:
        report_delivery(session, report.source, report.external_id, report.delivered_at, now=now)
    if report.is_void:
        purchase.matched_at = None  # her wish is given back by whoever looks through wishes
    purchase.stated_at = report.stated_at or purchase.stated_at
    session.flush()
    return purchase


def _delivered_at(report: PurchaseReport, now: datetime) -> datetime | None:
    return min(report.delivered_at, now) if report.delivered_at is not None and report.kept else None


def report_delivery(session: Session, source: str, external_id: str, at: datetime, *, now: datetime) -> None:
    """A line she bought is in her hands; one we never heard of, or that was undone, is none. Again changes nothing."""
    purchase = find_purchase(session, source, external_id)
    if purchase is not None and purchase.delivered_at is None and purchase.returned_at is None:
        purchase.delivered_at = min(at, now)
        audit.record(session, "purchase.delivered", purchase, by=None, now=now)


def _is_later(report: PurchaseReport, purchase: Purchase) -> bool | None:
    """Whether this is said of a later moment than what we know, or of an earlier; None where nobody can tell."""
    if report.stated_at is None or purchase.stated_at is None or report.stated_at == purchase.stated_at:
        return None
    return report.stated_at > purchase.stated_at


def _promise(session: Session, variant: Variant, units: int) -> None:
    """So many were sold; reports that have them missing may be here before."""
    promise_sold(session, variant.id, units)
    session.flush()
    settle_sales(session, variant)


def _redo(session: Session, variant: Variant, purchase: Purchase, report: PurchaseReport, *, now: datetime) -> None:
    """What had come to nothing is sold after all, since the moment the shop says: a payment that worked at last."""
    purchase.units = purchase.unsettled = report.kept
    purchase.returned_at = purchase.matched_at = None
    purchase.at = min(now, max(purchase.at, report.stated_at or purchase.at))
    audit.record(session, "purchase.resumed", purchase, by=None, now=now, units=report.kept)
    _promise(session, variant, report.kept)


def _undo(session: Session, purchase: Purchase, kept: int, *, now: datetime) -> None:
    """All but `kept` were not sold after all: what no report has missing yet is free again; the rest the shop reports.

    Of units that a report may or may not have missing, those that are kept count as the ones it has not.
    """
    if (freed := purchase.unsettled - kept) > 0:
        give_back_units(session, purchase.variant_id, freed)
        purchase.unsettled = kept
    audit.record(session, "purchase.returned", purchase, by=None, now=now, units=purchase.units - kept)
    if kept:
        purchase.units = kept
    else:
        purchase.returned_at = now


def find_purchase(session: Session, source: str, external_id: str) -> Purchase | None:
    """The line of an order a source sent under this name, if it did."""
    known = (Purchase.source == source, Purchase.external_id == external_id)
    return session.scalar(sa.select(Purchase).where(*known))
