"""Keeping the catalogue as the shop tells it: a product made or changed by what is said of it, whoever says it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, lazyload, selectinload

from concierge import audit
from concierge.catalogue.commands import add_picture, add_product
from concierge.catalogue.goods import OTHER, Picture, ProductReport, VariantReport, Wording
from concierge.catalogue.levels import Report
from concierge.catalogue.models import Product, ProductIncomplete, ProductText, Variant
from concierge.catalogue.pictures import CONTENT_TYPE
from concierge.catalogue.sizes import kind_of, read_size
from concierge.catalogue.stock import lock_variant, report_stock
from concierge.catalogue.stock_models import StockReport
from concierge.config import Policy

_PLAIN = ("designer", "category", "season", "price_cents", "currency", "link")


class ReportedAs(StrEnum):
    """What a report did: made a product, changed it, told nothing new, or came too late to count."""

    ADDED = "added"
    CHANGED = "changed"
    SAME = "same"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Reported:
    """What became of a report: in `changed` what it changed; `elsewhere` are SKUs of other products, left there."""

    product: Product
    state: ReportedAs
    changed: tuple[str, ...] = ()
    elsewhere: dict[str, str] = field(default_factory=dict)


def report_product(session: Session, report: ProductReport, *, source: str, now: datetime, policy: Policy) -> Reported:
    """Make the product with this code, or change it to what the shop says; what is not said stays as it is.

    The same again changes nothing, nor does what is older than what was last told. A variant is never deleted, for
    wishes hang on it; where the report names all there are, any other has no units from then on. A SKU that another
    product has is left there. Raises ProductIncomplete for a new product without a name or a price.
    """
    as_of = min(report.as_of, now) if report.as_of else now
    product = _lock(session, report.code)
    if product is not None and report.as_of and product.stated_at and as_of < product.stated_at:
        return Reported(product, ReportedAs.LATE)
    state = ReportedAs.SAME if product else ReportedAs.ADDED
    product = product or _add(session, report, now=now, policy=policy)
    product.stated_at = as_of
    elsewhere = list_elsewhere(session, product.code, [each.sku for each in report.variants])
    told = tuple(each for each in report.variants if each.sku not in elsewhere)
    changed = [
        *_state_plainly(product, report),
        *_state_texts(product, report),
        *_state_variants(product, told, whole=report.names_all and not elsewhere, policy=policy),
        *_state_pictures(session, product, report.pictures),
    ]
    session.flush()
    if report.names_all:
        changed += _empty_gone(session, product, report, source=source, as_of=as_of, now=now, policy=policy)
    if state is ReportedAs.ADDED:
        audit.record(session, "product.added", product, by=None, now=now, source=source)
    elif changed:
        state = ReportedAs.CHANGED
        audit.record(session, "product.changed", product, by=None, now=now, source=source, changed=changed)
    session.flush()
    return Reported(product, state, tuple(changed), elsewhere)


def list_elsewhere(session: Session, code: str, skus: Collection[str]) -> dict[str, str]:
    """Which of these SKUs other products than this one have, and the codes of those."""
    statement = sa.select(Variant.sku, Product.code).join(Product, Product.id == Variant.product_id)
    found = session.execute(statement.where(Variant.sku.in_(list(skus)), Product.code != code))
    return {sku: other for sku, other in found}


def _lock(session: Session, code: str) -> Product | None:
    """The product and then its variants, always in this order, ours until the transaction ends (as in `stock`)."""
    by_code = sa.select(Product.id).where(Product.code == code).with_for_update(key_share=True)
    if (number := session.scalar(by_code)) is None:
        return None
    variants = sa.select(Variant.id).where(Variant.product_id == number).order_by(Variant.sku)
    session.execute(variants.with_for_update(key_share=True)).all()
    fresh = selectinload(Product.variants).options(lazyload(Variant.stock), lazyload(Variant.product))
    return session.get_one(Product, number, options=[fresh], populate_existing=True)


def _add(session: Session, report: ProductReport, *, now: datetime, policy: Policy) -> Product:
    named = {language: each for language, each in report.texts.items() if each.name}
    if not named or report.price_cents is None:
        raise ProductIncomplete
    return add_product(
        session,
        code=report.code,
        designer=report.designer or "",
        category=report.category or OTHER,
        price_cents=report.price_cents,
        texts={language: (each.name or "", each.description or "") for language, each in named.items()},
        currency=report.currency or policy.shop_currency,
        now=now,
    )


def _state_plainly(product: Product, report: ProductReport) -> list[str]:
    told: dict[str, Any] = {name: getattr(report, name) for name in _PLAIN}
    told["tags"] = None if report.tags is None else list(report.tags)
    changed = [name for name, value in told.items() if value is not None and value != getattr(product, name)]
    for name in changed:
        setattr(product, name, told[name])
    return changed


def _state_texts(product: Product, report: ProductReport) -> list[str]:
    return [f"texts.{language}" for language, each in report.texts.items() if _state_text(product, language, each)]


def _state_text(product: Product, language: str, told: Wording) -> bool:
    known = next((each for each in product.texts if each.language == language), None)
    if known is None:
        name = told.name or product.name(language)
        product.texts.append(ProductText(language=language, name=name, description=told.description or ""))
        return True
    name = told.name or known.name
    description = known.description if told.description is None else told.description
    is_new = (name, description) != (known.name, known.description)
    known.name, known.description = name, description
    return is_new


def _state_variants(product: Product, told: Sequence[VariantReport], *, whole: bool, policy: Policy) -> list[str]:
    known = {each.sku: each for each in product.variants}
    changed = []
    for each in told:
        variant = known.get(each.sku)
        size, system = _size_of(product, variant, each, policy)
        colour = each.colour if each.colour is not None else variant.colour if variant else ""
        if variant is None:
            place = len(product.variants)
            product.variants.append(Variant(sku=each.sku, size=size, colour=colour, size_system=system, position=place))
            changed.append(each.sku)
        elif (size, system, colour) != (variant.size, variant.size_system, variant.colour):
            variant.size, variant.size_system, variant.colour = size, system, colour
            changed.append(each.sku)
    return changed + (_put_in_order(product, told) if whole and told else [])


def _size_of(product: Product, variant: Variant | None, told: VariantReport, policy: Policy) -> tuple[str, str]:
    """The size and its system; one that is only said again keeps the system it has, a new one is as its sisters are."""
    if told.size is None:
        return (variant.size, told.size_system or variant.size_system) if variant else ("", "")
    if not told.size:
        return "", ""
    if told.size_system is not None:
        return told.size, told.size_system
    own = variant.size_system if variant else ""
    systems = (own, *(each.size_system for each in product.variants), policy.shop_sizes)
    size, system = read_size(kind_of(product.category), told.size, next(filter(None, systems)))
    return size, own if variant and not system and size == variant.size else system


def _put_in_order(product: Product, told: Sequence[VariantReport]) -> list[str]:
    """The shop's own order, those it no longer names behind it."""
    places = {each.sku: place for place, each in enumerate(told)}
    wanted = sorted(product.variants, key=lambda each: (places.get(each.sku, len(places)), each.position))
    is_new = any(each.position != place for place, each in enumerate(wanted))
    for place, each in enumerate(wanted):
        each.position = place
    return ["order"] if is_new else []


def _state_pictures(session: Session, product: Product, told: Sequence[Picture] | None) -> list[str]:
    if told is None or [(each.blob_key, each.colour) for each in told] == [
        (each.blob_key, each.colour) for each in product.pictures
    ]:
        return []
    product.pictures.clear()
    session.flush()
    for each in told:
        add_picture(
            session, product, blob_key=each.blob_key, content_type=CONTENT_TYPE, width=each.width,
            height=each.height, colour=each.colour,
        )  # fmt: skip
    return ["pictures"]


def _empty_gone(
    session: Session,
    product: Product,
    report: ProductReport,
    *,
    source: str,
    as_of: datetime,
    now: datetime,
    policy: Policy,
) -> list[str]:
    """Count none of what the shop no longer has, wherever we thought some to be."""
    told = {each.sku for each in report.variants}
    gone = sorted(each.sku for each in product.variants if each.sku not in told and each.on_hand)
    for sku in gone:
        for level in list(lock_variant(session, sku).stock):
            if level.on_hand:
                name = f"gone:{sku}:{as_of.isoformat()}:{level.location}"
                count = Report(f"{source[:35]}-gone", name, sku, level.location, StockReport.SNAPSHOT, 0, as_of)
                report_stock(session, count, now=now, policy=policy)
    return gone
