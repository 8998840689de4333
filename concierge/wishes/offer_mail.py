"""What an offer's letter says: to whom, in whose name, which pieces, held until when. Values in, a letter out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from concierge.config import locale_of
from concierge.mailing.letters import Card, Letter, Signature, Words, phrases, render_letter
from concierge.mailing.sheets import blank

_WHEN = {"en": "EEEE d MMMM 'at' HH:mm", "it": "EEEE d MMMM 'alle' HH:mm"}


@dataclass(frozen=True, slots=True)
class Piece:
    """One offered piece as every reader of a sheet sees it; `title` is "Calanque sandals, EU 36"."""

    title: str
    card: Card
    holds: bool
    similar: tuple[Card, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """What the readers of one sheet have in common. `covered_for` is the first name of an owner who is away."""

    language: str
    house: str
    signature: Signature
    sign_off: Words
    pieces: tuple[Piece, ...]
    named: bool = True
    covered_for: str = ""
    own_words: Words | None = None


class Links(NamedTuple):
    """Where one offer's buttons lead."""

    offer: str

    @property
    def take(self) -> str:
        """The page of the offer, with yes in front."""
        return f"{self.offer}?want=take"

    @property
    def pass_on(self) -> str:
        """The same page, with no in front."""
        return f"{self.offer}?want=pass"

    @property
    def later(self) -> str:
        """The same page, with "not now" in front."""
        return f"{self.offer}?want=not-now"


class Reader(NamedTuple):
    """What is hers alone: her name, her links, and until when each piece is held, in the order of the pieces."""

    name: str
    subject: str
    offers: tuple[Links, ...]
    held: tuple[str, ...]
    wishes: str
    unsubscribe: str

    def values(self) -> dict[str, str]:
        """What fills the blanks of a sheet, in the order of `blanks`."""
        own = [self.name, self.subject, self.wishes, self.unsubscribe]
        for links, held in zip(self.offers, self.held, strict=True):
            own += (held, links.offer)
        return dict(zip(blanks(len(self.offers)), own, strict=True))


@cache
def blanks(pieces: int) -> tuple[str, ...]:
    """The names of what is each reader's own, in a letter about so many pieces."""
    each = [name for number in range(pieces) for name in (f"held{number}", f"offer{number}")]
    return ("name", "subject", "wishes", "unsubscribe", *each)


def write(form: Form, reader: Reader) -> Letter:
    """The letter, written at length for one reader."""
    values = _values(form, len(reader.offers))
    items = [
        {**item, "held": held, "take": links.take, "pass_on": links.pass_on, "later": links.later}
        for item, links, held in zip(values.pop("items"), reader.offers, reader.held, strict=True)
    ]
    return render_letter(
        "offer",
        form.language,
        **values,
        items=items,
        name=reader.name if form.named else "",
        subject=reader.subject,
        wishes=reader.wishes,
        unsubscribe=reader.unsubscribe,
    )


def write_blank(form: Form) -> Letter:
    """The letter with blanks for what is each reader's own."""
    count = len(form.pieces)
    return write(
        form,
        Reader(
            name=blank("name"),
            subject=blank("subject"),
            offers=tuple(Links(blank(f"offer{number}")) for number in range(count)),
            held=tuple(blank(f"held{number}") for number in range(count)),
            wishes=blank("wishes"),
            unsubscribe=blank("unsubscribe"),
        ),
    )


def opening(form: Form) -> str:
    """The sentence a letter begins with, and the list of conversations shows."""
    _ = phrases(form.language)
    if len(form.pieces) > 1:
        if all(piece.holds for piece in form.pieces):
            return _("what you asked for is back, and I have put it aside for you: each piece until the hour below it.")
        return _("what you asked for is back; below each piece you see until when it can be yours.")
    piece = form.pieces[0]
    if piece.holds:
        return _("what you asked for is back: %(piece)s. I have put it aside for you.", piece=piece.title)
    return _(
        "what you asked for is back: %(piece)s. There are few, and those who asked first hear of it together: it is "
        "yours as soon as you take it.",
        piece=piece.title,
    )


def new_subject(form: Form) -> str:
    """The subject of a letter that begins a conversation."""
    _ = phrases(form.language)
    if len(form.pieces) > 1:
        return _("What you asked for is back")
    if not form.pieces[0].holds:
        return _("%(piece)s is back", piece=form.pieces[0].title)
    return _("%(piece)s, put aside for you", piece=form.pieces[0].title)


def until_words(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """An instant as she reads it on her own clock: "Friday 15 May at 14:00"."""
    pattern = _WHEN.get(language, "EEEE d MMMM, HH:mm")
    text: str = format_datetime(moment.astimezone(zone), pattern, tzinfo=zone, locale=locale_of(language))
    return text


def _values(form: Form, count: int) -> dict[str, Any]:
    assert count == len(form.pieces)
    items: Sequence[Mapping[str, Any]] = [
        {"card": piece.card, "holds": piece.holds, "similar": piece.similar} for piece in form.pieces
    ]
    words = opening(form)
    return {
        "house": form.house,
        "opening": words,
        "preview": words,
        "covered_for": form.covered_for,
        "own_words": form.own_words,
        "items": items,
        "sign_off": form.sign_off,
        "signature": form.signature,
    }
