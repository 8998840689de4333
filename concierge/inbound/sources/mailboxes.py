"""Reads the configured mail accounts in the worker: each folder in a thread, each mail stored before it is moved.

What may happen between any two commands: the mail lies in the folder, unmarked, and is here already. Then it is known
by its place (account, UIDVALIDITY, UID), or after the server changed its numbers by its bytes, and is only marked.
"""

import hashlib
import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from concierge import blobs, clock
from concierge.accounts.queries import find_mailbox
from concierge.config import Config
from concierge.db import Sessions, make_sessions
from concierge.errors import ConciergeError
from concierge.imap_settings import ImapAccount
from concierge.inbound import queries
from concierge.inbound.commands import accept_mail
from concierge.inbound.models import WatchedFolder
from concierge.inbound.sources.imap import CutOff, FolderUnfit, ImapFolder, LoginRefused, Refused
from concierge.inbound.sources.oauth import AccessTokens, TokenRefused
from concierge.mailing import backoff

log = logging.getLogger(__name__)

SOURCE = "imap"
_BASE, _CAP = timedelta(seconds=2), timedelta(minutes=5)
# Who was refused knocks no oftener than this: accounts are locked for less.
_REFUSED_SECONDS = 60.0
_LOOK_SECONDS = 1.0
_AT_ONCE, _BYTES_AT_ONCE = 20, 8 * 1024 * 1024
# A mail that the server would not give is asked for again after so long, then twice as long, up to a day.
_REST, _LONGEST_REST = timedelta(seconds=10), timedelta(days=1)
_MOST_LEFT = 100
_CLOSING_SECONDS = 5.0


@dataclass
class _Rest:
    """A mail the server would not give: how often it was asked for, and when to ask again (monotonic seconds)."""

    tries: int = 0
    until: float = 0.0

    def again(self) -> None:
        """One more try was in vain."""
        waiting = min(_LONGEST_REST, _REST * (1 << min(self.tries, 20)))
        self.tries, self.until = self.tries + 1, time.monotonic() + waiting.total_seconds()


@dataclass
class FolderReader:
    """Reads one folder for as long as this copy of the worker is the clock."""

    config: Config
    sessions: Sessions
    account: ImapAccount
    name: str
    is_clock: Callable[[], bool]
    tokens: AccessTokens | None = None
    told: threading.Event = field(default_factory=threading.Event)
    _outside: ImapFolder | None = None
    _failures: int = 0
    # what the last looks found of this folder's mails; forgotten when its numbers change
    _rests: dict[int, _Rest] = field(default_factory=dict)
    _done: set[int] = field(default_factory=set)
    _sizes: dict[int, int] = field(default_factory=dict)
    # one mail at a time, until it is known which of them the line breaks over
    _carefully: bool = False

    @property
    def label(self) -> str:
        """For the log: account and folder."""
        return f"{self.account.name}/{self.name}"

    def run(self) -> None:
        """Read on until told to stop; whatever breaks is tried again, ever more patiently."""
        while not self.told.is_set():
            if not self.is_clock():
                self.told.wait(_LOOK_SECONDS)
                continue
            try:
                self.read_on()
            except Exception as error:
                if not self.told.is_set():
                    self._fail(error)

    def read_on(self) -> None:
        """Open the folder and read what comes, until told to stop or another copy is the clock."""
        with self._opened() as outside:
            while not self.told.is_set() and self.is_clock():
                self.look(outside)
                if outside.has_news():  # it came while we looked
                    self.look(outside)
                outside.wait(self.told)

    def look(self, outside: ImapFolder) -> int:
        """Take in every mail that waits; how many were new to us. Raises as the folder does, and SQLAlchemyError."""
        watched = self._resume(outside.validity)
        outside.has_news()
        new = 0
        if watched.walked_to is not None:
            new += self._take(outside, outside.list_all(after=watched.walked_to), walking=True)
        while not self.told.is_set() and (waiting := self._fresh(outside.list_waiting())):
            new += self._take(outside, waiting)
        if self.told.is_set():
            return new
        self._failures, self._carefully = 0, False
        self._note(fault="", walked_to=None)
        return new

    def _opened(self) -> "_Opened":
        token = self.tokens.get if self.tokens else None
        self._outside = ImapFolder(self.account, self.name, token)
        return _Opened(self._outside)

    def stop(self) -> None:
        """From any thread: leave off at once. What is not marked yet is known when it is met again."""
        self.told.set()
        if self._outside is not None:
            self._outside.interrupt()

    def _resume(self, validity: int) -> WatchedFolder:
        """How far we are; with other numbers than before, from the beginning."""
        with self.sessions() as session:
            watched = queries.find_watched(session, self.account.name, self.name)
            if watched is None:
                watched = WatchedFolder(account=self.account.name, name=self.name, validity=validity, fault="", left=[])
                session.add(watched)
            elif watched.validity != validity:
                if watched.validity:
                    log.warning("%s has new numbers (UIDVALIDITY); everything is looked at again", self.label)
                    watched.walked_to = 0
                watched.validity, watched.left = validity, []
                self._rests, self._done, self._sizes = {}, set(), {}
            session.commit()
            return watched

    def _fresh(self, waiting: Sequence[int]) -> list[int]:
        """Those of the waiting that may be taken now; what is no longer there is forgotten."""
        there, now = set(waiting), time.monotonic()
        self._done &= there  # marked, and still listed: a server that forgets is not asked for ever
        self._rests = {uid: rest for uid, rest in self._rests.items() if uid in there}
        self._sizes = {uid: size for uid, size in self._sizes.items() if uid in there}
        resting = {uid for uid, rest in self._rests.items() if rest.until > now} | self._too_large()
        return [uid for uid in waiting if uid not in self._done | resting]

    def _too_large(self) -> set[int]:
        return {uid for uid, size in self._sizes.items() if size > self.config.max_mail_bytes}

    def _take(self, outside: ImapFolder, uids: Sequence[int], *, walking: bool = False) -> int:
        sizes = outside.sizes(uids)
        self._sizes |= sizes
        large, new = self._too_large(), 0
        for batch in _batches([uid for uid in uids if uid not in large], sizes, 1 if self._carefully else _AT_ONCE):
            new += self._take_batch(outside, batch)
            if self.told.is_set():
                break
            if walking:
                self._note(fault="", walked_to=batch[-1])
        return new

    def _take_batch(self, outside: ImapFolder, uids: Sequence[int]) -> int:
        """Fetch, store, and only then mark or move."""
        try:
            raws = outside.fetch(uids)
        except Exception as error:  # a mail that its server, or our reading of its answer, stumbles over
            return self._not_given(outside, uids, error)
        kept = {uid: raw for uid, raw in raws.items() if raw and len(raw) <= self.config.max_mail_bytes}
        self._sizes |= {uid: len(raw) for uid, raw in raws.items()}
        for uid in set(uids) - kept.keys():
            self._rests.setdefault(uid, _Rest()).again()
        new = self.store(outside.validity, kept)
        if kept:
            outside.settle(list(kept))
            self._done |= kept.keys()
        return new

    def _not_given(self, outside: ImapFolder, uids: Sequence[int], error: Exception) -> int:
        """Find the one it breaks over by asking for each alone, and let that one rest; the others are not held up."""
        self._carefully = True
        if len(uids) == 1:
            self._rests.setdefault(uids[0], _Rest()).again()
            log.warning("%s: the server does not give mail %d", self.label, uids[0])
        if isinstance(error, CutOff) or not isinstance(error, Refused):
            raise error
        return sum(self._take_batch(outside, [uid]) for uid in uids) if len(uids) > 1 else 0

    def store(self, validity: int, raws: dict[int, bytes]) -> int:
        """Keep these mails, all or none, and commit; how many were not here yet."""
        try:
            return self._store(validity, raws)
        except IntegrityError:  # another copy stored one of them a moment ago; now we see it
            return self._store(validity, raws)

    def _store(self, validity: int, raws: dict[int, bytes]) -> int:
        store, new = blobs.open_store(self.config), 0
        for raw in raws.values():
            store.put(raw)  # writing the bytes takes a while; no transaction waits for that
        with self.sessions() as session:
            mailbox = find_mailbox(session, self.account.mailbox or self.account.user)
            recipients = [mailbox.address] if mailbox else []
            for uid, raw in raws.items():
                place, key = f"{self.account.name}/{validity}/{uid}/{self.name}", hashlib.sha256(raw).hexdigest()
                if queries.was_fetched(session, place, key, recipients):
                    continue
                accept_mail(
                    session,
                    store,
                    raw,
                    source=SOURCE,
                    envelope_from=None,
                    recipients=recipients,
                    now=clock.now(),
                    place=place,
                )
                new += 1
            session.commit()
        return new

    def _fail(self, error: Exception) -> None:
        """Note what went wrong, and wait: longer each time, and nobody in step."""
        self._failures += 1
        if isinstance(error, LoginRefused) and self.tokens:
            self.tokens.forget()
        words = self._words(error)
        if self._failures in {1, 5} or not self._failures % 50:
            log.warning("%s can't be read: %s", self.label, words)
        try:
            self._note(fault=words.splitlines()[0][:400])
        except SQLAlchemyError:
            log.warning("%s: nor can that be noted", self.label)
        waiting = backoff.wait(self._failures, chance=random.random(), base=_BASE, cap=_CAP).total_seconds()  # noqa: S311
        refused = isinstance(error, LoginRefused | TokenRefused | FolderUnfit)
        self.told.wait(max(waiting, _REFUSED_SECONDS if refused else 0.0))

    def _words(self, error: Exception) -> str:
        """What went wrong, for staff; of what other programs say only the beginning."""
        if isinstance(error, ConciergeError):
            return str(error)
        if isinstance(error, OSError):
            why = error.strerror or type(error).__name__
            return f"{self.account.host}, port {self.account.port}, can't be reached ({why})."
        return f"{type(error).__name__}: {error}"

    def _note(self, *, fault: str, **values: int | None) -> None:
        """How it goes, for the page."""
        left = [{"uid": uid, "why": "too-large", "size": self._sizes[uid]} for uid in sorted(self._too_large())]
        left += [
            {"uid": uid, "why": "unfetchable", "size": self._sizes.get(uid, 0)}
            for uid, rest in sorted(self._rests.items())
            if rest.tries > 1 and uid not in self._too_large()
        ]
        with self.sessions() as session:
            watched = queries.find_watched(session, self.account.name, self.name)
            if watched is None:
                watched = WatchedFolder(account=self.account.name, name=self.name, validity=0, fault="", left=[])
                session.add(watched)
            now = clock.now()
            watched.fault_since = (watched.fault_since or now) if fault else None
            watched.fault, watched.left = fault, left[:_MOST_LEFT]
            if not fault:
                watched.looked_at = now
            if "walked_to" in values:
                watched.walked_to = values["walked_to"]
            session.commit()


class _Opened:
    """A folder that is opened on entering and closed whatever happens."""

    def __init__(self, folder: ImapFolder) -> None:
        self._folder = folder

    def __enter__(self) -> ImapFolder:
        try:
            self._folder.open()
        except BaseException:
            self._folder.close()
            raise
        return self._folder

    def __exit__(self, *_: object) -> None:
        self._folder.close()


def _batches(uids: Sequence[int], sizes: dict[int, int], most: int) -> list[list[int]]:
    """The UIDs in handfuls, each of a size that one answer may have."""
    batches: list[list[int]] = []
    room = 0
    for uid in uids:
        if not batches or len(batches[-1]) >= most or sizes.get(uid, 0) > room:
            batches.append([])
            room = _BYTES_AT_ONCE
        batches[-1].append(uid)
        room -= sizes.get(uid, 0)
    return batches


class MailboxReading:
    """Every folder of every configured account, beside the worker's timetable."""

    def __init__(self, config: Config) -> None:
        """Nothing is read until `start`."""
        self._config = config
        self._readers: list[FolderReader] = []
        self._threads: list[threading.Thread] = []

    def start(self, is_clock: Callable[[], bool]) -> None:
        """Begin; a folder is read by the copy of the worker that is the clock."""
        if not self._config.imap:
            return
        sessions = make_sessions(self._config)
        for account in self._config.imap:
            tokens = AccessTokens(account, self._config.data) if account.token_url else None
            for name in account.folders:
                reader = FolderReader(self._config, sessions, account, name, is_clock, tokens)
                self._readers.append(reader)
                self._threads.append(threading.Thread(target=reader.run, name=f"imap {reader.label}", daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Leave off; whoever does not within some seconds is ended with the process, which loses nothing."""
        for reader in self._readers:
            reader.stop()
        latest = time.monotonic() + _CLOSING_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, latest - time.monotonic()))
