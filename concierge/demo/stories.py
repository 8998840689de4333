"""Reads the conversations of the demo house from their text files, and tells one of them to one customer."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random

_CHOICE = re.compile(r"\[\[([^\[\]]*)\]\]")
_PLACE = re.compile(r"\{(\w+)\}")
_MARK = re.compile(r"([><!])(?: (\w+))?")


class Turn(StrEnum):
    """Whose turn it is in a conversation."""

    HERS = "hers"
    OURS = "ours"
    MACHINE = "machine"
    BOUNCE = "bounce"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Entry:
    """A mail or a note; `by` is the editor's key where the story names one."""

    turn: Turn
    text: str
    by: str = ""
    has_photo: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """A conversation as it is written down, before it is told to somebody.

    `who` are the customers' keys it may happen to (empty: anybody), `products` are codes, a category, or "any".
    `end` is how it stands now: waiting, answered, snoozed, closed, not-for-us, or empty for whatever fits.
    """

    language: str
    subject: str
    entries: tuple[Entry, ...]
    who: tuple[str, ...] = ()
    products: tuple[str, ...] = ("any",)
    tags: tuple[str, ...] = ()
    once: bool = False
    end: str = ""
    editor: str = ""
    photo: str = ""

    @property
    def words(self) -> str:
        """Everything that is said in it."""
        return "\n".join((self.subject, *(entry.text for entry in self.entries)))


def read_stories(text: str, language: str) -> list[Story]:
    """Every story of a text file, in its order; ValueError names the subject of one that is written wrongly."""
    blocks = re.split(r"^===", text, flags=re.MULTILINE)[1:]
    return [_read_story(block, language) for block in blocks]


def choose(text: str, chance: Random) -> str:
    """The text with one of each `[[one|other]]` taken, inner choices first."""
    while found := _CHOICE.search(text):
        text = text[: found.start()] + chance.choice(found[1].split("|")) + text[found.end() :]
    return text


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with every `{place}` filled, and without what an empty one leaves behind."""
    filled = _PLACE.sub(lambda found: values[found[1]], text)
    lines = [re.sub(r"^[ ,]+$", "", line) for line in filled.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _read_story(block: str, language: str) -> Story:
    head, subject, *lines = block.strip().split("\n")
    facts = dict(_facts(head))
    entries = tuple(_entries(lines))
    if not entries or entries[0].turn is not Turn.HERS:
        raise ValueError(f"“{subject}” does not begin with a mail of hers")
    return Story(
        language=language,
        subject=subject,
        entries=entries,
        who=tuple(facts.get("who", "").split()),
        products=tuple(facts.get("product", "any").split()),
        tags=tuple(tag.strip() for tag in facts.get("tags", "").split(",") if tag.strip()),
        once="once" in facts,
        end=facts.get("end", ""),
        editor=facts.get("editor", ""),
        photo=facts.get("photo", ""),
    )


def _facts(head: str) -> Iterator[tuple[str, str]]:
    for fact in head.split("|"):
        name, _colon, value = fact.partition(":")
        yield name.strip(), value.strip()


def _entries(lines: list[str]) -> Iterator[Entry]:
    marks = [number for number, line in enumerate(lines) if _MARK.fullmatch(line)]
    for start, end in zip(marks, [*marks[1:], len(lines)], strict=True):
        mark, word = _MARK.fullmatch(lines[start]).groups()  # type: ignore[union-attr]
        text = "\n".join(lines[start + 1 : end]).strip()
        if mark == ">":
            turn = {"auto": Turn.MACHINE, "bounce": Turn.BOUNCE}.get(word or "", Turn.HERS)
            yield Entry(turn, text, has_photo=word == "photo")
        else:
            yield Entry(Turn.OURS if mark == "<" else Turn.NOTE, text, by=word or "")
