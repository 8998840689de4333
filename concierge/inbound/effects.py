"""What follows from each kind of mail: one row of one table, read where mail is filed (docs/mail.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from concierge.conversations.models import MessageKind
from concierge.inbound.parsed import Kind


class Stranger(StrEnum):
    """What becomes of a mail of this kind that belongs to no conversation yet."""

    BEGINS = "begins"  # a conversation, open when somebody waits, else closed at once
    WAITS = "waits"  # in quarantine, until somebody says that it be filed
    ASIDE = "aside"  # its bytes are kept, and nobody needs to see it


class Change(StrEnum):
    """What it changes besides the conversation."""

    NOTHING = "nothing"
    CLOCK = "clock"  # what its date says of where she is
    DELIVERY = "delivery"  # the mail of ours it is about, and whether that address is mailed again
    PURPOSE = "purpose"  # she gets no more of the mails it answers


@dataclass(frozen=True, slots=True)
class Effect:
    """One row. What is filed as a person's is shown as her letter, all else folded under the reason.

    `moves_turn`: somebody waits for an answer, a closed conversation opens, follow-ups that wait for her word end. It
    goes with `filed_as`, by which every other part of the house asks whether she has written.
    """

    filed_as: MessageKind
    stranger: Stranger
    change: Change

    @property
    def moves_turn(self) -> bool:
        """Whether a person wrote it, who waits for us now."""
        return self.filed_as is MessageKind.HUMAN


EFFECTS: Mapping[Kind, Effect] = MappingProxyType(
    {
        Kind.HUMAN: Effect(MessageKind.HUMAN, Stranger.BEGINS, Change.CLOCK),
        Kind.UNSUBSCRIBE: Effect(MessageKind.HUMAN, Stranger.BEGINS, Change.PURPOSE),
        # Of somebody we know it is her letter, with a word of warning.
        Kind.SPAM: Effect(MessageKind.HUMAN, Stranger.WAITS, Change.NOTHING),
        Kind.AUTOMATIC: Effect(MessageKind.AUTOMATIC, Stranger.BEGINS, Change.NOTHING),
        Kind.LIST: Effect(MessageKind.AUTOMATIC, Stranger.BEGINS, Change.NOTHING),
        Kind.RECEIPT: Effect(MessageKind.AUTOMATIC, Stranger.ASIDE, Change.NOTHING),
        Kind.BOUNCE: Effect(MessageKind.BOUNCE, Stranger.ASIDE, Change.DELIVERY),
        Kind.DELAY: Effect(MessageKind.BOUNCE, Stranger.ASIDE, Change.DELIVERY),
    }
)
