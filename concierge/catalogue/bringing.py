"""Whole files of products: what one would do is found out by doing it, and shown before it is kept."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from concierge.catalogue.models import ProductIncomplete
from concierge.catalogue.product_sheets import ProductFault, ProductSheet
from concierge.catalogue.products import ReportedAs, list_elsewhere, report_product
from concierge.config import Policy
from concierge.errors import RuleBroken


class CatalogueChanged(RuleBroken):
    """The catalogue has changed since this was shown. Look at it once more; nothing was applied."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of each product of a file, by code, with what was changed; and of which lines nothing."""

    done: tuple[tuple[str, ReportedAs, tuple[str, ...]], ...]
    faults: tuple[ProductFault, ...]

    @property
    def is_news(self) -> bool:
        """Whether anything is added or changed."""
        return any(state is not ReportedAs.SAME for _code, state, _changed in self.done)

    @property
    def tally(self) -> Counter[ReportedAs]:
        """How many products were added, changed, and so on."""
        return Counter(state for _code, state, _changed in self.done)


def bring_products(session: Session, sheet: ProductSheet, *, source: str, now: datetime, policy: Policy) -> Brought:
    """Make and change the products of a file, each wholly or not at all; who only wants to see it rolls back."""
    done, faults = [], list(sheet.faults)
    for line, report in sheet.reports:
        skus = [each.sku for each in report.variants]
        if elsewhere := list_elsewhere(session, report.code, skus):
            faults += [ProductFault(line, "elsewhere", f"{sku}, {other}") for sku, other in elsewhere.items()]
            continue
        try:
            reported = report_product(session, report, source=source, now=now, policy=policy)
        except ProductIncomplete:
            faults.append(ProductFault(line, "incomplete", report.code))
        else:
            done.append((report.code, reported.state, reported.changed))
    return Brought(tuple(done), tuple(sorted(faults, key=lambda fault: fault.line)))
