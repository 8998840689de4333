"""What a colour and a kind of product are called in each language, and how a price is written."""

from typing import Final

from babel import Locale
from babel.numbers import format_currency
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from concierge.catalogue.prices import amount_of
from concierge.config import locale_of

# The shop speaks of colours in English; customers should not have to.
_ITALIAN_COLOURS: Final = {
    "apricot": "albicocca",
    "aquamarine": "acquamarina",
    "aubergine": "melanzana",
    "beige": "beige",
    "black": "nero",
    "blue": "blu",
    "blush": "cipria",
    "bottle green": "verde bottiglia",
    "brown": "marrone",
    "burgundy": "borgogna",
    "camel": "cammello",
    "champagne": "champagne",
    "charcoal": "antracite",
    "chestnut": "castagna",
    "chocolate": "cioccolato",
    "citrine": "citrino",
    "cognac": "cognac",
    "coral": "corallo",
    "cream": "crema",
    "dove": "tortora",
    "ecru": "écru",
    "emerald": "smeraldo",
    "garden print": "stampa giardino",
    "gold": "oro",
    "green": "verde",
    "grey": "grigio",
    "ink": "inchiostro",
    "ivory": "avorio",
    "lilac": "lilla",
    "midnight": "blu notte",
    "natural": "naturale",
    "navy": "blu navy",
    "olive": "oliva",
    "orange": "arancio",
    "pearl": "perla",
    "pink": "rosa",
    "powder": "cipria",
    "purple": "viola",
    "red": "rosso",
    "rose": "rosa",
    "sage": "salvia",
    "sand": "sabbia",
    "silver": "argento",
    "tan": "cuoio",
    "taupe": "tortora",
    "tobacco": "tabacco",
    "turquoise": "turchese",
    "violet": "viola",
    "white": "bianco",
    "yellow": "giallo",
}

CATEGORIES: Final[dict[str, LazyString]] = {
    "bags": _l("Bags"),
    "belts": _l("Belts"),
    "blouses": _l("Blouses"),
    "boots": _l("Boots"),
    "coats": _l("Coats"),
    "dresses": _l("Dresses"),
    "jewellery": _l("Jewellery"),
    "knitwear": _l("Knitwear"),
    "other": _l("Other"),
    "sandals": _l("Sandals"),
    "scarves": _l("Scarves"),
    "shoes": _l("Shoes"),
    "skirts": _l("Skirts"),
}

# The kinds as a shop may call them that does not use our words.
_KINDS_MEANT: Final = {
    "borse": "bags", "cinture": "belts", "bluse": "blouses", "camicie": "blouses", "camicette": "blouses",
    "stivali": "boots", "stivaletti": "boots", "cappotti": "coats", "abiti": "dresses", "vestiti": "dresses",
    "gioielli": "jewellery", "jewelry": "jewellery", "maglieria": "knitwear", "sandali": "sandals",
    "sciarpe": "scarves", "foulard": "scarves", "scarpe": "shoes", "gonne": "skirts",
    "bag": "bags", "belt": "belts", "blouse": "blouses", "boot": "boots", "coat": "coats", "dress": "dresses",
    "sandal": "sandals", "scarf": "scarves", "shoe": "shoes", "skirt": "skirts",
}  # fmt: skip


def kind_meant(word: str) -> str:
    """The kind somebody means by an Italian word or a single piece, in lower case; "" for what we don't know."""
    return _KINDS_MEANT.get(word, "")


def category_name(category: str) -> str:
    """What a kind of product is called on our pages; a kind nobody foresaw keeps its own word."""
    return str(CATEGORIES.get(category) or category[:1].upper() + category[1:])


def colour_name(colour: str, language: str) -> str:
    """The colour in the customer's language, written as the shop writes it: capitalised or not."""
    if language != "it":
        return colour
    translated = _ITALIAN_COLOURS.get(colour.lower())
    if translated is None:
        return colour
    return translated[:1].upper() + translated[1:] if colour[:1].isupper() else translated


def colours_meant(word: str) -> list[str]:
    """The shop's colours that somebody means who types this beginning of an Italian one: "turch" → ["turquoise"]."""
    wanted = word.lower()
    return [english for english, italian in _ITALIAN_COLOURS.items() if italian.startswith(wanted)]


def colours_in(language: str) -> dict[str, str]:
    """Every colour the shop's English has a word for, with its word in `language`."""
    return {english: colour_name(english, language) for english in _ITALIAN_COLOURS}


def price_text(cents: int, currency: str, language: str) -> str:
    """The price as people write it in this language, without cents where there are none: "€420", "420 €"."""
    locale = Locale.parse(locale_of(language))
    amount = amount_of(cents, currency)
    text: str = format_currency(amount, currency, locale=locale)
    if amount == amount.to_integral_value():
        pattern = locale.currency_formats["standard"].pattern.replace(".00", "")
        text = format_currency(amount, currency, format=pattern, locale=locale, currency_digits=False)
    return text
