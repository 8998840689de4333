"""Writes down the mails that leave: conversations, deliveries and messages, one statement for each table."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import NamedTuple

from sqlalchemy.orm import Session

from concierge import tokens
from concierge.addresses import Address
from concierge.config import Config
from concierge.conversations.commands import Begun, LetterOut, record_letters, reserve_conversations
from concierge.drafts.wording import reply_subject
from concierge.mailing.commands import Posting, queue_deliveries
from concierge.mailing.mail import ancestry, unsubscribe_headers
from concierge.mailing.sheets import fill_text, folded
from concierge.wishes import links
from concierge.wishes.addressing import Addressed
from concierge.wishes.heads import Head
from concierge.wishes.moulds import Mould
from concierge.wishes.offer_mail import Links, Reader

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


class Written(NamedTuple):
    """A mail as it is queued: filled in, with its place in a conversation."""

    addressed: Addressed
    mould: Mould
    conversation_id: int
    subject: str
    text: str
    message_id: str
    posting: Posting

    @property
    def references(self) -> tuple[str, ...]:
        """What it answers, as its head says."""
        return tuple(self.posting.content["references"])


def queue_letters(
    session: Session, config: Config, letters: Sequence[tuple[Addressed, Mould]], *, now: datetime
) -> list[Left]:
    """Queue these mails and keep them in their conversations; what is to be noted of each offer they are about."""
    if not letters:
        return []
    conversations = _conversations(session, letters)
    written = [
        _write(config, *letter, conversation_id, reader)
        for letter, conversation_id, reader in zip(letters, conversations, _readers(config, letters), strict=True)
    ]
    deliveries = queue_deliveries(session, [each.posting for each in written], now=now)
    messages = record_letters(
        session, [_letter_out(each, number) for each, number in zip(written, deliveries, strict=True)], now=now
    )
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
            name=each.greeting,
            subject=reply_subject(each.thread.subject) if each.thread else mould.subject,
            offers=tuple(Links(next(pages)) for _offer in each.offers),
            held=each.held_words,
            wishes=wishes[number],
            unsubscribe=unsubscribe[number],
        )
        for number, (each, mould) in zip(count(), letters)
    ]


def _write(config: Config, addressed: Addressed, mould: Mould, conversation_id: int, reader: Reader) -> Written:
    values = reader.values()
    subject = values["subject"] or mould.subject
    values["subject"] = subject
    key = tokens.reply_key(config.secret, conversation_id)
    local, _at, domain = mould.sender.address.rpartition("@")
    message_id = f"<{key}.{secrets.token_hex(10)}@{domain}>"
    thread = addressed.thread
    head = Head(
        sender=mould.sender,
        to=addressed.to,
        reply_to=Address(mould.sender.name, f"{local}+{key}@{domain}"),
        subject=subject,
        message_id=message_id,
        references=ancestry(thread.references, thread.parent) if thread else (),
        headers=unsubscribe_headers(reader.unsubscribe),
    )
    posting = Posting(
        key=f"offer:{addressed.offers[0].offer_id}",
        purpose=PURPOSE,
        message_id=message_id,
        to_address=addressed.to.address,
        subject=subject,
        content=folded(mould.blob_key, values, **head.values()),
    )
    text = fill_text(mould.sheet, values)
    return Written(addressed, mould, conversation_id, subject, text, message_id, posting)


def _letter_out(written: Written, delivery_id: int) -> LetterOut:
    addressed, mould, references = written.addressed, written.mould, written.references
    return LetterOut(
        conversation_id=written.conversation_id,
        mailbox_id=addressed.mould.mailbox_id,
        editor_id=addressed.voice.writer.id,
        owner_id=addressed.voice.owner.id,
        sender=mould.sender,
        to=addressed.to,
        subject=written.subject,
        text=written.text,
        fold_at=written.text.rfind(f"\n{mould.sender.name}\n") + 1,
        first_line=mould.opening,
        searched=mould.searched,
        language=addressed.mould.language,
        rfc_message_id=written.message_id.strip("<>"),
        in_reply_to=references[-1:],
        references=references,
        delivery_id=delivery_id,
        verb="conversation.offered",
        begins=Begun(addressed.offers[0].customer_id) if addressed.thread is None else None,
        details={"offers": [each.offer_id for each in addressed.offers], "by": mould.sender.name},
    )


def _left(written: Written, delivery_id: int, message_id: int) -> list[Left]:
    voice, addressed = written.addressed.voice, written.addressed
    covered_for = voice.covers_for.id if voice.covers_for else None
    return [
        Left(
            offer.offer_id, offer.wish_id, written.conversation_id, delivery_id, message_id, voice.writer.id,
            covered_for, held, piece.similar,
        )
        for offer, held, piece in zip(addressed.offers, addressed.held_until, addressed.mould.pieces, strict=True)
    ]  # fmt: skip
