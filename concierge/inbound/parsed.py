"""What the parser makes of a mail: plain values, ready to be filed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from concierge.addresses import Address


class Kind(StrEnum):
    """Who really wrote a mail, and what for; what follows from each stands in `effects`."""

    HUMAN = "human"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"
    DELAY = "delay"
    RECEIPT = "receipt"
    LIST = "list"
    UNSUBSCRIBE = "unsubscribe"
    SPAM = "spam"


@dataclass(frozen=True, slots=True)
class Failure:
    """Somebody a mail system could not reach, or not yet: by the address that failed first, then the one written to.

    `hard`: that address is gone for good. `status` is an RFC 3463 code, empty where none is told; `words` are theirs.
    """

    addresses: tuple[str, ...]
    hard: bool
    status: str
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a mail system found of a mail's sender: its own name (empty where it gives none), how, what, of whom."""

    by: str
    method: str
    result: str
    domain: str


@dataclass(frozen=True, slots=True)
class ParsedAttachment:
    """A file or picture in a mail; `inline` when the HTML shows it by its cid."""

    filename: str
    content_type: str
    data: bytes
    cid: str | None = None
    inline: bool = False


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One mail, understood. Message ids stand without brackets; reasons and flags are codes (see `reasons`)."""

    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    sent_at: datetime | None
    subject: str
    sender: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    # Addresses a mail system says it was delivered to (Delivered-To and its kin): a help, not a proof.
    delivered_to: tuple[Address, ...]
    text: str
    # Index in `text` where signature and quoted mails begin.
    fold_at: int | None
    html: str | None
    attachments: tuple[ParsedAttachment, ...]
    kind: Kind
    kind_reason: str
    language: str | None
    first_name: str
    flags: tuple[str, ...] = ()
    # Of a bounce, delay or receipt: who was not reached, and the ids of the mail it is about.
    failures: tuple[Failure, ...] = ()
    returned: tuple[str, ...] = ()
    # Of list mail: the addresses the list is known by.
    lists: tuple[str, ...] = ()
    # Minutes the clock that wrote Date was ahead of UTC; None where it does not say (RFC 5322, 3.3: -0000).
    offset: int | None = None
    # What mail systems on its way found of its sender, or are said to have found.
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A mail the parser will not or can't read; `reason` is a code (see `reasons`)."""

    reason: str
    detail: str = ""
