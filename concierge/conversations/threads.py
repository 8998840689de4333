"""Which conversation a mail belongs to: a rule over plain facts, so that nobody can talk a mail into another's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Why(StrEnum):
    """What decided."""

    KEY = "key"  # our signed key, and she takes part
    KNOWN_ID = "known_id"  # answers a mail of that conversation, and she takes part
    BOUNCE = "bounce"  # a mail system returns a mail of ours that carries our signed key
    STRANGER = "stranger"  # key or id led somewhere, but the sender takes no part there
    NEW = "new"  # nothing led anywhere


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a mail before it is filed.

    `keyed`: conversations whose signed reply key it carries, in a recipient's address or in a Message-ID of ours it
    answers. `answered`: conversations that hold a mail named by its References (newest first), then by its
    In-Reply-To. `participants`: for each of these the normalised addresses that take part in it. `is_bounce`: a mail
    system sends a mail of ours back; it takes part in nothing, and moves nothing.
    """

    sender: str
    keyed: tuple[int, ...] = ()
    answered: tuple[int, ...] = ()
    participants: Mapping[int, frozenset[str]] = field(default_factory=dict)
    is_bounce: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """The conversation to join, or None for a new one with at most a hint where it may belong."""

    conversation_id: int | None
    hint_conversation_id: int | None
    why: Why


def choose(facts: Facts) -> Choice:
    """Join only by a signed key or a known Message-ID *and* a known participant; the subject is never asked.

    A key or an id alone can be forwarded, quoted in public or guessed, and an address alone can be forged
    (RFC 5322, 3.6.4 gives no proof): a mail with one of them becomes a conversation of its own, with a hint.
    Only a bounce joins by the key alone.
    """
    if facts.is_bounce and facts.keyed:
        return Choice(facts.keyed[0], None, Why.BOUNCE)
    for why, candidates in ((Why.KEY, facts.keyed), (Why.KNOWN_ID, facts.answered)):
        for conversation_id in candidates:
            if facts.sender and facts.sender in facts.participants.get(conversation_id, frozenset()):
                return Choice(conversation_id, None, why)
    led_to = (*facts.keyed, *facts.answered)
    return Choice(None, led_to[0], Why.STRANGER) if led_to else Choice(None, None, Why.NEW)
