"""Sheets for the letters of a wave: made once for all readers who get the same pieces in the same voice, and kept."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from sqlalchemy.orm import Session

from concierge.accounts.models import Editor, Mailbox
from concierge.accounts.queries import get_editor, get_mailbox
from concierge.addresses import Address
from concierge.blobs import BlobStore
from concierge.catalogue.cards import ProductCard, card_of, sizes_words
from concierge.catalogue.models import Variant
from concierge.catalogue.naming import price_text
from concierge.catalogue.queries import cards, get_variant_by_sku
from concierge.drafts import body
from concierge.drafts.pictures import CONTENT_TYPE, MailPictures, Twin
from concierge.mailing.letters import Card, Signature, Words
from concierge.mailing.mail import MailFile
from concierge.mailing.sheets import Sheet, cut
from concierge.wishes.offer_mail import Form, Piece, new_subject, opening, write_blank

# Sheets kept at hand; a restock needs one for each voice, language and size system.
_MOST = 256


class PieceKey(NamedTuple):
    """One offered piece, as far as its readers share it. `system` is the one they read sizes in."""

    sku: str
    price_cents: int
    quantity: int
    holds: bool
    system: str
    similar: tuple[str, ...] = ()


class MouldKey(NamedTuple):
    """What the readers of one sheet share."""

    language: str
    mailbox_id: int
    editor_id: int
    covered_for: str
    named: bool
    pieces: tuple[PieceKey, ...]
    words: str = ""


@dataclass(frozen=True, slots=True)
class Mould:
    """A sheet kept as a blob, and what else its mails have in common; `searched` are the words they are found by."""

    blob_key: str
    sheet: Sheet
    sender: Address
    subject: str
    opening: str
    searched: str

    @property
    def domain(self) -> str:
        """Where the house's Message-IDs are from."""
        return self.sender.domain


class Moulds:
    """The moulds of this process, the latest used at hand."""

    def __init__(self, store: BlobStore, pictures: MailPictures) -> None:
        """`store` keeps the sheets; `pictures` makes mail-sized pictures."""
        self._store, self.pictures = store, pictures
        self._made: OrderedDict[MouldKey, Mould] = OrderedDict()

    def find(self, key: MouldKey) -> Mould | None:
        """The mould, if it is at hand."""
        mould = self._made.get(key)
        if mould is not None:
            self._made.move_to_end(key)
        return mould

    def make(self, session: Session, key: MouldKey) -> Mould:
        """The mould, made if need be: pictures are shrunk and the sheet is written to disk, so hold no lock meanwhile.

        Raises VariantNotFound, EditorNotFound, MailboxNotFound.
        """
        if (found := self.find(key)) is not None:
            return found
        mailbox, editor = get_mailbox(session, key.mailbox_id), get_editor(session, key.editor_id)
        shelf = Shelf(mailbox.domain)
        form = self._form(session, key, mailbox, editor, shelf)
        sheet = cut(write_blank(form), tuple(shelf.files.values()))
        mould = Mould(
            blob_key=self.keep(sheet),
            sheet=sheet,
            sender=Address(editor.name, mailbox.address),
            subject=new_subject(form),
            opening=opening(form),
            searched=_searched(form),
        )
        self._made[key] = mould
        while len(self._made) > _MOST:
            self._made.popitem(last=False)
        return mould

    def keep(self, sheet: Sheet) -> str:
        """Keep a sheet as a blob; its key."""
        return self._store.put(sheet.to_bytes())

    def form_of(self, session: Session, key: MouldKey) -> Form:
        """What the readers of a mould's sheet share, as a letter at length needs it."""
        mailbox, editor = get_mailbox(session, key.mailbox_id), get_editor(session, key.editor_id)
        return self._form(session, key, mailbox, editor, Shelf(mailbox.domain))

    def shown(self, session: Session, key: MouldKey) -> tuple[Form, tuple[MailFile, ...]]:
        """The same, with the pictures the letter carries; no sheet is kept."""
        mailbox, editor = get_mailbox(session, key.mailbox_id), get_editor(session, key.editor_id)
        shelf = Shelf(mailbox.domain)
        return self._form(session, key, mailbox, editor, shelf), tuple(shelf.files.values())

    def _form(self, session: Session, key: MouldKey, mailbox: Mailbox, editor: Editor, shelf: "Shelf") -> Form:
        sign_off = editor.sign_off(key.language)
        face = self.pictures.face(editor.photo_key) if editor.photo_key else None
        return Form(
            language=key.language,
            house=mailbox.brand,
            signature=Signature(editor.name, editor.title, shelf.lay(face, f"{editor.first_name}.jpg")),
            sign_off=words_from(sign_off) or Words(editor.first_name, editor.first_name),
            pieces=tuple(self._piece(session, each, key.language, mailbox, shelf) for each in key.pieces),
            named=key.named,
            covered_for=key.covered_for,
            own_words=words_from(key.words),
        )

    def _piece(self, session: Session, key: PieceKey, language: str, mailbox: Mailbox, shelf: "Shelf") -> Piece:
        variant = get_variant_by_sku(session, key.sku)
        card = card_of(variant, language, key.system)
        count = f"{key.quantity} × " if key.quantity > 1 else ""
        price = price_text(key.price_cents, variant.product.currency, language)
        others = cards(session, key.similar, language, key.system)
        return Piece(
            title=count + ", ".join(filter(None, (card.name, card.sized))),
            card=self._card(card, (card.colour, card.sized, count + price), mailbox, shelf),
            holds=key.holds,
            similar=tuple(
                self._card(others[sku], (others[sku].colour, others[sku].sized, others[sku].price), mailbox, shelf)
                for sku in key.similar
                if sku in others
            ),
        )

    def _card(self, card: ProductCard, details: tuple[str, ...], mailbox: Mailbox, shelf: "Shelf") -> Card:
        picture = self.pictures.card(card.picture_key) if card.picture_key else None
        return Card(
            name=card.name,
            designer=card.designer,
            details=tuple(filter(None, details)),
            link=card.link or f"https://{mailbox.domain}",
            picture=shelf.lay(picture, f"{card.sku}.jpg"),
        )


class Shelf:
    """The pictures a letter carries, each once, and the name its HTML knows each by."""

    def __init__(self, domain: str) -> None:
        """`domain` makes the pictures' names the house's own."""
        self.files: dict[str, MailFile] = {}
        self._domain = domain

    def lay(self, twin: Twin | None, filename: str) -> str | None:
        """The `cid:` under which a picture is shown; None without one."""
        if twin is None:
            return None
        cid = f"{twin.key[:24]}@{self._domain}"
        self.files.setdefault(twin.key, MailFile(filename, CONTENT_TYPE, twin.key, cid))
        return f"cid:{cid}"


def card_for(variants: Sequence[Variant], language: str, system: str, pictures: MailPictures, shelf: Shelf) -> Card:
    """Any of these variants as a letter shows them that offers nothing; `system` is what she reads sizes in."""
    card = card_of(variants[0], language, system)
    picture = pictures.card(card.picture_key) if card.picture_key else None
    sizes = (card.colour, card.sized) if len(variants) == 1 else (sizes_words(variants, language, system),)
    details = tuple(filter(None, (*sizes, card.price)))
    return Card(card.name, card.designer, details, card.link, shelf.lay(picture, f"{card.sku}.jpg"))


def words_from(text: str) -> Words | None:
    """What an editor wrote as plain lines; None for nothing."""
    if not text.strip():
        return None
    return Words(text.strip(), body.from_text(text.strip()))


def _searched(form: Form) -> str:
    cards = [(piece.title, piece.card.designer, *piece.card.details) for piece in form.pieces]
    own = form.own_words.text if form.own_words else ""
    return " ".join([*(word for card in cards for word in card), own])


@cache
def moulds_of(blobs_url: str) -> Moulds:
    """The moulds of this process."""
    store = BlobStore(blobs_url)
    return Moulds(store, MailPictures(store))
