"""Wishes asked for by the shop's form or the API: kept, and answered by at most one mail, whoever it may be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Mailbox, MailboxNotFound
from concierge.accounts.queries import list_mailboxes
from concierge.addresses import is_address, person_behind
from concierge.catalogue.models import Product, ProductNotFound, Variant
from concierge.catalogue.prices import NotThatPrice
from concierge.catalogue.queries import find_variant_by_sku, get_product
from concierge.config import Config
from concierge.customers.models import Customer, NoAddress
from concierge.errors import BadInput, BadToken
from concierge.mailing.commands import queue_delivery
from concierge.mailing.mail import UnlawfulMail
from concierge.mailing.mail import check as check_mail
from concierge.setbacks import NONE, Rows
from concierge.wishes import caps, links
from concierge.wishes.first_mails import first_mail, fresh_link_mail
from concierge.wishes.models import NothingWished, WishRequest, WishWay

MOST_UNITS = 9
_FURTHEST = timedelta(days=730)
_LONGEST = 254


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wished for: any of these SKUs, so many at once, by then, for no more than that, or something like it."""

    skus: tuple[str, ...]
    quantity: int = 1
    needed_by: date | None = None
    ceiling_cents: int | None = None
    or_similar: bool = False

    def to_json(self) -> dict[str, Any]:
        """As a WishRequest keeps it."""
        day = self.needed_by.isoformat() if self.needed_by else None
        return {**asdict(self), "skus": list(self.skus), "needed_by": day}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        day = kept.get("needed_by")
        return cls(**{**kept, "skus": tuple(kept["skus"]), "needed_by": date.fromisoformat(day) if day else None})


class NotThatMany(BadInput):
    """Wish for one to nine at a time."""


class NotThatDay(BadInput):
    """Choose a day between tomorrow and two years from now."""


def find_product(session: Session, *, product: str = "", skus: Iterable[str] = ()) -> Product:
    """The product a form is about, by its code or one of its SKUs; raises ProductNotFound."""
    if product:
        return get_product(session, product)
    found = (find_variant_by_sku(session, sku) for sku in dict.fromkeys(skus))
    if (variant := next(filter(None, found), None)) is None:
        raise ProductNotFound
    return variant.product


def find_wanted(
    session: Session, *, product: str = "", skus: Iterable[str] = (), sizes: Iterable[str] = ()
) -> tuple[Product, list[Variant]]:
    """The product and those of its variants a form means, by SKU or by size in any colour.

    What comes in one piece only needs no size. Raises ProductNotFound, NothingWished.
    """
    skus, sizes = set(skus), set(sizes)
    article = find_product(session, product=product, skus=sorted(skus))
    chosen = [each for each in article.variants if each.sku in skus or each.size in sizes]
    if not chosen and len(article.variants) == 1:
        chosen = list(article.variants)
    if not chosen:
        raise NothingWished
    return article, chosen


def check_wanted(wanted: Wanted, *, now: datetime) -> None:
    """Raise what is wrong with a wish: no size, too many units, a day gone by, a price of nothing."""
    if not wanted.skus:
        raise NothingWished
    if not 1 <= wanted.quantity <= MOST_UNITS:
        raise NotThatMany
    if wanted.needed_by and not now.date() < wanted.needed_by <= (now + _FURTHEST).date():
        raise NotThatDay
    if wanted.ceiling_cents is not None and not 0 < wanted.ceiling_cents <= 10**9:
        raise NotThatPrice


def request_wish(
    session: Session,
    config: Config,
    address: str,
    product: Product,
    wanted: Wanted,
    *,
    way: WishWay,
    language: str,
    words: str,
    network: str,
    now: datetime,
) -> WishRequest:
    """Keep what was asked for this address and, if none is under way and the caps allow, ask her by mail.

    Does the same whether the address is known, unknown or suppressed, and tells nobody which: a customer is not even
    looked for. Raises NoAddress and what `check_wanted` raises; caps.TooOften.
    """
    check_wanted(wanted, now=now)
    address = address.strip()
    if not is_address(address) or len(address) > _LONGEST:
        raise NoAddress
    caps.take_turn(session)
    caps.check_traffic(session, network, config.policy, now=now)
    request = WishRequest(
        address=address,
        normalised=person_behind(address),
        product_id=product.id,
        product=product,
        wanted=wanted.to_json(),
        way=way,
        language=language,
        words=words,
        network=network,
        created_at=now,
    )
    may_mail = caps.may_be_mailed(session, address, config.policy, now=now) and not _is_asked(
        session, request, config, now=now
    )
    session.add(request)
    session.flush()
    _ask(session, config, request, may_mail=may_mail, now=now)
    return request


def _is_asked(session: Session, request: WishRequest, config: Config, *, now: datetime) -> bool:
    """Whether a mail about this piece is with her already, and its link still works."""
    since = now - timedelta(days=config.policy.wish_request_days)
    standing = sa.select(WishRequest.id).where(
        WishRequest.normalised == request.normalised,
        WishRequest.product_id == request.product_id,
        WishRequest.created_at > since,
        WishRequest.delivery_id.is_not(None),
        WishRequest.confirmed_at.is_(None),
    )
    return session.scalar(standing.limit(1)) is not None


def _ask(session: Session, config: Config, request: WishRequest, *, may_mail: bool, now: datetime) -> None:
    """Write the mail, and queue it if it may leave; it is written either way, so that both take the same time."""
    skus = set(request.wanted["skus"])
    mail = first_mail(
        mailbox_for(session, request.language),
        request.address,
        product=request.product,
        variants=[each for each in request.product.variants if each.sku in skus],
        link=links.request_link(config, request.id),
        days=config.policy.wish_request_days,
        language=request.language,
    )
    try:
        check_mail(mail)
    except UnlawfulMail as error:
        raise NoAddress from error
    if may_mail:
        key = f"wish-request:{request.id}:{now.timestamp():.6f}"
        request.delivery_id = queue_delivery(session, mail, key=key, purpose=caps.FIRST_MAIL, now=now).id
        session.flush()


def send_fresh_link(session: Session, config: Config, customer: Customer, *, now: datetime) -> None:
    """A link to her wishes that works again, to the address on file; nothing when she was written to often enough."""
    caps.take_turn(session)
    if not caps.may_be_mailed(session, customer.address, config.policy, now=now):
        return
    mail = fresh_link_mail(
        mailbox_for(session, customer.language),
        customer.address,
        link=links.wishes_link(config, customer.id),
        language=customer.language,
    )
    key = f"wish-link:{customer.id}:{now:%Y%m%dT%H%M}"  # two clicks are one mail
    queue_delivery(session, mail, key=key, purpose=caps.FRESH_LINK, now=now)


def ask_again(session: Session, config: Config, request: WishRequest, *, network: str, now: datetime) -> WishRequest:
    """The same request once more, because its link has run out; raises as `request_wish` does."""
    wanted = Wanted.from_json(request.wanted)
    if wanted.needed_by and wanted.needed_by <= now.date():
        wanted = Wanted.from_json({**request.wanted, "needed_by": None})
    return request_wish(
        session,
        config,
        request.address,
        request.product,
        wanted,
        way=request.way,
        language=request.language,
        words=request.words,
        network=network,
        now=now,
    )


def mailbox_for(session: Session, language: str) -> Mailbox:
    """The house's mailbox in this language, else the first; raises MailboxNotFound in a house without one."""
    mailboxes = list_mailboxes(session, active_only=True)
    if not mailboxes:
        raise MailboxNotFound
    return next((each for each in mailboxes if each.language == language), mailboxes[0])


def get_request(session: Session, request_id: int, *, lock: bool = False) -> WishRequest:
    """The request with this number, held until the transaction ends if asked; raises BadToken when it is forgotten."""
    request = session.get(WishRequest, request_id, with_for_update={"of": WishRequest} if lock else None)
    if request is None:
        raise BadToken
    return request


def list_like(session: Session, request: WishRequest, *, until: int | None = None) -> list[WishRequest]:
    """This request and those of the same person for the same piece that came after it, none confirmed (or only itself);
    the newest last. `until` is the last one's number.
    """
    if request.confirmed_at is not None:
        return [request]
    statement = (
        sa.select(WishRequest)
        .where(WishRequest.normalised == request.normalised, WishRequest.product_id == request.product_id)
        .where(WishRequest.confirmed_at.is_(None), WishRequest.id >= request.id)
        .where(WishRequest.id <= until if until is not None else sa.true())
        .order_by(WishRequest.id)
    )
    return list(session.scalars(statement)) or [request]


def together(alike: Sequence[WishRequest]) -> Wanted:
    """What requests of one person for one piece want: every size that was named, and the rest as the newest has it."""
    skus = dict.fromkeys(sku for each in alike for sku in each.wanted["skus"])
    return replace(Wanted.from_json(alike[-1].wanted), skus=tuple(skus))


def list_old(session: Session, *, kept: timedelta, now: datetime, limit: int = 500, but: Rows = NONE) -> list[int]:
    """Requests to be forgotten, the oldest first."""
    old = sa.select(WishRequest.id).where(*_old(kept, now), WishRequest.id.not_in(but))
    return list(session.scalars(old.order_by(WishRequest.id).limit(limit)))


def forget_requests(session: Session, *, kept: timedelta, now: datetime, only: int | None = None) -> int:
    """Delete what nobody confirmed in time, and what has long become a wish (or `only` this one); how many.

    The newest row stays: SQLite would give its number, which old links carry, to the next request.
    """
    among = sa.true() if only is None else WishRequest.id == only
    old = sa.delete(WishRequest).where(*_old(kept, now), among)
    gone = session.execute(old.execution_options(synchronize_session=False))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _old(kept: timedelta, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    newest = sa.select(sa.func.max(WishRequest.id)).scalar_subquery()
    return WishRequest.created_at < now - kept, WishRequest.id < newest
