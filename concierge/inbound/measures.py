"""How much one sender may send us in a day: what is more is kept but held back; what is far more has to wait outside.

Who is counted is the envelope's sender, which anybody can invent: this holds back a program that runs wild, or a person
who lost her temper, not somebody who forges a new address for each mail.
"""

from dataclasses import dataclass
from enum import StrEnum

# Held back are mails until so many times the day's measure; beyond, not even their rows shall fill the house.
_FLOOD = 10
MEGABYTE = 1024 * 1024


class Welcome(StrEnum):
    """What becomes of one more mail of a sender."""

    FILED = "filed"
    HELD = "held"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Measure:
    """A sender's day: how many mails and bytes are welcome; 0 means as many as come."""

    mails: int
    size: int


@dataclass(frozen=True, slots=True)
class Sent:
    """What a sender sent within the last day: how many mails, how many bytes in all."""

    mails: int = 0
    size: int = 0


def weigh(sender: str | None, sent: Sent, size: int, measure: Measure) -> Welcome:
    """What becomes of a mail of `size` bytes by an envelope's `sender` who has `sent` so much already.

    Bytes beyond the measure wait outside, for they fill the disk; mails beyond it are kept and held back, for they
    bury the house. Nothing is held back of who has no name: reports of mail systems (the null path) move nothing
    anyway, and of a mail without an envelope nobody knows who sent it.
    """
    if sender is None:
        return Welcome.FILED
    if measure.size and sent.size + size > measure.size:
        return Welcome.LATER
    if not measure.mails or sent.mails < measure.mails:
        return Welcome.FILED
    if sent.mails >= _FLOOD * measure.mails:
        return Welcome.LATER
    return Welcome.HELD if sender else Welcome.FILED
