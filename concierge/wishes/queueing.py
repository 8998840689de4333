"""Writes down the mails that leave: conversations, deliveries and messages, one statement for each table."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from concierge import tokens
from concierge.config import Config
from concierge.conversations.commands import Common, LetterOut, record_letters, reserve_conversations
from concierge.drafts.wording import reply_subject
from concierge.mailing.commands import Posting, queue_deliveries
from concierge.mailing.mail import ancestry
from concierge.mailing.sheets import Folding, fill_text
from concierge.wishes import links
from concierge.wishes.addressing import Addressed, Manner
from concierge.wishes.moulds import Mould
from concierge.wishes.offer_mail import Links, Reader, blanks

PURPOSE = "offer"


class Left(NamedTuple):
    """What an offer's row, and its wish's, say of its mail once that is queued."""

    offer_id: int
    wish_id: int
    conversation_id: int
    delivery_id: int
    message_id: int
    writer_id: int
    covered_for_id: int | None
    held_until: datetime
    similar: tuple[str, ...]


class _Style:
    """What mails share that are alike in manner and stand on one sheet; made once, it makes each of them."""

    def __init__(self, config: Config, manner: Manner, mould: Mould) -> None:
        self._secret, self.mould, self.manner, voice = config.secret, mould, manner, manner.voice
        self._local, _at, self._domain = mould.sender.address.rpartition("@")
        self._fold = Folding(mould.blob_key, blanks(len(manner.held_until)), mould.sender).fold
        self._signed = f"\n{mould.sender.name}\n"
        self.common = Common(
            mailbox_id=manner.mould.mailbox_id,
            editor_id=voice.writer.id,
            owner_id=voice.owner.id,
            sender=mould.sender,
            first_line=mould.opening,
            searched=mould.searched,
            language=manner.mould.language,
            verb="conversation.offered",
        )
        self.covered_for_id = voice.covers_for.id if voice.covers_for else None

    def write(self, addressed: Addressed, conversation_id: int, reader: Reader, stamp: str) -> "_Written":
        """One mail as it is queued, in its conversation; `stamp` makes its Message-ID its own."""
        key, values, thread = tokens.reply_key(self._secret, conversation_id), reader.values(), addressed.thread
        bare_id = tokens.message_id(stamp, key, self._domain)
        references = ancestry(thread.references, thread.parent) if thread else ()
        content = self._fold(
            list(values.values()),
            to=addressed.to,
            reply_address=f"{self._local}+{key}@{self._domain}",
            subject=reader.subject,
            message_id=f"<{bare_id}>",
            references=references,
            unsubscribe=reader.unsubscribe,
        )
        address = addressed.to.address
        posting = Posting(
            f"offer:{addressed.offers[0].offer_id}", PURPOSE, f"<{bare_id}>", address, reader.subject, content
        )
        text = fill_text(self.mould.sheet, values)
        return _Written(self, addressed, conversation_id, bare_id, references, text, posting)

    def letter_out(self, written: "_Written", delivery_id: int) -> LetterOut:
        """The same, as its conversation keeps it."""
        addressed, text = written.addressed, written.text
        return LetterOut(
            self.common,
            written.conversation_id,
            addressed.to,
            written.posting.subject,
            text,
            text.rfind(self._signed) + 1,
            written.bare_id,
            written.references,
            delivery_id,
            {"offers": [each.offer_id for each in addressed.offers], "by": self.mould.sender.name},
            addressed.offers[0].customer_id if addressed.thread is None else None,
        )


class _Written(NamedTuple):
    """A mail as it is queued: filled in, with its place in a conversation."""

    style: _Style
    addressed: Addressed
    conversation_id: int
    bare_id: str
    references: tuple[str, ...]
    text: str
    posting: Posting


def queue_letters(
    session: Session, config: Config, letters: Sequence[tuple[Addressed, Mould]], *, now: datetime
) -> list[Left]:
    """Queue these mails and keep them in their conversations; what is to be noted of each offer they are about."""
    if not letters:
        return []
    known = {each.manner: mould for each, mould in letters}
    styles = {manner: _Style(config, manner, mould) for manner, mould in known.items()}
    written = [
        styles[each.manner].write(each, conversation_id, reader, stamp)
        for (each, _mould), stamp, conversation_id, reader in zip(
            letters,
            tokens.stamps(len(letters)),
            _conversations(session, letters),
            _readers(config, letters),
            strict=True,
        )
    ]
    deliveries = queue_deliveries(session, [each.posting for each in written], now=now)
    kept = [each.style.letter_out(each, number) for each, number in zip(written, deliveries, strict=True)]
    messages = record_letters(session, kept, now=now)
    return [
        left
        for each, delivery, message in zip(written, deliveries, messages, strict=True)
        for left in _left(each, delivery, message)
    ]


def _conversations(session: Session, letters: Sequence[tuple[Addressed, Mould]]) -> list[int]:
    """The conversation of each letter, a new one where there is none."""
    fresh = iter(reserve_conversations(session, sum(each.thread is None for each, _mould in letters)))
    return [each.thread.id if each.thread else next(fresh) for each, _mould in letters]


def _readers(config: Config, letters: Sequence[tuple[Addressed, Mould]]) -> list[Reader]:
    """What is each reader's own, all links signed at once."""
    offers = [offer.offer_id for each, _mould in letters for offer in each.offers]
    customers = [each.offers[0].customer_id for each, _mould in letters]
    pages = iter(links.offer_links(config, offers))
    wishes, unsubscribe = links.wishes_links(config, customers), links.unsubscribe_links(config, customers)
    return [
        Reader(
            each.greeting,
            (reply_subject(each.thread.subject) if each.thread else "") or mould.subject,
            tuple([Links(next(pages)) for _offer in each.offers]),
            each.manner.held_words,
            hers,
            way_out,
        )
        for (each, mould), hers, way_out in zip(letters, wishes, unsubscribe, strict=True)
    ]


def _left(written: _Written, delivery_id: int, message_id: int) -> list[Left]:
    style, addressed = written.style, written.addressed
    writer_id, manner = style.manner.voice.writer.id, style.manner
    return [
        Left(
            offer.offer_id, offer.wish_id, written.conversation_id, delivery_id, message_id, writer_id,
            style.covered_for_id, held, piece.similar,
        )
        for offer, held, piece in zip(addressed.offers, manner.held_until, manner.mould.pieces, strict=True)
    ]  # fmt: skip
