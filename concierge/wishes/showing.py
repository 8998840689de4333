"""A customer's wishes as her editor sees them: where each stands and why, what is held, what is on its way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.catalogue.cards import ProductCard, card_of, sizes_words
from concierge.catalogue.models import Product, Variant
from concierge.catalogue.naming import colour_name
from concierge.catalogue.returns import probable_units
from concierge.catalogue.stock_models import ReturnedUnit
from concierge.conversations.wording import fare
from concierge.customers.models import Consent, Customer
from concierge.customers.zones import zone_of
from concierge.mailing.models import Delivery
from concierge.wishes import queries, wording, words
from concierge.wishes.letters import confirm_key
from concierge.wishes.models import Wish, WishState
from concierge.wishes.offer_models import Offer
from concierge.wishes.radar import assign_softly
from concierge.wishes.waves import Standing

# A longer queue is not read for a page: her place in it is counted instead.
LONGEST_QUEUE = 2_000


@dataclass(frozen=True, slots=True)
class Proof:
    """Her yes: when and how, in which words, and the mail it stands in."""

    words: str
    said: str
    stands: bool
    conversation_id: int | None = None
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """One wish, every word ready."""

    wish: Wish
    card: ProductCard
    sizes: str
    state: str
    stands: str
    facts: tuple[str, ...]
    offer: str
    radar: tuple[str, ...]
    moved: str
    skipped: str
    asked: str
    proof: Proof | None
    renew_by: str

    @property
    def face(self) -> tuple[object, ...]:
        """All it says, to be compared."""
        said = (self.state, self.stands, self.facts, self.offer, self.radar, self.moved, self.skipped, self.asked)
        return (self.wish.id, self.card.name, self.sizes, *said, self.proof, self.renew_by)


@dataclass(frozen=True, slots=True)
class Known:
    """A size she wishes for already: by which wish, and how it stands."""

    wish_id: int
    said: str


@dataclass(frozen=True, slots=True)
class HerWishes:
    """All wishes of a customer: those that live, and those that ended."""

    customer: Customer
    living: tuple[Shown, ...]
    over: tuple[Shown, ...]
    tier: str

    @property
    def version(self) -> str:
        """A word that changes with whatever is shown."""
        faces = [each.face for each in (*self.living, *self.over)]
        return f"{crc32(repr((self.tier, faces)).encode()):x}"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks, and when."""

    editor: Editor
    language: str
    house: ZoneInfo
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        """Her own time zone."""
        return ZoneInfo(self.editor.timezone)


def show_all(session: Session, customer: Customer, reader: Reader, *, most_over: int = 30) -> HerWishes:
    """Every wish of hers, what is held for her first, then the newest; of the ended ones the latest."""
    wishes = queries.list_wishes_of(session, customer.id)
    living = [each for each in wishes if each.is_living]
    over = sorted((each for each in wishes if each.ended_at), key=lambda each: str(each.ended_at), reverse=True)
    shown = {each.wish.id: each for each in show(session, [*living, *over[:most_over]], reader)}
    return HerWishes(
        customer,
        tuple(shown[each.id] for each in living),
        tuple(shown[each.id] for each in over[:most_over]),
        tier_words(session, customer),
    )


def show(session: Session, wishes: Sequence[Wish], reader: Reader) -> list[Shown]:
    """These wishes, ready to be shown."""
    offers = queries.list_offers_of_wishes(session, [each.id for each in wishes])
    proofs = _proofs(session, [each.consent_id for each in wishes if each.consent_id], reader.zone)
    asked = _questions(session, [each for each in wishes if each.state is WishState.UNCONFIRMED])
    return [
        _shown(session, each, reader, offer=offers.get(each.id), proofs=proofs, asked=asked.get(each.id, ""))
        for each in wishes
    ]


def tier_words(session: Session, customer: Customer) -> str:
    """Her tier, and what it is worth in a queue; "" when she has none."""
    if not customer.tier:
        return ""
    days = float(queries.policy_or_first(session).head_starts.get(customer.tier, 0) or 0)
    if not days:
        return customer.tier
    return str(_("%(tier)s: a head start of %(days)s days", tier=customer.tier, days=f"{days:g}"))


def list_known(
    session: Session, customer_id: int, product: Product, reader: Reader, *, but: int | None = None
) -> dict[str, Known]:
    """What she wishes for of this piece already, by SKU; her wish `but` is left out."""
    return {
        choice.variant.sku: Known(wish.id, _known(session, wish, choice.variant, reader))
        for wish in queries.list_wishes_of(session, customer_id, living_only=True)
        for choice in wish.choices
        if wish.id != but and wish.product_id == product.id
    }


def _known(session: Session, wish: Wish, variant: Variant, reader: Reader) -> str:
    if wish.state is WishState.UNCONFIRMED:
        return str(_("noted already, not confirmed yet"))
    if wish.state is WishState.OFFERED:
        return str(_("waits already, has an offer"))
    standing = _Queue.read(session, variant).standing(session, wish, variant.id)
    if standing is None:
        return str(_("waits already"))
    return str(_("waits already, %(place)s", place=words.place_words(standing, reader.language)))


def sized(variant: Variant, language: str, *, with_colour: bool) -> str:
    """A variant as its chip says: "EU 36", with the colour where the piece comes in several."""
    size = " ".join(filter(None, (variant.size_system, variant.size))) if variant.size else ""
    colour = colour_name(variant.colour, language) if with_colour or not size else ""
    return ", ".join(filter(None, (colour, size))) or variant.sku


def _shown(
    session: Session, wish: Wish, reader: Reader, *, offer: Offer | None, proofs: Mapping[int, Proof], asked: str
) -> Shown:
    variants = [choice.variant for choice in wish.choices]
    several = len({each.colour for each in wish.product.variants}) > 1
    orders = {each.id: _Queue.read(session, each) for each in variants if wish.state is WishState.WAITING}
    customer = wish.customer
    return Shown(
        wish=wish,
        card=card_of((variants or wish.product.variants)[0], reader.language),
        sizes=sizes_words(variants, reader.language, with_colour=several),
        state=wording.state_words(wish, offer, zone=reader.zone, now=reader.now),
        stands=_stands(session, wish, orders, reader, several=several),
        facts=tuple(wording.facts_of(wish)),
        offer=_offer(offer, wish, reader),
        radar=tuple(
            said
            for each in variants
            if each.id in orders and (said := _radar(session, wish, each, orders[each.id], reader))
        ),
        moved=_moved(session, wish, reader),
        skipped=words.skipped_words(wish.skipped_because, reader.language) if wish.skipped_because else "",
        asked=asked,
        proof=proofs.get(wish.consent_id or 0),
        renew_by=wording.day_words(wish.expires_at, zone_of(customer.zone_name, customer.country, reader.house))
        if wish.asked_at and wish.is_living
        else "",
    )


@dataclass(frozen=True, slots=True)
class _Queue:
    """A variant's queue in order, wish by wish; empty when it is too long to be read."""

    standings: Mapping[int, Standing]
    is_too_long: bool

    @classmethod
    def read(cls, session: Session, variant: Variant) -> "_Queue":
        if queries.count_waiting(session, variant.id) > LONGEST_QUEUE:
            return cls({}, is_too_long=True)
        return cls(queries.stand(session, variant.id), is_too_long=False)

    def standing(self, session: Session, wish: Wish, variant_id: int) -> Standing | None:
        if self.is_too_long:
            return queries.place_by_rank(session, wish, variant_id=variant_id)
        return self.standings.get(wish.id)


def _stands(session: Session, wish: Wish, orders: Mapping[int, _Queue], reader: Reader, *, several: bool) -> str:
    """Where she stands for each of her sizes; the size is named where there are more than one."""
    said = []
    for choice in wish.choices:
        queue = orders.get(choice.variant_id)
        standing = queue.standing(session, wish, choice.variant_id) if queue else None
        if standing is None:
            continue
        sentence = words.explain(standing, reader.language, zone=reader.zone, now=reader.now)
        size = sized(choice.variant, reader.language, with_colour=several)
        said.append(f"{size}: {sentence}" if len(wish.choices) > 1 else sentence[:1].upper() + sentence[1:])
    return "\n".join(said)


def _offer(offer: Offer | None, wish: Wish, reader: Reader) -> str:
    if offer is None:
        return ""
    hers = zone_of(wish.customer.zone_name, wish.customer.country, reader.house)
    said = wording.offer_words(offer, hers=hers, here=reader.zone)
    return f"{sized(offer.variant, reader.language, with_colour=False)}: {said}" if len(wish.choices) > 1 else said


def _radar(session: Session, wish: Wish, variant: Variant, queue: _Queue, reader: Reader) -> str:
    """ "One in EU 36 is on its way back; Barbara is second": whose it would be, if nothing changed."""
    coming = probable_units(session, variant.id)
    standing = queue.standing(session, wish, variant.id)
    if not coming or standing is None:
        return ""
    units, size = sum(each.units for each in coming), sized(variant, reader.language, with_colour=False)
    if units == 1:
        said = _("One in %(size)s is on its way back%(when)s.", size=size, when=_when(coming, reader))
    else:
        said = _(
            "%(count)s in %(size)s are on their way back%(when)s.", count=units, size=size, when=_when(coming, reader)
        )
    name = wish.customer.first_name or wish.customer.display_name
    if not queue.is_too_long and wish.id in assign_softly(_quantities(session, queue), units):
        whose = _("If it passes inspection, it would be for %(name)s.", name=name)
    else:
        place = words.ordinal(standing.place, reader.language)
        whose = _("%(name)s is %(place)s in line.", name=name, place=place)
    return f"{said} {whose}"


def _quantities(session: Session, queue: _Queue) -> list[tuple[int, int]]:
    """The first of a queue with how many each wants: a coming parcel holds few."""
    first = list(queue.standings)[:100]
    found = session.execute(sa.select(Wish.id, Wish.quantity).where(Wish.id.in_(first)))
    wanted = {wish_id: quantity for wish_id, quantity in found}
    return [(number, wanted[number]) for number in first if number in wanted]


def _when(coming: Sequence[ReturnedUnit], reader: Reader) -> str:
    expected = next((each.expected_on for each in coming if each.expected_on), None)
    if expected is None:
        return ""
    return str(_(", expected on %(day)s", day=wording.day_words(expected, reader.zone)))


def _moved(session: Session, wish: Wish, reader: Reader) -> str:
    if wish.moved_at is None:
        return ""
    by = session.get(Editor, wish.moved_by_id) if wish.moved_by_id else None
    day = wording.day_words(wish.moved_at, reader.zone)
    name = by.name if by else str(_("The house"))
    return str(_("Moved by %(name)s on %(day)s: “%(reason)s”", name=name, day=day, reason=wish.moved_because))


def _proofs(session: Session, consent_ids: Sequence[int], zone: ZoneInfo) -> dict[int, Proof]:
    if not consent_ids:
        return {}
    found = list(session.scalars(sa.select(Consent).where(Consent.id.in_(consent_ids))))
    return {each.id: proof_of(each, zone) for each in found}


def proof_of(consent: Consent, zone: ZoneInfo) -> Proof:
    """A consent, with where its mail stands."""
    message, talk = consent.proof.get("message_id"), consent.proof.get("conversation_id")
    said = wording.proof_words(consent, zone=zone)
    return Proof(consent.words, said, consent.withdrawn_at is None, talk, message)


def _questions(session: Session, wishes: Sequence[Wish]) -> dict[int, str]:
    """How our question fares for those who were asked first."""
    if not wishes:
        return {}
    keys = {confirm_key(each): each.id for each in wishes}
    found = session.scalars(sa.select(Delivery).where(Delivery.key.in_(keys)))
    return {keys[each.key]: str(_("Our question: %(fare)s", fare=fare(each))) for each in found}
