"""A restock with as many units as people wait for it: wishes allocated, their mails rendered and queued, per second."""

import gc
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from secrets import token_hex
from time import perf_counter
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from benchmarks import filling
from benchmarks.measuring import Figure, Place, per_second
from concierge import schema
from concierge.accounts.models import Editor, Mailbox
from concierge.catalogue.commands import add_product
from concierge.catalogue.models import Variant
from concierge.config import Config
from concierge.conversations.indexing import index_folded
from concierge.conversations.models import Conversation, Message
from concierge.customers.models import Consent, Customer, CustomerAddress
from concierge.db import make_sessions
from concierge.mailing.models import Delivery, DeliveryState
from concierge.rows import Encoded, Same, insert_columns, reserve_ids, unswept
from concierge.wishes.jobs import deal_all
from concierge.wishes.models import Wish, WishState, WishVariant, WishWay
from concierge.wishes.offer_models import Offer, OfferState, Wave, WavePolicy
from concierge.wishes.release import release_due
from concierge.wishes.rounds import AT_ONCE

NEEDS_CONVERSATIONS = False
SIZES = (1_000, 10_000, 100_000)
CHUNK = 5_000
_numbers = count(1)
_WORDS = "The sandals are back in your size, and a pair is held for you. " * 12
_CONTENT = '{"sheet":"' + "a" * 64 + '","values":{"unsubscribe":"' + "https://maison.example/" * 40 + '"}}'
_BARE = "five of its rows written in bulk, of values made before"


def measure(place: Place) -> Iterator[Figure]:
    """For each size: wishes told per second, and beside it statements per wish and how far the memory grew."""
    with own_house(place, "restock") as house:
        sizes = [place.of(size) for size in SIZES]
        fill_customers(house, max(sizes))
        for waiting in sizes:
            told = _Told(house, waiting)
            ours, bare = per_second(
                house, told, lambda waiting=waiting: _bare(house, waiting), told.prepare, 7 if waiting < 5_000 else 1
            )
            told.check()
            words = (
                f"{told.statements / waiting:.3f} statements a wish, memory {told.grown:+.0f} MiB, "
                f"{told.by_clock:,.0f} wishes/s by the clock"
            )
            where = f"{waiting:,} waiting, {place.name}"
            yield Figure("restock: wishes told", where, ours, bare, "wishes/s", _BARE, beside=words)


class _Told:
    """Tells everybody who waits; what it took is kept."""

    def __init__(self, house: Place, waiting: int) -> None:
        self._house, self._waiting, self._variant_id = house, waiting, 0
        self._made = self._last_id = 0
        self.statements, self.grown, self.by_clock = 0, 0.0, 0.0

    def prepare(self) -> None:
        """A piece that is back, and people who wait for it; their letters about earlier ones are of another day."""
        self.check()
        with self._house.sessions() as session:
            session.execute(sa.update(Offer).values(left_at=filling.NOW - timedelta(days=1)))
            session.commit()
        self._variant_id = fill_wishes(self._house, self._waiting)
        gc.collect()

    def __call__(self) -> int:
        with _counted(self._house) as counted, memory() as grown:
            begun = perf_counter()
            made = deal_all(self._house.config, self._house.sessions, self._variant_id)
            while release_due(self._house.config, self._house.sessions):
                pass
            self.by_clock = made / (perf_counter() - begun)
        self._made, self.statements, self.grown = made, counted[0], grown[0]
        with self._house.sessions() as session:
            self._last_id = session.scalar(sa.select(sa.func.max(Offer.id))) or 0
        return made

    def check(self) -> None:
        """Every mail of this piece has been queued; counted when the clock has been stopped."""
        if self._made:
            left = self._left()
            assert self._made == left == self._waiting, (self._made, left)

    def _left(self) -> int:
        gone = sa.select(sa.func.count()).where(
            Offer.variant_id == self._variant_id,
            Offer.id <= self._last_id,
            Offer.left_at.is_not(None),
            Offer.delivery_id.is_not(None),
        )
        with self._house.sessions() as session:
            return session.scalar(gone) or 0


@contextmanager
def own_house(place: Place, name: str) -> Iterator[Place]:
    """Another house on the same database system, so that the others stay as they are; it is taken down after."""
    settings: dict[str, Any] = {"data": place.config.data / name, "database_url": ""}
    if not place.config.is_sqlite:
        url = sa.make_url(place.config.database_url)
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        settings["database_url"] = url.set(database=name).render_as_string(hide_password=False)
    else:
        settings["database_url"] = f"sqlite+pysqlite:///{settings['data'] / 'concierge.db'}"
    config: Config = place.config.model_copy(update=settings)
    config.data.mkdir(parents=True)
    schema.migrate(config)
    house = replace(place, config=config, sessions=make_sessions(config))
    filling.furnish(house.sessions)
    with house.sessions() as session:
        # Everybody is awake, whatever the hour it is measured at.
        policy = {"wakes_at": 0, "sleeps_at": 24, "head_starts": {"vip": 7}}
        session.add(WavePolicy(**policy, saved_at=filling.NOW))
        session.commit()
    try:
        yield house
    finally:
        house.sessions.kw["bind"].dispose()
        shutil.rmtree(config.data, ignore_errors=True)


def fill_customers(house: Place, number: int) -> None:
    """So many customers who agreed to hear of their wishes, numbered from 1."""
    now = filling.NOW
    for first in range(1, number + 1, CHUNK):
        some = range(first, min(first + CHUNK, number + 1))
        with house.sessions() as session:
            session.execute(
                sa.insert(Customer),
                [
                    {"id": each, "name": f"Barbara {each}", "first_name": "Barbara", "language": ("en", "it")[each % 2],
                     "timezone": "Europe/Rome", "tier": "vip" if each % 10 == 0 else "", "created_at": now}
                    for each in some
                ],
            )  # fmt: skip
            session.execute(
                sa.insert(CustomerAddress),
                [
                    {"customer_id": each, "address": f"barbara{each}@example.com",
                     "normalised": f"barbara{each}@example.com", "is_primary": True, "created_at": now}
                    for each in some
                ],
            )  # fmt: skip
            session.execute(
                sa.insert(Consent),
                [
                    {"id": each, "customer_id": each, "purpose": "wish", "words": "Yes, tell me.", "language": "en",
                     "way": "form", "proof": {}, "granted_at": now, "withdrawn_way": ""}
                    for each in some
                ],
            )  # fmt: skip
            session.commit()


def fill_wishes(house: Place, number: int, *, first: int = 1, units: int | None = None) -> int:
    """So many wishes, of the customers from `first` on, for a new piece of which there are enough; the piece's size."""
    now, name = filling.NOW, next(_numbers)
    with house.sessions() as session:
        mailbox_id = session.scalars(sa.select(Mailbox.id)).first()
        editor_id = session.scalars(sa.select(Editor.id).order_by(Editor.id)).first()
        product = add_product(
            session,
            code=f"CAL-{name}",
            designer="Atelier Mirelle",
            category="sandals",
            price_cents=42_000,
            texts={"en": ("Calanque sandals", "Silk satin."), "it": ("Sandali Calanque", "Raso di seta.")},
            link="https://maison.example/products/calanque",
            now=now,
        )
        variant = Variant(product=product, sku=f"CAL-{name}-36", size="36", size_system="EU", colour="Turquoise")
        session.add(variant)
        session.commit()
        first_wish = (session.scalar(sa.select(sa.func.max(Wish.id))) or 0) + 1
        for begin in range(0, number, CHUNK):
            some = range(begin, min(begin + CHUNK, number))
            at = {each: now - timedelta(days=60) + timedelta(seconds=each * 7919 % 4_000_000) for each in some}
            rank = {each: at[each] - timedelta(days=7 * ((each + 1) % 10 == 0)) for each in some}
            session.execute(
                sa.insert(Wish),
                [
                    {"id": first_wish + each, "customer_id": each + first, "product_id": product.id,
                     "state": WishState.WAITING, "way": WishWay.FORM, "quantity": 1, "or_similar": False,
                     "language": ("en", "it")[(each + 1) % 2], "mailbox_id": mailbox_id,
                     "editor_id": editor_id, "consent_id": each + first, "created_at": at[each],
                     "confirmed_at": at[each], "rank_at": rank[each],
                     "moved_because": "", "skipped_because": "", "expires_at": now + timedelta(days=9999)}
                    for each in some
                ],
            )  # fmt: skip
            session.execute(
                sa.insert(WishVariant),
                [
                    {"wish_id": first_wish + each, "variant_id": variant.id, "customer_id": each + first,
                     "preference": 0, "is_living": True, "is_waiting": True, "rank_at": rank[each]}
                    for each in some
                ],
            )  # fmt: skip
            session.commit()
        session.execute(
            sa.update(Variant).where(Variant.id == variant.id).values(on_hand=number if units is None else units)
        )
        session.commit()
        return variant.id


def _bare(house: Place, number: int) -> int:
    """The rows alone, for the last piece's customers: the five sets each of them has, the thousand as one."""
    with house.sessions() as session:
        wave = session.scalars(sa.select(Wave).order_by(Wave.id.desc()).limit(1)).one()
        mailbox_id, wishes = session.scalar(sa.select(sa.func.min(Mailbox.id))), sa.select(sa.func.max(Wish.id))
        known = _Known(wave.id, wave.variant_id, mailbox_id or 0, session.scalar(wishes) or 0)
        session.commit()
        for first in range(0, number, AT_ONCE):
            with unswept():
                _write_bare(session, known, range(first, min(first + AT_ONCE, number)))
            session.commit()
    return number


class _Known(NamedTuple):
    """What all rows of the bare limit name; `wishes` is the last wish."""

    wave_id: int
    variant_id: int
    mailbox_id: int
    wishes: int


def _write_bare(session: Session, known: _Known, some: range) -> None:
    now, count_, name = Same(filling.NOW), len(some), next(_numbers)
    tables = (Conversation, Delivery, Message, Offer)
    ids = {each: reserve_ids(session, cast("sa.Table", each.__table__), count_) for each in tables}
    chance = token_hex(20)
    mail_ids = [f"{each * 2654435761 % 2**32:08x}{chance}.{name}@maison.example" for each in some]
    addresses = [f"barbara{each + 1}@example.com" for each in some]
    own: dict[Any, dict[str, Any]] = {
        Conversation: {
            "mailbox_id": Same(known.mailbox_id), "customer_id": [each + 1 for each in some], "editor_id": Same(1),
            "subject": Same("They are back"), "language": Same("en"), "state": Same("closed"), "closed_at": now,
            "first_line": Same("They are back"), "last_message_at": now, "last_message_id": ids[Message],
            "created_at": now,
        },
        Delivery: {
            "key": [f"bare:{name}:{each}" for each in some], "purpose": Same("offer"),
            "state": Same(DeliveryState.QUEUED), "message_id": mail_ids, "to_address": addresses,
            "to_normalised": addresses, "subject": Same("They are back"), "content": Same(Encoded(_CONTENT)),
            "due_at": now, "attempts": Same(0), "intent": Same(1),
            "provider": Same(""), "provider_id": Same(""), "reason": Same(""), "created_at": now,
        },
        Message: {
            "conversation_id": ids[Conversation], "mailbox_id": Same(known.mailbox_id), "direction": Same("out"),
            "kind": Same("human"), "kind_reason": Same(""), "editor_id": Same(1), "from_name": Same("Nadia Ferrant"),
            "from_address": Same("care@maison.example"), "to": Same([]), "cc": Same([]), "reply_to": Same([]),
            "subject": Same("They are back"), "text": Same(_WORDS), "language": Same("en"), "flags": Same([]),
            "rfc_message_id": mail_ids, "in_reply_to": Same([]), "references": Same([]),
            "delivery_id": ids[Delivery], "written_at": now, "created_at": now,
        },
        Offer: {
            "wave_id": Same(known.wave_id), "wish_id": [known.wishes - each for each in some], "quantity": Same(1),
            "customer_id": [each + 1 for each in some], "state": Same(OfferState.LAPSED),
            "variant_id": Same(known.variant_id), "holds": Same(True), "says_held": Same(True),
            "price_cents": Same(42_000), "place": list(some),
            "before_by_tier": Same(0), "by_tier": Same(False), "made_at": now, "editor_id": Same(1),
            "words": Same(""), "similar": Same([]), "leaves_at": now, "left_at": now, "held_until": now,
            "delivery_id": ids[Delivery], "message_id": ids[Message], "ended_at": now,
            "ended_because": Same("bounced"),
        },
    }  # fmt: skip
    for each in tables:
        insert_columns(session, cast("sa.Table", each.__table__), {"id": ids[each], **own[each]}, count_)
    found = "calanque sandals eu 36 atelier mirelle turquoise"
    index_folded(session, [(each, "they are back", "nadia ferrant care maison", found) for each in ids[Message]])


@contextmanager
def _counted(house: Place) -> Iterator[list[int]]:
    """How many statements were run."""
    counted, engine = [0], house.sessions.kw["bind"]

    def one_more(*_: object) -> None:
        counted[0] += 1

    event.listen(engine, "before_cursor_execute", one_more)
    yield counted
    event.remove(engine, "before_cursor_execute", one_more)


@contextmanager
def memory() -> Iterator[list[float]]:
    """By how many MiB the peak rose above what was held before (Linux: proc(5), else the peak of all time)."""
    grown = [0.0]
    before = _held()
    try:
        Path("/proc/self/clear_refs").write_text("5")  # begin the peak anew
    except OSError:
        before = _peak()
    yield grown
    grown[0] = (_peak() - before) / 1024


def _held() -> int:
    return _status("VmRSS") or _peak()


def _peak() -> int:
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _status(name: str) -> int:
    """A figure of ours in KiB; 0 where nobody tells."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
