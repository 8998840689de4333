"""What every carrier of mail offers, and the three ways in which it can fail."""

import select
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Protocol, runtime_checkable

from concierge.errors import ConciergeError
from concierge.mailing.mail import Mail, build
from concierge.mailing.reasons import Reason


class TransportError(ConciergeError):
    """The mail could not be handed over."""

    def __init__(
        self,
        words: str,
        *,
        permanent: bool = False,
        uncertain: bool = False,
        retry_after: datetime | None = None,
        reached: bool = True,
    ) -> None:
        """`words` say what the other side said, in words an editor understands.

        `permanent`: trying again will not help. `uncertain`: it may have been taken, so it must not be sent again by
        itself. Neither: it was not taken, and may be tried again, not before `retry_after`. `reached` is False when
        nobody answered at all, so that the next mail would fare no better.
        """
        super().__init__(words)
        self.words, self.permanent, self.uncertain = words, permanent, uncertain
        self.retry_after, self.reached = retry_after, reached

    def sentence(self) -> str:
        """What the other side said."""
        return self.words


def unreachable(who: str, error: Exception | str) -> TransportError:
    """Nobody answered: nothing was handed over, and everything waiting may be tried again later."""
    return TransportError(Reason.UNREACHABLE.of(who=who, error=plain(error)), reached=False)


def unknown_outcome(who: str, error: Exception | str) -> TransportError:
    """The line went dead after the mail had gone out and before it was acknowledged."""
    return TransportError(Reason.UNKNOWN.of(who=who, error=plain(error)), uncertain=True)


def only_ascii(who: str, address: str) -> TransportError:
    """This carrier takes no mail for an address with other letters before its @ (RFC 6531)."""
    letter = next((each for each in address if not each.isascii()), "")
    return TransportError(Reason.ONLY_ASCII.of(who=who, letter=letter), permanent=True)


def plain(error: Exception | str) -> str:
    """A foreign error in one short line."""
    words = str(error) or type(error).__name__
    return " ".join(words.split())[:300].rstrip(".")


@dataclass(frozen=True)
class Parcel:
    """A mail ready to be handed over: its delivery's key, its files' bytes, the time on it.

    `return_path` is the envelope's sender, for a carrier that has one; empty: the mail's own.
    """

    key: str
    mail: Mail
    files: Mapping[str, bytes]
    at: datetime
    return_path: str = ""

    @cached_property
    def raw(self) -> bytes:
        """The mail as RFC 5322 bytes; built when first asked for. Raises UnlawfulMail."""
        return build(self.mail, self.files.__getitem__, now=self.at)


def pack(key: str, mail: Mail, read_blob: Callable[[str], bytes], *, now: datetime, return_path: str = "") -> Parcel:
    """Gather what a mail needs before anybody is called; raises what `read_blob` raises."""
    files = {name: read_blob(name) for name in {file.blob_key for file in mail.files}}
    return Parcel(key, mail, files, now, return_path)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A carrier took the mail; `provider_id` is its name for it, if it gave one."""

    provider_id: str = ""


class Provider(Protocol):
    """A carrier. One object may be used by several threads at a time."""

    name: str

    def send(self, parcel: Parcel) -> Accepted:
        """Hand over one mail within 30 s; raises TransportError, and UnlawfulMail before anything goes out."""

    def check(self) -> str:
        """Try the configuration without sending; one sentence that says what works. Raises TransportError."""

    def close(self) -> None:
        """Let go of connections; the object can be used again afterwards."""


class Call(Protocol):
    """A mail that is on the line, and what is awaited is the carrier's answer."""

    until: float  # by the monotonic clock

    def fileno(self) -> int:
        """Where the answer is heard."""

    def has_begun(self) -> bool:
        """Whether what is heard there is the answer."""

    def answer(self) -> Accepted:
        """Wait for it; raises TransportError."""


@runtime_checkable
class ManyLined(Provider, Protocol):
    """A carrier that can be given another mail before it has answered the last."""

    def call(self, parcel: Parcel) -> Call:
        """Begin to hand over one mail; raises what `send` raises."""


def first_to_answer(calls: Sequence[Call]) -> int:
    """Which of these is answered first; the first of them where none is within the time it has."""
    poll = select.poll()
    for each in calls:
        poll.register(each, select.POLLIN)
    while heard := {number for number, _event in poll.poll(max(0.0, calls[0].until - time.monotonic()) * 1000)}:
        for place, each in enumerate(calls):
            if each.fileno() in heard and each.has_begun():
                return place
    return 0
