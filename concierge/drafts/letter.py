"""The mail an answer becomes: her words, the cards, the signature with a face, what is answered below."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import PurePath

from concierge import tokens
from concierge.accounts.models import Editor, Mailbox
from concierge.addresses import Address
from concierge.catalogue.cards import ProductCard
from concierge.drafts import body, html, plain_text, wording
from concierge.drafts.blocks import Block, Card, Paragraph, Picture, Run
from concierge.drafts.pictures import CONTENT_TYPE, Twin
from concierge.mailing import letters
from concierge.mailing.mail import Mail, MailFile, ancestry, unsubscribe_headers

# What is answered stands below the answer; of a very long mail, its beginning.
_LONGEST_QUOTE = 30_000


@dataclass(frozen=True, slots=True)
class Answered:
    """The mail that is answered; `sent_at` is in the zone of who wrote it."""

    name: str
    sent_at: datetime
    text: str
    message_id: str | None
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """Everything an answer says, and to whom. `cards` are by SKU, `files` by number; `key` leads answers home.

    `unsubscribe` is where she asks for no more of what nobody wrote to her in person; "" where somebody did.
    """

    body: str
    subject: str
    language: str
    editor: Editor
    mailbox: Mailbox
    to: Address
    cards: Mapping[str, ProductCard]
    key: str = ""
    answered: Answered | None = None
    files: Mapping[int, MailFile] = field(default_factory=dict)
    unsubscribe: str = ""


@dataclass(frozen=True, slots=True)
class Faces:
    """Where mail-sized pictures come from: each gives a picture's twin by the key of the original, None without one."""

    card: Callable[[str], Twin | None]
    face: Callable[[str], Twin | None]
    placed: Callable[[str], Twin | None]


@dataclass(frozen=True, slots=True)
class Finished:
    """A mail ready to be queued, where in its text the signature begins, and the size of each picture by its blob."""

    mail: Mail
    fold_at: int
    sizes: Mapping[str, int]


def compose(written: Written, faces: Faces) -> Finished:
    """The finished mail; its text is written, its pictures travel with it."""
    shelf = _Shelf(written.mailbox.domain)
    blocks = _blocks(written, faces, shelf)
    letter = letters.render_letter(
        "reply",
        written.language,
        subject=written.subject or written.mailbox.brand,
        house=written.mailbox.brand,
        blocks=tuple(blocks),
        signature=_signature(written.editor, faces, shelf),
        quote=_quote(written),
        unsubscribe=written.unsubscribe,
    )
    answered = written.answered
    mail = Mail(
        sender=Address(written.editor.name, written.mailbox.address),
        to=written.to,
        reply_to=_reply_to(written),
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        message_id=_message_id(written),
        in_reply_to=answered.message_id if answered else None,
        references=ancestry(answered.references, answered.message_id) if answered else (),
        pictures=tuple(shelf.files),
        attachments=tuple(file for number, file in written.files.items() if number not in shelf.placed),
        headers=unsubscribe_headers(written.unsubscribe) if written.unsubscribe else {},
    )
    return Finished(mail, _fold_at(letter.text, written), shelf.sizes)


class _Shelf:
    """The pictures a mail carries, each once, and the name its HTML knows each by."""

    def __init__(self, domain: str) -> None:
        self.files: list[MailFile] = []
        self.sizes: dict[str, int] = {}
        self.placed: set[int] = set()
        self._domain = domain

    def lay(self, twin: Twin | None, filename: str) -> str | None:
        """The `cid:` under which the picture is shown; None without a picture."""
        if twin is None:
            return None
        cid = f"{twin.key[:24]}@{self._domain}"
        if twin.key not in self.sizes:
            self.sizes[twin.key] = twin.size
            self.files.append(MailFile(filename, CONTENT_TYPE, twin.key, cid))
        return f"cid:{cid}"


def _blocks(written: Written, faces: Faces, shelf: _Shelf) -> list[letters.Words | letters.Card | letters.Picture]:
    blocks = body.read(written.body)
    signed = wording.is_signed(body.words(written.body), sign_off := _sign_off(written), written.editor.first_name)
    if not signed:
        lines = tuple((Run(line.strip()),) for line in sign_off.splitlines() if line.strip())
        blocks = (*blocks, Paragraph(lines))
    out: list[letters.Words | letters.Card | letters.Picture] = []
    for apart, group in groupby(blocks, key=lambda block: isinstance(block, Card | Picture)):
        if not apart:
            out.append(_words(tuple(group)))
            continue
        shown = (_shown(block, written, faces, shelf) for block in group)
        out += [each for each in shown if each is not None]
    return out


def _shown(block: Block, written: Written, faces: Faces, shelf: _Shelf) -> letters.Card | letters.Picture | None:
    if isinstance(block, Card):
        card = written.cards.get(block.sku)
        return _card(card, written, faces, shelf) if card else None
    file = written.files.get(block.attachment_id) if isinstance(block, Picture) else None
    twin = faces.placed(file.blob_key) if file else None
    if file is None or twin is None or not isinstance(block, Picture):
        return None  # what is no picture travels as an attachment
    shelf.placed.add(block.attachment_id)
    return letters.Picture(file.filename, shelf.lay(twin, f"{PurePath(file.filename).stem}.jpg") or "")


def _words(blocks: Sequence[Block]) -> letters.Words:
    return letters.Words(text=plain_text.write_unmarked(blocks), html=html.write(blocks))


def _card(card: ProductCard, written: Written, faces: Faces, shelf: _Shelf) -> letters.Card:
    picture = faces.card(card.picture_key) if card.picture_key else None
    return letters.Card(
        name=card.name,
        designer=card.designer,
        details=tuple(filter(None, (card.colour, card.sized, card.price))),
        link=card.link or f"https://{written.mailbox.domain}",
        picture=shelf.lay(picture, f"{card.sku}.jpg"),
    )


def _signature(editor: Editor, faces: Faces, shelf: _Shelf) -> letters.Signature:
    photo = faces.face(editor.photo_key) if editor.photo_key else None
    return letters.Signature(editor.name, editor.title, shelf.lay(photo, f"{editor.first_name}.jpg"))


def _sign_off(written: Written) -> str:
    return written.editor.sign_off(written.language)


def _quote(written: Written) -> letters.Quote | None:
    answered = written.answered
    if answered is None or not answered.text.strip():
        return None
    introduction = letters.introduce(written.language, name=answered.name, sent_at=answered.sent_at)
    return letters.Quote(introduction, answered.text[:_LONGEST_QUOTE], answered.message_id or "")


def _reply_to(written: Written) -> Address | None:
    local, _at, domain = written.mailbox.address.rpartition("@")
    return Address(written.editor.name, f"{local}+{written.key}@{domain}") if written.key else None


def _message_id(written: Written) -> str:
    [stamp] = tokens.stamps(1)
    return f"<{tokens.message_id(stamp, written.key or 'preview', written.mailbox.domain)}>"


def _fold_at(text: str, written: Written) -> int:
    """Where the signature begins: behind the last words, before what is quoted."""
    end = len(text)
    if written.answered is not None:
        introduction = letters.introduce(written.language, name=written.answered.name, sent_at=written.answered.sent_at)
        end = text.find(introduction) if introduction in text else end
    return max(text.rfind(f"\n{written.editor.name}\n", 0, end) + 1, 0) or end
