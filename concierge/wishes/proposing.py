"""What she most likely wishes for: pieces and sizes, from the mails, drafts and cards of a conversation."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from concierge.catalogue.sizes import convert, kind_of
from concierge.wishes.kinds import FAMILIES, FOOTWEAR, KINDS, folded
from concierge.wishes.mentions import Mentions, SizeSaid, read

MOST: Final = 6
# Below this, a piece has too little in common with what she wrote: a colour alone, or a kind alone.
_ENOUGH: Final = 8.0
# Words in names that tell one piece from no other.
_PLAIN: Final = frozenset(
    "atelier maison casa studio ankle silk satin with and con the collection signature mini midi maxi".split()
)
_SHORTEST_NAME: Final = 3
# The catalogue looks through all names for these at once.
_MOST_NAMES: Final = 5


@dataclass(frozen=True, slots=True)
class Item:
    """One variant of a piece."""

    sku: str
    colour: str = ""
    size: str = ""
    system: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A product of the catalogue that may be meant."""

    code: str
    names: tuple[str, ...]
    designer: str
    category: str
    link: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One text of the conversation, or the SKUs of the cards in it."""

    said: Mentions
    skus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """What there is to go by. `written`: newest first, each mail without what it quotes; `quoted`: the same, quoted.

    `usual`: her sizes by kind ("shoes", "clothes") as (system, size). `system` is the one her country reads.
    `people` are names, which name no piece.
    """

    written: tuple[Source, ...]
    quoted: tuple[Source, ...] = ()
    usual: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    system: str = ""
    people: frozenset[str] = frozenset()

    @property
    def sources(self) -> tuple[Source, ...]:
        """What counts: what is quoted only where nobody wrote anything of a piece."""
        return self.written if any(_says_something(each) for each in self.written) else self.quoted


@dataclass(frozen=True, slots=True)
class Proposal:
    """A piece and those of its variants to tick; `is_usual` when the size is hers, but not in her words."""

    code: str
    skus: tuple[str, ...]
    points: float
    is_usual: bool = False


def source(text: str, skus: Sequence[str] = ()) -> Source:
    """A text, read."""
    return Source(read(text), tuple(skus))


@dataclass(frozen=True, slots=True)
class Sought:
    """What to look for in the catalogue so that every piece that may be meant is found; few words, all folded."""

    codes: frozenset[str]
    names: frozenset[str]
    kinds: frozenset[str]
    colours: frozenset[str]


def sought(heard: Heard, *, most: int = 40) -> Sought:
    """What the catalogue is asked for, before `propose` decides."""
    codes: dict[str, None] = {}
    names: dict[str, None] = {}
    kinds: set[str] = set()
    colours: set[str] = set()
    for each in heard.sources:
        codes |= dict.fromkeys(each.skus) | dict.fromkeys(sorted(_codes(each.said)))
        names |= dict.fromkeys(stem(name) for name in each.said.names if name not in heard.people | _PLAIN)
        kinds |= _widened(each.said.kinds)
        colours |= set(each.said.colours).union(*(FAMILIES.get(one, set()) for one in each.said.colours))
    return Sought(
        frozenset(list(codes)[:most]), frozenset(list(names)[:_MOST_NAMES]), frozenset(kinds), frozenset(colours)
    )


def propose(heard: Heard, pieces: Sequence[Piece]) -> tuple[Proposal, ...]:
    """The pieces she may mean, the likeliest first, each with the variants to tick.

    The newest words count first; older ones are asked only where the newer leave open which piece is meant.
    """
    for upto in range(1, len(heard.sources) + 1):
        evidence = _Evidence.gather(heard.sources[:upto], heard.people)
        points = [(evidence.points(piece), piece) for piece in pieces]
        ranked = sorted((each for each in points if each[0] >= _ENOUGH), key=lambda each: -each[0])
        if ranked:
            return tuple(_proposal(heard, upto, piece, score) for score, piece in ranked[:MOST])
    return ()


def _says_something(each: Source) -> bool:
    return bool(each.skus) or each.said.says_something


def _codes(said: Mentions) -> Iterator[str]:
    yield from said.codes
    yield from (slug.upper() for slug in said.slugs)


def _names(said: Mentions, people: Collection[str]) -> frozenset[str]:
    """Words that may be a piece's own name."""
    common = {word for word in said.words if word in KINDS or word in _PLAIN or word in people}
    return frozenset(word for word in said.words - common if word in said.named or len(word) > _SHORTEST_NAME)


def _widened(kinds: Collection[str]) -> frozenset[str]:
    return frozenset(kinds) | (FOOTWEAR if "shoes" in kinds else frozenset())


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What some texts say together: of each sort of thing only what the newest text says that says any."""

    codes: frozenset[str]
    skus: frozenset[str]
    words: frozenset[str]
    named: frozenset[str]
    kinds: frozenset[str]
    colours: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    text: str

    @classmethod
    def gather(cls, sources: Sequence[Source], people: Collection[str]) -> "_Evidence":
        said = [each.said for each in sources]
        newest = next((each for each in said if each.kinds), said[0])
        coloured = next((each for each in said if each.colours), said[0])
        explicit = next((each for each in sources if each.skus or each.said.codes or each.said.slugs), sources[0])
        words = frozenset[str]().union(*(_names(each, people) for each in said))
        return cls(
            codes=frozenset(_codes(explicit.said)),
            skus=frozenset(explicit.skus),
            words=words,
            named=words & frozenset[str]().union(*(each.named for each in said)),
            kinds=newest.kinds,
            colours=coloured.colours,
            pairs=coloured.pairs,
            text=coloured.text,
        )

    def points(self, piece: Piece) -> float:
        """How much speaks for a piece; what contradicts it takes away."""
        points = self._named(piece) + self._coloured(piece) + self._explicit(piece)
        footwear = FOOTWEAR if "shoes" in self.kinds else frozenset()
        if piece.category in self.kinds:
            points += 4
        elif piece.category in footwear:
            points += 3
        elif self.kinds:
            points -= 3
        return points

    def _explicit(self, piece: Piece) -> float:
        """A code, an SKU, a link or a card names it beyond doubt."""
        codes = {piece.code.upper(), *(item.sku.upper() for item in piece.items)}
        slug = piece.link.rstrip("/").rpartition("/")[2].upper()
        is_linked = bool(slug) and slug in self.codes
        is_meant = bool(codes & self.codes) or is_linked or any(item.sku in self.skus for item in piece.items)
        return 40.0 if is_meant else 0.0

    def _named(self, piece: Piece) -> float:
        """By its own name, better with an article before it; by its designer less, who made others too."""
        names = {stem(word) for name in piece.names for word in _own(name)}
        said, plain = {stem(word) for word in self.named}, {stem(word) for word in self.words}
        points = 10.0 if names & said else (6.0 if names & plain else 0.0)
        return points + (4.0 if {stem(word) for word in _own(piece.designer)} & plain else 0.0)

    def _coloured(self, piece: Piece) -> float:
        """In a colour she names, best where it stands beside the kind of piece this is."""
        best = 0.0
        for item in piece.items:
            colour = folded(item.colour)
            if not colour:
                continue
            is_said = colour in self.colours or (" " in colour and colour in self.text)
            near = {
                one
                for kind, one in self.pairs
                if kind in {piece.category, "shoes" if piece.category in FOOTWEAR else ""}
            }
            family = {each for one in self.colours for each in FAMILIES.get(one, ())}
            beside = near | {each for one in near for each in FAMILIES.get(one, ())}
            points = (4.0 if is_said else 2.0 if colour in family else 0.0) + (4.0 if colour in beside else 0.0)
            best = max(best, points)
        return best


def _own(name: str) -> list[str]:
    """The words of a name that are its own."""
    words = folded(name).replace("'", " ").split()
    return [word for word in words if len(word) >= _SHORTEST_NAME and word not in KINDS and word not in _PLAIN]


def stem(word: str) -> str:
    """A word without its ending, so that "Calanque" and "Calanques" are one."""
    return word.rstrip("aeios") if len(word) > 5 else word.rstrip("s") if len(word) > 4 else word


def _proposal(heard: Heard, upto: int, piece: Piece, points: float) -> Proposal:
    """With the sizes said where it is meant; else where else it is spoken of; else her usual one."""
    sources = heard.sources
    items = _in_her_colour(sources[:upto], piece)
    shown = [item.sku for each in sources[:upto] for sku in each.skus for item in items if item.sku == sku]
    told = [*sources[:upto], *(each for each in sources[upto:] if _is_about(each, piece, heard.people))]
    for each in told:
        if ticked := _sized(each.said.sizes, items, piece, heard) + _by_sku(each.said, items):
            return Proposal(piece.code, tuple(dict.fromkeys(ticked)), points)
    if shown:
        return Proposal(piece.code, tuple(dict.fromkeys(shown)), points)
    if len(items) == 1:
        return Proposal(piece.code, (items[0].sku,), points)
    system, size = heard.usual.get(kind_of(piece.category), ("", ""))
    usual = _sized((SizeSaid(size, system),), items, piece, heard) if size else ()
    return Proposal(piece.code, usual, points, is_usual=bool(usual))


def _is_about(each: Source, piece: Piece, people: Collection[str]) -> bool:
    return _Evidence.gather((each,), people).points(piece) >= 4


def _in_her_colour(sources: Sequence[Source], piece: Piece) -> list[Item]:
    """The variants in a colour she names; all of them where she names none of theirs."""
    for each in sources:
        said = each.said.colours | {more for one in each.said.colours for more in FAMILIES.get(one, ())}
        exact = [item for item in piece.items if folded(item.colour) in each.said.colours]
        if found := exact or [item for item in piece.items if folded(item.colour) in said]:
            return found
    return list(piece.items)


def _by_sku(said: Mentions, items: Sequence[Item]) -> tuple[str, ...]:
    codes = set(_codes(said))
    return tuple(item.sku for item in items if item.sku.upper() in codes)


def _sized(sizes: Sequence[SizeSaid], items: Sequence[Item], piece: Piece, heard: Heard) -> tuple[str, ...]:
    """The variants in these sizes: as written, or converted from the system she names, or her country's."""
    kind = kind_of(piece.category)
    return tuple(item.sku for said in sizes for item in items if _fits(item, said, kind, heard.system))


def _fits(item: Item, said: SizeSaid, kind: str, hers: str) -> bool:
    if not item.size:
        return False
    if said.system:
        own = convert(kind, said.value, said.system, item.system) if item.system != said.system else said.value
        return own == item.size
    if said.value.upper() == item.size.upper():
        return True
    return (
        bool(hers)
        and hers != item.system
        and _is_small(said)
        and convert(kind, said.value, hers, item.system) == item.size
    )


def _is_small(said: SizeSaid) -> bool:
    """A number that only the British or the Americans can mean."""
    return said.value.replace(".", "").isdigit() and float(said.value) < 25
