"""Talking to a carrier: each mail is built, offered, and what is answered understood; no transaction is open.

Where the carrier has several lines, the next mails are on them while one waits for its answer.
"""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from concierge import clock, closing
from concierge.blobs import BlobMissing
from concierge.config import Config
from concierge.db import Sessions
from concierge.errors import RuleBroken
from concierge.mailing.breaker import Breaker
from concierge.mailing.logbook import Book
from concierge.mailing.models import Delivery, Lane
from concierge.mailing.providers.base import (
    Accepted,
    Call,
    ManyLined,
    Parcel,
    Provider,
    TransportError,
    first_to_answer,
    pack,
    plain,
)
from concierge.mailing.reports import key_of
from concierge.mailing.returns import return_path
from concierge.mailing.sheets import unfold

log = logging.getLogger(__name__)

# None: the provider was not called after all.
Outcome = Accepted | TransportError | RuleBroken | BlobMissing | None
_Said = TypeVar("_Said")


@dataclass(frozen=True)
class Desk:
    """All that handing over needs."""

    lane: Lane
    config: Config
    secret: str
    sessions: Sessions
    provider: Provider
    breaker: Breaker
    second: Provider | None  # who carries what this one can't be given, once it has been away for long enough
    read_blob: Callable[[str], bytes]
    only: Collection[int] | None
    ends_at: float  # by the monotonic clock
    lines: int  # mails under way at a time

    @property
    def is_over(self) -> bool:
        """Whether no other mail is handed over in this run."""
        over = time.monotonic() >= self.ends_at or closing.TOLD.is_set()
        return over or self.breaker.holds(clock.machine_now())

    @property
    def is_replaced(self) -> bool:
        """Whether the second carrier takes over by now."""
        away = self.breaker.away_for(clock.machine_now())
        return self.second is not None and away >= self.config.policy.fallback_after


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A mail that is on the line, and since when."""

    delivery: Delivery
    at: datetime
    call: Call


def hand_over(desk: Desk, book: Book, begun: Sequence[Delivery], began_at: float) -> list[tuple[Delivery, Outcome]]:
    """Each of these in its turn, and what came of it; `began_at` is by the monotonic clock."""
    speak = _speaker(desk, book)
    finished: list[tuple[Delivery, Outcome]] = []
    under_way: list[_Spoken] = []

    def hear() -> None:
        spoken = under_way.pop(first_to_answer([each.call for each in under_way]))
        finished.append((spoken.delivery, _taken(desk, book, spoken.delivery, spoken.at, spoken.call.answer)))

    for delivery in begun:
        if len(under_way) >= desk.lines:
            hear()
        parcel = None if desk.is_over else _packed(desk, book, began_at, delivery)
        said = speak(delivery, parcel) if isinstance(parcel, Parcel) else parcel
        if isinstance(said, _Spoken):
            under_way.append(said)
        else:
            finished.append((delivery, said))
    while under_way:
        hear()
    return finished


def _packed(desk: Desk, book: Book, began_at: float, delivery: Delivery) -> Parcel | Outcome:
    """The mail, noted as offered; or what keeps it from being."""
    try:
        mail, at = unfold(delivery.content, desk.read_blob), desk.config.return_path
        parcel = pack(
            key_of(delivery.key, delivery.intent),
            mail,
            desk.read_blob,
            now=clock.now(),
            return_path=return_path(desk.secret, mail.sender.address, delivery.id, delivery.intent, at=at),
        )
        book.note_offered(delivery.id)
    except BlobMissing as missing:
        return missing
    except Exception as error:  # the store of files is out of reach; nobody was called
        return TransportError(plain(error), reached=False)
    if time.monotonic() - began_at > desk.config.policy.lease.total_seconds() / 2:
        return None  # this process was asleep, or those before took long: others may think it dead
    return parcel


def _speaker(desk: Desk, book: Book) -> Callable[[Delivery, Parcel], Outcome | _Spoken]:
    """How a mail is given to the carrier: put on a line where it has several, else with its answer waited for."""
    provider = desk.provider
    if desk.lines > 1 and isinstance(provider, ManyLined):
        call = provider.call

        def begin(delivery: Delivery, parcel: Parcel) -> Outcome | _Spoken:
            at = clock.machine_now()
            return _understood(desk, delivery, at, lambda: _Spoken(delivery, at, call(parcel)))

        return begin
    return lambda delivery, parcel: _taken(desk, book, delivery, clock.machine_now(), lambda: provider.send(parcel))


def _taken(desk: Desk, book: Book, delivery: Delivery, at: datetime, answer: Callable[[], Accepted]) -> Outcome:
    """What the carrier answers, asked at some time; that it took the mail is noted at once."""
    outcome = _understood(desk, delivery, at, answer)
    if isinstance(outcome, Accepted):
        with suppress(OSError):
            book.note_taken(delivery.id, outcome)
        desk.breaker.end(clock.machine_now(), at)
    return outcome


def _understood(
    desk: Desk, delivery: Delivery, at: datetime, talk: Callable[[], _Said]
) -> _Said | TransportError | RuleBroken | None:
    """What talking came to, and what a failure says of the carrier itself."""
    try:
        return talk()
    except TransportError as error:
        _note_failure(desk, error, at)
        return None if desk.is_replaced and not error.reached else error
    except RuleBroken as broken:
        return broken
    except Exception as error:  # a fault of ours in the middle of talking: nobody knows how far it came
        log.exception("delivery %d", delivery.id, extra={"delivery": delivery.id})
        return TransportError(plain(error), uncertain=True)


def _note_failure(desk: Desk, error: TransportError, at: datetime) -> None:
    """What a failure says of the provider itself."""
    now = clock.machine_now()
    if not error.reached:
        desk.breaker.begin(now, error.retry_after)
        log.warning("%s: %s", desk.provider.name, error.words)
    elif error.uncertain:
        desk.breaker.doubt(now)
    else:
        desk.breaker.end(now, at)
