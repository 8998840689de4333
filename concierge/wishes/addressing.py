"""Sorts what is due into mails: who gets one, in whose voice, on which sheet; who must wait, who gets none and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from concierge.addresses import Address, normalise
from concierge.catalogue.sizes import system_known
from concierge.customers.zones import zone_of
from concierge.mailing.mail import is_lawful
from concierge.mailing.sheets import typed
from concierge.wishes import clockwork, waves
from concierge.wishes.leaving import Leaving, Thread, recipient
from concierge.wishes.moulds import MouldKey, PieceKey
from concierge.wishes.offer_mail import until_words
from concierge.wishes.offer_models import WavePolicy
from concierge.wishes.voices import Colleague, Roster, Voice, choose_voice


@dataclass(frozen=True, slots=True, eq=False)
class Manner:
    """What mails have in common that leave now for readers who are alike: voice, sheet, until when pieces are held."""

    voice: Voice
    mould: MouldKey
    held_until: tuple[datetime, ...]
    held_words: tuple[str, ...]


class Addressed(NamedTuple):
    """One mail about to leave: its offers, its reader, the conversation it joins, and what it shares with others."""

    offers: tuple[Leaving, ...]
    to: Address
    thread: Thread | None
    greeting: str
    manner: Manner


class _Clock(NamedTuple):
    """What readers in one zone share: when they are awake, and until when a piece is held for them."""

    zone: ZoneInfo
    wakes_at: datetime
    held_until: datetime


@dataclass(frozen=True, slots=True)
class Later:
    """Offers whose mail leaves later: when its reader wakes, or with what else is about to be hers."""

    offers: tuple[Leaving, ...]
    leaves_at: datetime


@dataclass(frozen=True, slots=True)
class Withheld:
    """An offer whose mail may not leave, and why, in one of the words of `waves.void`."""

    offer: Leaving
    to: Address | None
    reason: str


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is true of the house and of these people at this moment."""

    now: datetime
    zone: ZoneInfo
    rosters: Mapping[int, Roster]
    policies: Mapping[int, WavePolicy]
    threads: Mapping[int, Thread]
    addresses: Mapping[int, Sequence[tuple[str, bool]]]
    suppressed: Callable[[str], str]
    similar: Callable[[Leaving], tuple[str, ...]]
    # an editor who sends from her desk: she writes herself, unless the customer's own editor is there; she wakes nobody
    by: Colleague | None = None
    # found once for all readers who are alike
    clocks: dict[tuple[int, str, str], _Clock] = field(default_factory=dict)
    manners: dict[tuple[object, ...], Manner] = field(default_factory=dict)


Sorted = Addressed | Later | Withheld


def address(offers: Sequence[Leaving], around: Circumstances) -> list[Sorted]:
    """What becomes of the offers that one customer is due together."""
    first = offers[0]
    wakes_at = _clock(first, around).wakes_at
    if wakes_at > around.now:
        return [Later(tuple(offers), wakes_at)]
    thread = next((around.threads[each.conversation_id] for each in offers if each.conversation_id), None)
    to = recipient(first.name, around.addresses.get(first.customer_id, ()), thread)
    reasons = {each.offer_id: _objection(each, to, around) for each in offers}
    refused: list[Sorted] = [Withheld(each, to, reasons[each.offer_id]) for each in offers if reasons[each.offer_id]]
    going = tuple(each for each in offers if not reasons[each.offer_id])
    voice = _voice(going, thread, around) if going else None
    if voice is None or to is None:
        return refused
    greeting = typed(going[0].first_name or going[0].name)
    return [*refused, Addressed(going, to, thread, greeting, _manner(going, voice, around, is_named=bool(greeting)))]


def is_awake(reader: Leaving, around: Circumstances, moment: datetime) -> bool:
    """Whether a reader is awake then, by her own clock."""
    policy = around.policies[reader.policy_id]
    return clockwork.next_waking(moment, _clock(reader, around).zone, policy) == moment


def _objection(offer: Leaving, to: Address | None, around: Circumstances) -> str:
    if not offer.has_consent or not offer.is_living:
        return waves.NO_CONSENT
    if to is None or not is_lawful(to):
        return waves.NO_ADDRESS
    return around.suppressed(normalise(to.address))


def _voice(offers: Sequence[Leaving], thread: Thread | None, around: Circumstances) -> Voice | None:
    first = offers[0]
    owner_id = next((each.owner_id for each in offers if each.owner_id), thread.editor_id if thread else None)
    roster = around.rosters[first.policy_id]
    owner = roster.known.get(owner_id or 0)
    if around.by is not None and (owner is None or owner not in roster.present or owner.id == around.by.id):
        return Voice(around.by, owner if owner and owner.id != around.by.id else None)
    return choose_voice(owner_id, roster, customer_id=first.customer_id, language=first.language)


def _manner(offers: tuple[Leaving, ...], voice: Voice, around: Circumstances, *, is_named: bool) -> Manner:
    first = offers[0]
    similar = [around.similar(each) for each in offers]
    # all that what follows depends on
    key = (
        voice.writer.id, voice.covers_for and voice.covers_for.id, first.mailbox_id, first.language, is_named,
        *((*each[_POLICY:_SIMILAR], each.timezone, each.country, kin)
          for each, kin in zip(offers, similar, strict=True)),
    )  # fmt: skip
    if key not in around.manners:
        clocks = [_clock(each, around) for each in offers]
        mould = MouldKey(
            language=first.language,
            mailbox_id=first.mailbox_id,
            editor_id=voice.writer.id,
            covered_for=voice.covers_for.first_name if voice.covers_for else "",
            named=is_named,
            pieces=tuple(_piece(each, kin) for each, kin in zip(offers, similar, strict=True)),
            words="\n\n".join(filter(None, (each.words.strip() for each in offers))),
        )
        words = tuple(until_words(each.held_until, each.zone, first.language) for each in clocks)
        around.manners[key] = Manner(voice, mould, tuple(each.held_until for each in clocks), words)
    return around.manners[key]


# Between them stands what a piece is offered with.
_POLICY, _SIMILAR = Leaving._fields.index("policy_id"), Leaving._fields.index("similar")


def _piece(offer: Leaving, similar: tuple[str, ...]) -> PieceKey:
    system = system_known(offer.country)
    return PieceKey(offer.sku, offer.price_cents, offer.quantity, offer.says_held, system, similar)


def _clock(offer: Leaving, around: Circumstances) -> _Clock:
    key = (offer.policy_id, offer.timezone, offer.country)
    if key not in around.clocks:
        zone, policy = zone_of(offer.timezone, offer.country, around.zone), around.policies[offer.policy_id]
        wakes_at = clockwork.next_waking(around.now, zone, policy)
        held_until = clockwork.held_until(around.now, policy.hold_hours, zone, policy)
        around.clocks[key] = _Clock(zone, wakes_at, held_until)
    return around.clocks[key]
