"""How a mail's HTML is to stand in its conversation: as words, or in a frame, how high, and with what to ask for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from itertools import islice

from concierge.conversations.display import Shown, clean

# Every pattern ends at its mark or at the next tag, so each is linear in the length of the mail (T08).
_FOLDED = re.compile(r"<details data-fold\b", re.IGNORECASE)
_IMG = re.compile(r"<img\b[^<>]*", re.IGNORECASE)
_CELL = re.compile(r"<t[dh]\b", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""\b(src|width|height|class)\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>]+))""", re.IGNORECASE)
_STYLE = re.compile(r"<style\b[^<>]*>([^<]*)</style>", re.IGNORECASE)
# The quote of our own letters (emails/reply/body.mjml); what it quotes is escaped, so it holds no other block quote.
_OUR_QUOTE = re.compile(r'<div class="gmail_quote quoted"[^<>]*>.*?</blockquote>\s*</div>', re.DOTALL)

# The frame's measures in CSS pixels: as wide as a card beside the customer's panel, its lines, and what is around.
_WIDTH = 460
_LINE, _LETTERS_A_LINE = 26, 54
_MARGIN, _LETTERHEAD = 56, 330
_UNKNOWN_PICTURE = 280
_MOST_PICTURES = 400
LOWEST, HIGHEST = 120, 1_800


@dataclass(frozen=True, slots=True)
class Look:
    """`is_rich`: what was written, before the quoted mails, shows more than words, so it stands in a frame.

    `fetches`: a picture in it would have to be fetched from elsewhere. `height` is the frame's in CSS pixels, a guess.
    """

    is_rich: bool
    fetches: bool
    height: int


@dataclass(frozen=True, slots=True)
class _Picture:
    source: str
    width: int | None
    height: int | None

    @property
    def is_seen(self) -> bool:
        """Pixels that only count who looks are no picture."""
        return bool(self.source) and 1 not in (self.width, self.height) and 0 not in (self.width, self.height)


def look_at(html: str, words: str, *, is_ours: bool) -> Look:
    """How this HTML looks; `words` is what its writer wrote as text. Our own letters are laid out with tables alone."""
    own = _FOLDED.split(html, maxsplit=1)[0]
    pictures = [each for each in _pictures(own) if each.is_seen]
    # Our own letters stand in tables all of them; one without a picture says the same in words.
    is_rich = bool(pictures) or (not is_ours and len(_CELL.findall(own, 0, 200_000)) > 1)
    fetches = any(each.is_seen and each.source.lower().startswith("http") for each in _pictures(html))
    return Look(is_rich, fetches, frame_height(words, [_height(each) for each in pictures], is_ours=is_ours))


def frame_height(words: str, pictures: list[int], *, is_ours: bool) -> int:
    """A guess at how high a frame must be for these words and pictures, so that few mails need to be scrolled."""
    lines = sum(1 + len(line) // _LETTERS_A_LINE for line in words.splitlines())
    height = _MARGIN + lines * _LINE + sum(pictures) + (_LETTERHEAD if is_ours else 0)
    return max(LOWEST, min(HIGHEST, height))


def lay_out_letter(html: str, *, pictures: dict[str, str], fold_label: str) -> tuple[Shown, str]:
    """A letter of our own as it may be shown, what it answers folded; and its style sheet, which sets its columns."""
    sheet = " ".join(_STYLE.findall(html))
    folded = _OUR_QUOTE.sub(lambda quote: f"<details data-fold>{quote[0]}</details>", html)
    return clean(folded, pictures=pictures, fold_label=fold_label, keep_classes=True), sheet


def _pictures(html: str) -> Iterator[_Picture]:
    for tag in islice(_IMG.finditer(html), _MOST_PICTURES):
        found = {name.lower(): unescape(a or b or c).strip() for name, a, b, c in _ATTRIBUTE.findall(tag[0])}
        if "face" not in found.get("class", "").split():
            yield _Picture(found.get("src", ""), _number(found.get("width")), _number(found.get("height")))


def _number(text: str | None) -> int | None:
    digits = re.match(r"\d{1,5}", text or "")
    return int(digits[0]) if digits else None


def _height(picture: _Picture) -> int:
    if picture.height is None:
        return min(_UNKNOWN_PICTURE, 4 * picture.width // 3) if picture.width else _UNKNOWN_PICTURE
    shrunk = _WIDTH / picture.width if picture.width and picture.width > _WIDTH else 1
    return int(picture.height * shrunk)
