"""A breaker for each provider: one that is away, or leaves us in doubt, is left alone, and then tried gently."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

_LONGEST = timedelta(seconds=60)
# It may ask for a longer pause than we would make (Retry-After, X-RateLimit-Reset), within reason.
_LONGEST_ASKED = timedelta(hours=1)
# A provider that takes mails and does not say so leaves each of them in doubt: it is tried far less often.
_LONGEST_IN_DOUBT = timedelta(minutes=30)
_DOUBTS = 3
# After it came back twice as many mails may leave every five seconds, until nothing is held back any more.
_DOUBLES = timedelta(seconds=5)
_ALL = 1 << 12


@dataclass
class Breaker:
    """How long a provider that could not be reached is left alone: 1 s, 2 s, 4 s … 60 s, until it answers again."""

    until: datetime | None = None
    since: datetime | None = None
    back_at: datetime | None = None
    opened_at: datetime | None = None
    length: timedelta = timedelta()
    doubts: int = 0
    given: int = 0
    lock: Lock = field(default_factory=Lock)

    def holds(self, now: datetime) -> bool:
        """Whether it is still too early to call."""
        return self.until is not None and now < self.until

    def away_for(self, now: datetime) -> timedelta:
        """How long it has been out of reach; nothing when it is not."""
        return now - self.since if self.since else timedelta()

    def begin(self, now: datetime, retry_after: datetime | None = None) -> None:
        """It could not be reached, or asked us to wait."""
        with self.lock:
            self._open(now, retry_after, _LONGEST)

    def doubt(self, now: datetime) -> None:
        """Nobody knows whether it took a mail: the third time in a row it is left alone."""
        with self.lock:
            self.doubts += 1
            if self.doubts >= _DOUBTS:
                self.length = max(self.length, _LONGEST)
                self._open(now, None, _LONGEST_IN_DOUBT)

    def end(self, now: datetime, asked_at: datetime) -> None:
        """It answered; what it was asked before it was found away says nothing of how it is since."""
        if self.opened_at is not None and asked_at < self.opened_at <= now:  # later than now: the clock was set back
            return
        if self.until is not None or self.doubts:
            with self.lock:
                if self.until is not None:
                    self.back_at, self.given = now, 0
                self.until, self.since, self.length, self.doubts = None, None, timedelta(), 0

    def room(self, now: datetime, wanted: int) -> int:
        """How many of the wanted mails it may be given: one to see whether it is back, then more and more."""
        if self.until is not None:
            return min(wanted, 1)
        if self.back_at is None:
            return wanted
        most = 2 << min(max(int((now - self.back_at) / _DOUBLES), 0), 30)
        if most > _ALL:
            self.back_at = None
            return wanted
        return max(0, min(wanted, most - self.given))

    def took(self, count: int) -> None:
        """So many are about to be given to it."""
        if self.back_at is not None:
            with self.lock:
                self.given += count

    def _open(self, now: datetime, retry_after: datetime | None, longest: timedelta) -> None:
        if self.holds(now):
            return
        self.since, self.back_at, self.opened_at = self.since or now, None, now
        self.length = min(longest, max(timedelta(seconds=1), self.length * 2))
        asked = min(retry_after, now + _LONGEST_ASKED) if retry_after else now
        self.until = max(asked, now + self.length)
