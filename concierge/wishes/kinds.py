"""What customers call kinds of pieces and their colours, in English and Italian, each word to the shop's own."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from concierge.catalogue.naming import colours_in

_KINDS: Final = {
    "sandals": "sandal sandals sandalo sandali mule mules slide slides espadrille espadrilles ciabatte zeppa zeppe",
    "shoes": "shoe shoes pump pumps heels loafer loafers stiletto stilettos slingback slingbacks "
    "ballerina ballerinas "
    "sneakers scarpa scarpe decollete ballerine mocassino mocassini",
    "boots": "boot boots bootie booties stivale stivali stivaletto stivaletti tronchetto tronchetti",
    "dresses": "dress dresses gown gowns abito abiti vestito vestiti",
    "bags": "bag bags handbag handbags clutch tote borsa borse borsetta borsette pochette",
    "blouses": "blouse blouses shirt shirts camicia camicie camicetta camicette blusa bluse",
    "coats": "coat coats overcoat trench cappotto cappotti soprabito",
    "skirts": "skirt skirts gonna gonne",
    "knitwear": "sweater sweaters jumper jumpers cardigan cardigans pullover knitwear maglia maglie "
    "maglione maglioni",
    "belts": "belt belts cintura cinture",
    "scarves": "scarf scarves shawl foulard sciarpa sciarpe stola stole",
    "jewellery": "ring rings earring earrings necklace necklaces bracelet bracelets hoops jewellery "
    "jewelry anello anelli "
    "orecchino orecchini collana collane bracciale bracciali gioiello gioielli",
}  # fmt: skip
# Who says "the shoes" may mean any of these.
FOOTWEAR: Final = frozenset({"shoes", "sandals", "boots"})
# A plain word for a colour that the shop calls more finely.
FAMILIES: Final = {
    "blue": {"navy", "midnight", "ink"},
    "green": {"bottle green", "emerald", "sage", "olive"},
    "red": {"burgundy"},
    "brown": {"tan", "cognac", "chestnut", "tobacco", "chocolate", "camel"},
    "white": {"ivory", "cream", "ecru"},
    "grey": {"charcoal", "dove", "taupe"},
    "pink": {"rose", "blush", "powder"},
    "beige": {"sand", "camel", "natural", "dove"},
    "purple": {"aubergine", "lilac", "violet"},
}
# English and Italian words that mean a colour without being its name.
_ALSO: Final = {
    "gray": "grey", "golden": "gold", "aqua": "aquamarine", "bordeaux": "burgundy",
    "dorato": "gold", "argentato": "silver", "blu": "blue", "celeste": "blue", "arancione": "orange",
}  # fmt: skip
# Nouns: they do not change with what they describe ("ora" is no gold, it is "now").
_NOUNS: Final = frozenset(
    "oro argento avorio corallo inchiostro tabacco cammello cioccolato smeraldo champagne cognac blu rosa viola "
    "crema sabbia salvia oliva tortora cuoio cipria".split()
)


def folded(text: str) -> str:
    """Lower case, without accents, each letter in its old place."""
    return "".join(_letter(each) for each in text)


def _letter(letter: str) -> str:
    plain = unicodedata.normalize("NFD", letter)[0].lower()
    return "'" if plain in "’‘`" else (plain if len(plain) == 1 else letter)


def _forms(italian: str) -> Iterator[str]:
    """A colour's word as it agrees with what it describes: "turchese" and "turchesi", "bianco" to "bianche"."""
    yield italian
    if italian in _NOUNS or " " in italian:
        return
    if italian.endswith(("co", "go")):
        yield from (f"{italian[:-1]}{ending}" for ending in ("a", "hi", "he"))
    elif italian.endswith("io"):
        yield from (f"{italian[:-2]}{ending}" for ending in ("ia", "i", "ie"))
    elif italian.endswith("o"):
        yield from (f"{italian[:-1]}{ending}" for ending in "aie")
    elif italian.endswith("e"):
        yield f"{italian[:-1]}i"


def _colours() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for english, italian in colours_in("it").items():
        for word in (english, *_forms(folded(italian))):
            found[folded(word)].add(english)
    for word, english in _ALSO.items():
        for form in _forms(word):
            found[form].add(english)
    return {word: frozenset(meant) for word, meant in found.items()}


# A word → the kind it means; a word or two → the shop's colours it may mean.
KINDS: Final = {word: kind for kind, words in _KINDS.items() for word in words.split()}
COLOURS: Final = _colours()
