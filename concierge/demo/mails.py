"""Turns one told story into rows: its mails as they were written and sent, its notes, its deliveries."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

from concierge.accounts.models import Editor, Mailbox
from concierge.addresses import Address, normalise
from concierge.catalogue.cards import card_of
from concierge.catalogue.models import Variant
from concierge.conversations.models import (
    Attachment,
    Conversation,
    Direction,
    Mention,
    Message,
    MessageKind,
    Note,
)
from concierge.customers.models import Customer
from concierge.demo.answers import Studio, compose
from concierge.demo.casting import Telling
from concierge.demo.goods import picture
from concierge.demo.handwriting import Quoted, write
from concierge.demo.stories import Entry, Turn
from concierge.mailing.mail import Mail
from concierge.mailing.models import Delivery, DeliveryState

_AUTOMATIC = {"en": "Automatic reply: ", "it": "Risposta automatica: "}
_RETURNED = "Undelivered Mail Returned to Sender"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part in one conversation, and the chance by which its details fall."""

    conversation: Conversation
    customer: Customer
    mailbox: Mailbox
    editor: Editor
    editors: dict[str, Editor]
    variant: Variant
    studio: Studio
    chance: Random


@dataclass(frozen=True, slots=True)
class Rows:
    """What one conversation is made of, besides itself."""

    messages: list[Message]
    notes: list[Note]


def make_rows(telling: Telling, cast: Cast, moments: list[datetime]) -> Rows:
    """The messages and notes of a conversation, in their order, each at its moment."""
    messages: list[Message] = []
    notes: list[Note] = []
    for entry, moment in zip(telling.entries, moments, strict=True):
        if entry.turn is Turn.NOTE:
            notes.append(_note(entry, cast, moment))
        elif entry.turn is Turn.BOUNCE:
            messages.append(_bounce(entry, telling, cast, moment, messages[-1]))
        elif entry.turn is Turn.OURS:
            messages.append(_answer(entry, telling, cast, moment, messages))
        else:
            messages.append(_letter(entry, telling, cast, moment, messages))
    for before, message in pairwise(messages):
        message.references = [*(before.references or ()), before.rfc_message_id or ""]
        message.in_reply_to = [before.rfc_message_id or ""]
        if message.delivery is not None:
            message.delivery.content |= {"references": message.references, "in_reply_to": before.rfc_message_id}
    return Rows(messages, notes)


def _letter(entry: Entry, telling: Telling, cast: Cast, moment: datetime, before: list[Message]) -> Message:
    """A mail of hers, or one that her machine wrote."""
    automatic = entry.turn is Turn.MACHINE
    sender = _sender(telling)
    written = write(
        entry.text,
        style="plain" if automatic else telling.customer["style"],
        language=telling.language,
        quoted=None if automatic or not before else _quoted(before[-1], telling.customer["zone"]),
        to=cast.mailbox.address,
    )
    prefix = _AUTOMATIC[telling.language] if automatic else "Re: " if before else ""
    return Message(
        conversation=cast.conversation,
        mailbox_id=cast.mailbox.id,
        direction=Direction.IN,
        kind=MessageKind.AUTOMATIC if automatic else MessageKind.HUMAN,
        kind_reason="auto-submitted" if automatic else "",
        from_name=sender.name,
        from_address=sender.address,
        to=[{"name": cast.mailbox.brand, "address": cast.mailbox.address}],
        subject=prefix + telling.subject,
        text=written.text,
        fold_at=written.fold_at,
        html=written.html,
        language=telling.language,
        rfc_message_id=_message_id(sender.address, cast.chance),
        written_at=moment - timedelta(seconds=cast.chance.randrange(2, 40)),
        created_at=moment,
        attachments=[_photo(telling, cast)] if entry.has_photo else [],
    )


def _bounce(entry: Entry, telling: Telling, cast: Cast, moment: datetime, returned: Message) -> Message:
    """What her mail system says of a mail of ours that it could not deliver (RFC 3464)."""
    domain = _sender(telling).domain
    return Message(
        conversation=cast.conversation,
        mailbox_id=cast.mailbox.id,
        direction=Direction.IN,
        kind=MessageKind.BOUNCE,
        kind_reason="bounce-report",
        from_name="Mail Delivery System",
        from_address=f"mailer-daemon@{domain}",
        to=[{"name": "", "address": returned.from_address}],
        subject=_RETURNED,
        text=entry.text,
        language="en",
        rfc_message_id=_message_id(f"mailer-daemon@{domain}", cast.chance),
        written_at=moment - timedelta(seconds=1),
        created_at=moment,
    )


def _answer(entry: Entry, telling: Telling, cast: Cast, moment: datetime, before: list[Message]) -> Message:
    """An answer of ours, with the delivery that carried it."""
    editor = cast.editors.get(entry.by, cast.editor)
    answer = compose(
        f"{entry.text}\n\n{editor.sign_off(telling.language)}",
        editor=editor,
        mailbox=cast.mailbox,
        to=_sender(telling),
        subject=f"Re: {telling.subject}",
        language=telling.language,
        message_id=_message_id(cast.mailbox.address, cast.chance),
        card=card_of(cast.variant, telling.language),
        quoted=_quoted(before[-1], "Europe/Rome"),
        studio=cast.studio,
    )
    mail = answer.mail
    return Message(
        conversation=cast.conversation,
        mailbox_id=cast.mailbox.id,
        direction=Direction.OUT,
        kind=MessageKind.HUMAN,
        editor=editor,
        from_name=mail.sender.name,
        from_address=mail.sender.address,
        to=[{"name": mail.to.name, "address": mail.to.address}],
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        fold_at=answer.fold_at,
        language=telling.language,
        rfc_message_id=mail.message_id,
        written_at=moment,
        created_at=moment,
        delivery=_delivery(mail, moment),
        attachments=[
            Attachment(
                filename=file.filename,
                content_type=file.content_type,
                size=answer.sizes[file.blob_key],
                blob_key=file.blob_key,
                cid=file.cid,
                inline=True,
            )
            for file in mail.pictures
        ],
    )


def _delivery(mail: Mail, moment: datetime) -> Delivery:
    arrived = moment + timedelta(seconds=2)
    return Delivery(
        key=f"demo:{mail.message_id}",
        purpose="reply",
        state=DeliveryState.SENT,
        message_id=mail.message_id,
        to_address=mail.to.address,
        to_normalised=normalise(mail.to.address),
        subject=mail.subject,
        content=mail.to_json(),
        due_at=moment,
        attempts=1,
        provider="folder",
        created_at=moment,
        sent_at=arrived,
        settled_at=arrived,
    )


def _note(entry: Entry, cast: Cast, moment: datetime) -> Note:
    author = cast.editors.get(entry.by, cast.editor)
    named = [editor for key, editor in cast.editors.items() if f"@{key}" in entry.text and editor is not author]
    seen_at = moment + timedelta(minutes=cast.chance.randrange(4, 300))
    return Note(
        conversation=cast.conversation,
        editor=author,
        text=entry.text,
        created_at=moment,
        mentions=[Mention(editor_id=editor.id, seen_at=seen_at) for editor in named],
    )


def _photo(telling: Telling, cast: Cast) -> Attachment:
    data = picture(telling.photo)
    return Attachment(
        filename=f"IMG_{cast.chance.randrange(1000, 9999)}.jpg",
        content_type="image/jpeg",
        size=len(data),
        blob_key=cast.studio.blobs.put(data),
    )


def _quoted(message: Message, zone: str) -> Quoted:
    at = message.created_at.astimezone(ZoneInfo(zone or "Europe/Rome"))
    visible = message.text[: message.fold_at].rstrip()
    return Quoted(message.from_name, message.from_address, message.subject, at, visible)


def _sender(telling: Telling) -> Address:
    sheet = telling.customer
    return Address(sheet["name"], (sheet.get("more") or [sheet["address"]])[0])


def _message_id(address: str, chance: Random) -> str:
    return f"{chance.getrandbits(80):020x}@{address.partition('@')[2]}"
