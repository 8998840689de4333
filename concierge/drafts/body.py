"""A draft's body: canonical HTML where it is kept, plain text or the rich editor's HTML where it is written."""

import hashlib

from concierge.drafts import blocks as _blocks
from concierge.drafts import html as _html
from concierge.drafts import plain_text as _plain
from concierge.drafts.blocks import Block, Card, Paragraph, Picture
from concierge.errors import BadInput

# Ten times the longest letter anybody reads; what is longer was pasted by accident.
MAX_CHARACTERS = 100_000
# Cleaning deeply nested tags costs their square.
_MAX_TAGS = 10_000


class BodyTooLong(BadInput):
    """This text is longer than a mail can be; please attach it as a file instead."""


def from_text(text: str) -> str:
    """Canonical HTML of the plain-text twin; raises BodyTooLong."""
    return _html.write(_plain.read(_capped(text)))


def to_text(body: str) -> str:
    """The plain-text twin of a canonical body: `from_text(to_text(body)) == body`."""
    return _plain.write(_html.read(body))


def fingerprint(body: str) -> str:
    """Sixteen characters that tell one canonical body from another."""
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def clean(html: str) -> str:
    """Canonical HTML of Trix's output or of anything pasted; a canonical body stays as it is. Raises BodyTooLong."""
    if html.count("<") > _MAX_TAGS:
        raise BodyTooLong
    return _html.write(_html.read(_capped(html)))


def read(body: str) -> tuple[Block, ...]:
    """The blocks of a canonical body, in order: what the mail is made from."""
    return _html.read(body)


def cards(body: str) -> tuple[str, ...]:
    """The SKUs of the product cards, in order; one shown twice is named twice."""
    return tuple(block.sku for block in _html.read(body) if isinstance(block, Card))


def pictures(body: str) -> tuple[int, ...]:
    """The attachments shown as pictures within the text, in order."""
    return tuple(block.attachment_id for block in _html.read(body) if isinstance(block, Picture))


def words(body: str) -> str:
    """What was written, without marks, quotes, cards and pictures."""
    return _blocks.words(_html.read(body))


def first_line(body: str) -> str:
    """The first line of text, empty when there is none."""
    return next((_blocks.plain(block.lines[0]) for block in _html.read(body) if isinstance(block, Paragraph)), "")


def add_text(body: str, text: str) -> str:
    """`body` with finished text (the plain-text twin) above what was typed so far, which stays."""
    return _html.write((*_plain.read(_capped(text)), *_html.read(body)))


def add_card(body: str, sku: str) -> str:
    """`body` with a product card at its end."""
    return _html.write((*_html.read(body), Card(sku)))


def add_picture(body: str, attachment_id: int) -> str:
    """`body` with one of the draft's pictures at its end."""
    return _html.write((*_html.read(body), Picture(attachment_id)))


def without_picture(body: str, attachment_id: int) -> str:
    """`body` without that picture."""
    return _html.write(block for block in _html.read(body) if block != Picture(attachment_id))


def _capped(text: str) -> str:
    if len(text) > MAX_CHARACTERS:
        raise BodyTooLong
    return text
