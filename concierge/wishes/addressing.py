"""Sorts what is due into mails: who gets one, in whose voice, on which sheet; who must wait, who gets none and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
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


class Addressed(NamedTuple):
    """One mail about to leave: its offers, its reader, its voice, and until when each piece is held."""

    offers: tuple[Leaving, ...]
    to: Address
    thread: Thread | None
    voice: Voice
    mould: MouldKey
    held_until: tuple[datetime, ...]
    held_words: tuple[str, ...]
    greeting: str


@dataclass(frozen=True, slots=True)
class Asleep:
    """Offers whose reader sleeps; their mail leaves when she wakes."""

    offers: tuple[Leaving, ...]
    wakes_at: datetime


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


Sorted = Addressed | Asleep | Withheld


def address(offers: Sequence[Leaving], around: Circumstances) -> list[Sorted]:
    """What becomes of the offers that one customer is due together."""
    first = offers[0]
    zone = zone_of(first.timezone, first.country, around.zone)
    policy = around.policies[first.policy_id]
    wakes_at = _wakes_at(around.now, zone, policy.wakes_at, policy.sleeps_at)
    if wakes_at > around.now:
        return [Asleep(tuple(offers), wakes_at)]
    thread = next((around.threads[each.conversation_id] for each in offers if each.conversation_id), None)
    to = recipient(first.name, around.addresses.get(first.customer_id, ()), thread)
    reasons = {each.offer_id: _objection(each, to, around) for each in offers}
    refused: list[Sorted] = [Withheld(each, to, reasons[each.offer_id]) for each in offers if reasons[each.offer_id]]
    going = tuple(each for each in offers if not reasons[each.offer_id])
    voice = _voice(going, thread, around) if going else None
    if voice is None or to is None:
        return refused
    return [*refused, _addressed(going, to, voice, around, zone=zone, thread=thread)]


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


def _addressed(
    offers: tuple[Leaving, ...],
    to: Address,
    voice: Voice,
    around: Circumstances,
    *,
    zone: ZoneInfo,
    thread: Thread | None,
) -> Addressed:
    first = offers[0]
    greeting = typed(first.first_name or first.name)
    held = tuple(_held_until(around, each.policy_id, zone) for each in offers)
    mould = MouldKey(
        language=first.language,
        mailbox_id=first.mailbox_id,
        editor_id=voice.writer.id,
        covered_for=voice.covers_for.first_name if voice.covers_for else "",
        named=bool(greeting),
        pieces=tuple(_piece(each, around) for each in offers),
        words="\n\n".join(filter(None, (each.words.strip() for each in offers))),
    )
    words = tuple(_until_words(each, zone, first.language) for each in held)
    return Addressed(offers, to, thread, voice, mould, held, words, greeting)


def _piece(offer: Leaving, around: Circumstances) -> PieceKey:
    system, similar = system_known(offer.country), around.similar(offer)
    return PieceKey(offer.sku, offer.price_cents, offer.quantity, offer.says_held, system, similar)


def _held_until(around: Circumstances, policy_id: int, zone: ZoneInfo) -> datetime:
    policy = around.policies[policy_id]
    return _hold_ends(around.now, policy.hold_hours, zone, policy.wakes_at, policy.sleeps_at)


@dataclass(frozen=True, slots=True)
class _Waking:
    wakes_at: int
    sleeps_at: int


# All readers in one zone have the same clock, and a batch has one "now".
@lru_cache(maxsize=1024)
def _wakes_at(now: datetime, zone: ZoneInfo, wakes_at: int, sleeps_at: int) -> datetime:
    return clockwork.next_waking(now, zone, _Waking(wakes_at, sleeps_at))


@lru_cache(maxsize=1024)
def _hold_ends(now: datetime, hours: float, zone: ZoneInfo, wakes_at: int, sleeps_at: int) -> datetime:
    return clockwork.held_until(now, hours, zone, _Waking(wakes_at, sleeps_at))


_until_words = lru_cache(maxsize=1024)(until_words)
