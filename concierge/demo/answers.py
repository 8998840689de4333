"""Makes our answers as they left the house: the real letter, with the editor's face and now and then a product."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from io import BytesIO

from PIL import Image

from concierge.accounts.models import Editor, Mailbox
from concierge.addresses import Address
from concierge.blobs import BlobStore
from concierge.catalogue.cards import ProductCard
from concierge.demo.handwriting import Quoted
from concierge.mailing.letters import Card, Letter, Quote, Signature, Words, introduce, render_letter
from concierge.mailing.mail import Mail, MailFile

CARD_MARK = "[card]"
_CARD_WIDTH, _FACE_SIDE = 480, 136


@dataclass(frozen=True, slots=True)
class Small:
    """A picture in the size a mail shows it: its blob and how many bytes it has."""

    key: str
    size: int


class Studio:
    """Gives pictures in the size mails show them, each made once."""

    def __init__(self, blobs: BlobStore) -> None:
        self.blobs = blobs
        self.shrunk = cache(self._shrink)

    def _shrink(self, key: str, width: int) -> Small:
        with Image.open(BytesIO(self.blobs.get(key))) as picture:
            small = picture.resize((width, width * picture.height // picture.width), Image.Resampling.LANCZOS)
        out = BytesIO()
        small.save(out, "JPEG", quality=84, optimize=True)
        return Small(self.blobs.put(out.getvalue()), out.tell())


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished mail, where its signature begins, and the bytes of each picture it carries by its blob."""

    mail: Mail
    fold_at: int
    sizes: dict[str, int]


def compose(
    words: str,
    *,
    editor: Editor,
    mailbox: Mailbox,
    to: Address,
    subject: str,
    language: str,
    message_id: str,
    card: ProductCard,
    quoted: Quoted,
    studio: Studio,
) -> Answer:
    """The mail in which `words` leave; a line `[card]` in them becomes the product's card."""
    face = studio.shrunk(editor.photo_key or "", _FACE_SIDE)
    shown = [(f"{editor.first_name}.jpg", face)]
    if CARD_MARK in words:
        shown.append((f"{card.sku}.jpg", studio.shrunk(card.picture_key or "", _CARD_WIDTH)))
    pictures = tuple(
        MailFile(name, "image/jpeg", small.key, f"{small.key[:24]}@{mailbox.domain}") for name, small in shown
    )
    introduction = introduce(language, name=quoted.name, sent_at=quoted.at)
    letter = render_letter(
        "reply",
        language,
        subject=subject,
        house=mailbox.brand,
        blocks=tuple(_blocks(words, card, pictures)),
        signature=Signature(editor.name, editor.title, f"cid:{pictures[0].cid}"),
        quote=Quote(introduction, quoted.text),
    )
    mail = Mail(
        sender=Address(editor.name, mailbox.address),
        to=to,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        message_id=message_id,
        pictures=pictures,
    )
    return Answer(mail, _fold_at(letter, editor), {small.key: small.size for _name, small in shown})


def _blocks(words: str, card: ProductCard, pictures: tuple[MailFile, ...]) -> Iterator[Words | Card]:
    for number, part in enumerate(re.split(rf"^{re.escape(CARD_MARK)}$", words, flags=re.MULTILINE)):
        if number:
            details = tuple(filter(None, (card.colour, card.sized, card.price)))
            yield Card(card.name, card.designer, details, card.link, f"cid:{pictures[-1].cid}")
        if text := part.strip():
            yield Words(text, _html(text))


def _html(text: str) -> str:
    blocks = (escape(block).replace("\n", "<br>") for block in text.split("\n\n"))
    return "".join(f"<p>{block}</p>" for block in blocks)


def _fold_at(letter: Letter, editor: Editor) -> int:
    """Where the signature begins: her full name on a line of its own."""
    found = re.search(rf"^{re.escape(editor.name)}$", letter.text, re.MULTILINE)
    return found.start() if found else len(letter.text)
