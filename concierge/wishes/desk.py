"""What waits on an editor's desk: offers that have not left, as they will leave, in whose name and when."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.accounts.queries import list_editors
from concierge.catalogue.models import Product, Variant
from concierge.config import Config
from concierge.conversations.models import Conversation
from concierge.mailing.models import Delivery, DeliveryState
from concierge.wishes import leaving, queries, release
from concierge.wishes.addressing import Addressed, Circumstances, Later, Withheld, address
from concierge.wishes.drafting import version_of
from concierge.wishes.leaving import Leaving
from concierge.wishes.models import Wish
from concierge.wishes.offer_models import Offer, OfferEnding
from concierge.wishes.staff import list_colleagues
from concierge.wishes.voices import Colleague, Roster, call_the_roll, choose_voice

# So many mails are on a desk at a time; the rest comes up as these have left.
MOST = 60
_OFFERS = 600
_NOT_ARRIVED = (
    DeliveryState.BOUNCED,
    DeliveryState.REJECTED,
    DeliveryState.FAILED,
    DeliveryState.WITHHELD,
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """One mail that waits: its offers, when it leaves by itself, in whose name; `addressed` is None if it may not.

    `because` is the reason why not, in one of the words of `waves.void`. `wakes_at` is set while its reader sleeps.
    """

    offers: tuple[Leaving, ...]
    leaves_at: datetime
    wakes_at: datetime | None
    addressed: Addressed | None
    because: str = ""

    @property
    def id(self) -> int:
        """The number of its first offer; it bears the editor's own words."""
        return self.offers[0].offer_id

    @property
    def words(self) -> str:
        """What the editor has written into it."""
        return "\n\n".join(filter(None, (each.words.strip() for each in self.offers)))

    @property
    def writer(self) -> Colleague | None:
        """Who writes it, unless somebody else sends it."""
        return self.addressed.manner.voice.writer if self.addressed else None

    @property
    def covers_for(self) -> Colleague | None:
        """The owner for whom a colleague writes."""
        return self.addressed.manner.voice.covers_for if self.addressed else None

    @property
    def similar(self) -> Mapping[int, tuple[str, ...]]:
        """The SKUs shown under each offer, by its number."""
        if self.addressed is None:
            return {each.offer_id: each.similar for each in self.offers}
        pieces = self.addressed.manner.mould.pieces
        return {each.offer_id: piece.similar for each, piece in zip(self.addressed.offers, pieces, strict=True)}

    @property
    def version(self) -> str:
        """A word that changes with the editor's words, so that a colleague's are not written over unseen."""
        return version_of(self.words)


def list_bundles(session: Session, config: Config, *, editor: Editor | None, now: datetime) -> list[Bundle]:
    """What waits on this editor's desk, or on all (None); the first to leave first."""
    roster = _roster(session, now)
    owners = list(roster.known) if editor is None else _owners(roster, editor)
    waiting = leaving.list_waiting(session, owners=owners, limit=_OFFERS)
    found = sorted(_bundles(session, config, waiting, now=now), key=lambda each: (each.leaves_at, each.id))
    mine = [each for each in found if editor is None or each.writer is None or each.writer.id == editor.id]
    return mine[:MOST]


def find_bundle(session: Session, config: Config, offer_id: int, *, by: Editor, now: datetime) -> Bundle | None:
    """The mail an offer waits in, as it would be if `by` sent it; None when it has left or is over."""
    theirs = sa.select(Wish.id).where(
        Wish.customer_id == sa.select(Offer.customer_id).where(Offer.id == offer_id).scalar_subquery()
    )
    wishes = list(session.scalars(theirs))
    owners = [each.id for each in list_editors(session)]
    waiting = leaving.list_waiting(session, owners=owners, wish_ids=wishes, limit=_OFFERS)
    found = _bundles(session, config, waiting, now=now, by=by)
    return next((each for each in found if offer_id in {one.offer_id for one in each.offers}), None)


def count_waiting(session: Session, editor: Editor, *, now: datetime) -> int:
    """How many people's mails wait on her desk, quickly: the navigation says it on every page."""
    if session.scalar(sa.select(Offer.id).where(*_WAITS).limit(1)) is None:
        return 0
    roster = _roster(session, now)
    first = sa.select(Offer.id).where(*_WAITS).order_by(Offer.leaves_at).limit(10 * _OFFERS).subquery()
    owner = sa.func.coalesce(Offer.editor_id, Wish.editor_id, Conversation.editor_id)
    theirs = (
        sa.select(Offer.customer_id, owner, Wish.language)
        .join(first, first.c.id == Offer.id)
        .join(Wish, Wish.id == Offer.wish_id)
        .outerjoin(Conversation, Conversation.id == Wish.conversation_id)
        .where(owner.is_(None) | owner.in_(_owners(roster, editor)))
        .distinct()
        .limit(_OFFERS)
    )
    voices = (
        choose_voice(owner_id, roster, customer_id=customer_id, language=language)
        for customer_id, owner_id, language in session.execute(theirs)
    )
    return sum(each is not None and each.writer.id == editor.id for each in voices)


def list_left(session: Session, *, editor: Editor | None, since: datetime, limit: int = 30) -> list[Offer]:
    """Offers that left in her name (or anybody's), the last first."""
    statement = sa.select(Offer).where(Offer.left_at >= since).order_by(Offer.left_at.desc(), Offer.id.desc())
    if editor is not None:
        statement = statement.where(Offer.editor_id == editor.id)
    return list(session.scalars(statement.limit(limit)).unique())


def list_not_arrived(session: Session, *, editor: Editor | None, since: datetime, limit: int = 30) -> list[Offer]:
    """Offers that ended because their mail came back or could not leave, hers or anybody's, the last first."""
    owner = sa.func.coalesce(Offer.covered_for_id, Wish.editor_id, Offer.editor_id)
    statement = (
        sa.select(Offer)
        .join(Delivery, Delivery.id == Offer.delivery_id)
        .join(Wish, Wish.id == Offer.wish_id)
        .where(Offer.ended_at >= since, Offer.ended_because.in_((OfferEnding.BOUNCED, OfferEnding.WITHDRAWN)))
        .where(Delivery.state.in_(_NOT_ARRIVED))
        .order_by(Offer.ended_at.desc(), Offer.id.desc())
    )
    if editor is not None:
        statement = statement.where((owner == editor.id) | (Offer.editor_id == editor.id) | owner.is_(None))
    return list(session.scalars(statement.limit(limit)).unique())


def currencies_of(session: Session, skus: Collection[str]) -> dict[str, str]:
    """The currency each of these is priced in."""
    statement = sa.select(Variant.sku, Product.currency).join(Product, Product.id == Variant.product_id)
    return {sku: currency for sku, currency in session.execute(statement.where(Variant.sku.in_(skus)))}


_WAITS = (Offer.left_at.is_(None), Offer.ended_at.is_(None))


def _roster(session: Session, now: datetime) -> Roster:
    desk = timedelta(minutes=queries.policy_or_first(session).desk_minutes)
    return call_the_roll(list_colleagues(session, now=now), now=now, desk=desk)


def _owners(roster: Roster, editor: Editor) -> list[int]:
    """Whose customers may be on this editor's desk: her own, and those of colleagues who are away or have left."""
    present = {each.id for each in roster.present}
    return [number for number in roster.known if number == editor.id or number not in present]


def _bundles(
    session: Session, config: Config, waiting: Sequence[Leaving], *, now: datetime, by: Editor | None = None
) -> Iterator[Bundle]:
    if not waiting:
        return
    policies = {each.policy_id for each in waiting}
    around = release.circumstances(session, config, waiting, policies, leaving.list_threads, now=now, by=by)
    moments = _moments(session, waiting)
    within = timedelta(minutes=config.policy.offer_bundle_minutes)
    for _person, theirs in groupby(sorted(waiting, key=release.by_customer), key=release.by_customer):
        for together in _together(sorted(theirs, key=lambda each: moments[each.offer_id]), moments, within):
            yield _bundle(together, min(moments[each.offer_id] for each in together), around)


def _moments(session: Session, waiting: Sequence[Leaving]) -> dict[int, datetime]:
    found = sa.select(Offer.id, Offer.leaves_at).where(Offer.id.in_([each.offer_id for each in waiting]))
    return {offer_id: leaves_at for offer_id, leaves_at in session.execute(found)}


def _together(offers: Sequence[Leaving], moments: Mapping[int, datetime], within: timedelta) -> Iterator[list[Leaving]]:
    """What leaves in one mail: the first, and what is due soon after."""
    mail: list[Leaving] = []
    for each in offers:
        if mail and moments[each.offer_id] > moments[mail[0].offer_id] + within:
            yield mail
            mail = []
        mail.append(each)
    if mail:
        yield mail


def _bundle(offers: Collection[Leaving], leaves_at: datetime, around: Circumstances) -> Bundle:
    ordered, moment = sorted(offers, key=lambda each: each.offer_id), max(leaves_at, around.now)
    wakes_at = None
    outcome = address(ordered, around)
    if asleep := next((each for each in outcome if isinstance(each, Later)), None):
        wakes_at = asleep.leaves_at
        outcome = address(ordered, replace(around, now=max(moment, wakes_at)))
    addressed = next((each for each in outcome if isinstance(each, Addressed)), None)
    withheld = next((each for each in outcome if isinstance(each, Withheld)), None)
    return Bundle(
        offers=tuple(ordered),
        leaves_at=max(leaves_at, wakes_at or leaves_at),
        wakes_at=wakes_at,
        addressed=addressed,
        because=withheld.reason if withheld else "",
    )
