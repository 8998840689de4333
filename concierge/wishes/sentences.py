"""The sentences customers agree to, in every language we ever used; a form names the one it showed, such as "en.1".

They are proof, not decoration: never change one. Add the next number, and the old one still says what was agreed to.
"""

_SENTENCES = {
    "en.1": (
        "{house} may write to me at this address when this piece is back in a size I chose, and about this wish. "
        "Nothing else, and one click ends it."
    ),
    "it.1": (
        "{house} può scrivermi a questo indirizzo quando questo capo torna in una taglia che ho scelto, e riguardo a "
        "questo desiderio. Nient’altro, e basta un clic per smettere."
    ),
}
_CURRENT = {"en": "en.1", "it": "it.1"}


def current_sentence(language: str) -> str:
    """The name of the sentence to show in this language; the English one where we have no other."""
    return _CURRENT.get(language, _CURRENT["en"])


def words_of(sentence: str, house: str) -> str | None:
    """What the sentence of this name says, with the house's name in it; None for a name we never gave."""
    words = _SENTENCES.get(sentence)
    return None if words is None else words.format(house=house)
