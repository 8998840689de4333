"""Mail that stays in memory: the twin used by tests and demonstrations."""

from collections import deque
from threading import Lock

from concierge.mailing.mail import check as check_mail
from concierge.mailing.providers.base import Accepted, Parcel, TransportError


class MemoryProvider:
    """Keeps what it is given; can be told to fail first."""

    name = "memory"

    def __init__(self) -> None:
        self.sent: list[Parcel] = []
        self._failures: deque[TransportError] = deque()
        self._lock = Lock()

    def fail_next(self, *errors: TransportError) -> None:
        """Answer the next mails with these errors, one each."""
        self._failures.extend(errors)

    def send(self, parcel: Parcel) -> Accepted:
        """Keep the parcel; the same key twice is kept once."""
        check_mail(parcel.mail)
        with self._lock:
            if self._failures:
                raise self._failures.popleft()
            for number, earlier in enumerate(self.sent, start=1):
                if earlier.key == parcel.key:
                    return Accepted(f"memory-{number}")
            self.sent.append(parcel)
            return Accepted(f"memory-{len(self.sent)}")

    def check(self) -> str:
        """There is nothing that could be wrong."""
        return "Mails are kept in memory and lost at the end."

    def close(self) -> None:
        """Nothing to let go of."""
