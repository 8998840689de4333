"""May this answer be sent now? A rule over facts, asked when Send is pressed and again in the moment it leaves."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from flask_babel import gettext as _

from concierge.addresses import Address, normalise
from concierge.drafts import wording


class Reason(StrEnum):
    """Why not; those in WARNINGS may be waved through by an author who has read them, nothing else can be."""

    NEWER_MESSAGE = "newer_message"
    MAY_NOT_ANSWER = "may_not_answer"
    NOT_FOR_US = "not_for_us"
    MAILBOX_INACTIVE = "mailbox_inactive"
    NO_RECIPIENT = "no_recipient"
    SUPPRESSED = "suppressed"
    EMPTY = "empty"
    HOLE = "hole"
    UNKNOWN_PRODUCT = "unknown_product"
    MISSING_PICTURE = "missing_picture"
    TOO_LARGE = "too_large"
    OTHER_RECIPIENT = "other_recipient"
    OTHER_NAME = "other_name"
    OTHER_LANGUAGE = "other_language"
    NO_ATTACHMENT = "no_attachment"
    UNSENDABLE = "unsendable"
    RESTORED = "restored"


WARNINGS = frozenset({Reason.OTHER_RECIPIENT, Reason.OTHER_NAME, Reason.OTHER_LANGUAGE, Reason.NO_ATTACHMENT})


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of an answer and its conversation at one moment.

    `text` is what the author wrote, without quotes and cards. Languages are codes such as "en"; `text_language` is None
    where nobody can tell. `last_recipient` is whom our last mail here went to. Sizes are in bytes.
    """

    seen_message_id: int | None
    newest_message_id: int | None
    text: str
    subject: str
    recipient: Address | None
    has_content: bool = True
    may_answer: bool = True
    not_for_us: bool = False
    mailbox_active: bool = True
    suppressed: bool = False
    last_recipient: str | None = None
    unknown_products: tuple[str, ...] = ()
    missing_pictures: bool = False
    attachments: int = 0
    attachments_size: int = 0
    attachments_limit: int = 18 * 1024 * 1024
    customer_name: str = ""
    language: str = ""
    text_language: str | None = None
    overridden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Objection:
    """One reason not to send, and where it lies: the hole as it stands in the text, the name, the address."""

    reason: Reason
    detail: str = ""

    @property
    def is_warning(self) -> bool:
        """Whether the author may send all the same."""
        return self.reason in WARNINGS

    def sentence(self) -> str:
        """The sentence a person reads, in her language."""
        return _sentences()[self.reason] % {"detail": self.detail}

    def to_line(self) -> str:
        """As kept with a draft that came back, one line each."""
        return " ".join(f"{self.reason} {self.detail}".split())

    @classmethod
    def from_line(cls, line: str) -> "Objection":
        """What `to_line` wrote."""
        reason, _space, detail = line.partition(" ")
        return cls(Reason(reason), detail)


def objections(facts: Facts) -> list[Objection]:
    """Everything that speaks against sending; empty when it may go. Warnings once overridden are silent."""
    found = (*_about_the_moment(facts), *_about_the_recipient(facts), *_about_the_text(facts), *_warnings(facts))
    return [each for each in found if not (each.is_warning and each.reason in facts.overridden)]


def _about_the_moment(facts: Facts) -> Iterator[Objection]:
    if (facts.newest_message_id or 0) > (facts.seen_message_id or 0):
        yield Objection(Reason.NEWER_MESSAGE)
    if not facts.may_answer:
        yield Objection(Reason.MAY_NOT_ANSWER)
    if facts.not_for_us:
        yield Objection(Reason.NOT_FOR_US)
    if not facts.mailbox_active:
        yield Objection(Reason.MAILBOX_INACTIVE)


def _about_the_recipient(facts: Facts) -> Iterator[Objection]:
    if facts.recipient is None:
        yield Objection(Reason.NO_RECIPIENT)
    elif facts.suppressed:
        yield Objection(Reason.SUPPRESSED, facts.recipient.address)


def _about_the_text(facts: Facts) -> Iterator[Objection]:
    if not facts.has_content:
        yield Objection(Reason.EMPTY)
    if hole := wording.find_hole(facts.subject, facts.text):
        yield Objection(Reason.HOLE, hole[:60])
    if facts.unknown_products:
        yield Objection(Reason.UNKNOWN_PRODUCT, ", ".join(facts.unknown_products))
    if facts.missing_pictures:
        yield Objection(Reason.MISSING_PICTURE)
    if facts.attachments_size > facts.attachments_limit:
        yield Objection(Reason.TOO_LARGE, str(facts.attachments_limit // (1024 * 1024)))


def _warnings(facts: Facts) -> Iterator[Objection]:
    if (
        facts.recipient
        and facts.last_recipient
        and normalise(facts.last_recipient) != normalise(facts.recipient.address)
    ):
        yield Objection(Reason.OTHER_RECIPIENT, facts.last_recipient)
    names = wording.greeted(facts.text)
    if not wording.names_her(names, facts.customer_name):
        yield Objection(Reason.OTHER_NAME, " ".join(names))
    if facts.language and facts.text_language and facts.text_language != facts.language:
        yield Objection(Reason.OTHER_LANGUAGE)
    if facts.attachments == 0 and wording.promises_attachment(facts.text):
        yield Objection(Reason.NO_ATTACHMENT)


def _sentences() -> dict[Reason, str]:
    return {
        Reason.NEWER_MESSAGE: _("Something newer has arrived since you began. Read it first; your answer is kept."),
        Reason.MAY_NOT_ANSWER: _("Only an editor may write to customers."),
        Reason.NOT_FOR_US: _("This conversation is marked as not for us; take the mark away to answer it."),
        Reason.MAILBOX_INACTIVE: _("This mailbox is no longer in use, so nothing can leave from it."),
        Reason.NO_RECIPIENT: _("We have no address to send this to."),
        Reason.SUPPRESSED: _("%(detail)s does not take our mail: it came back, or she asked us to stop."),
        Reason.EMPTY: _("There is nothing in this answer yet."),
        Reason.HOLE: _("There is still a hole in the text: “%(detail)s”."),
        Reason.UNKNOWN_PRODUCT: _("We have no product %(detail)s; take its card out, or choose it again."),
        Reason.MISSING_PICTURE: _("A picture in the text is no longer attached; take it out, or attach it again."),
        Reason.TOO_LARGE: _("The files together are larger than a mail can carry (%(detail)s MB)."),
        Reason.OTHER_RECIPIENT: _("Our last mail here went to another address: %(detail)s."),
        Reason.OTHER_NAME: _("The greeting says “%(detail)s”, which is not the customer's name."),
        Reason.OTHER_LANGUAGE: _("This is not written in the customer's language."),
        Reason.RESTORED: _(
            "The house was restored from a copy. This answer may have left before: look, then send it again."
        ),
        Reason.UNSENDABLE: _("This answer could not be made into a mail. %(detail)s"),
        Reason.NO_ATTACHMENT: _("The text speaks of an attachment, but nothing is attached."),
    }
