"""Two windows at one template: what each changed is told apart, so that nothing is overwritten unseen."""

from collections.abc import Mapping
from dataclasses import dataclass

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """What is to be kept, part by part, and the parts both windows changed, each in its own way."""

    words: Mapping[str, Words]
    clashes: frozenset[str]


def settle(began: Mapping[str, Words], mine: Mapping[str, Words], kept: Mapping[str, Words]) -> Settled:
    """Bring together what a window `began` from, what it says now, and what is `kept` by now.

    A part this window left as it was stays as it is kept; one nobody else touched becomes mine. What a window does not
    say that it began from counts as changed by others, so a form that forgets to say so overwrites nothing.
    """
    words: dict[str, Words] = {}
    clashes = set()
    for part in {**kept, **mine}:
        was, theirs = began.get(part), kept.get(part)
        here = mine.get(part, theirs)
        if theirs is not None and here in {was, theirs}:
            words[part] = theirs
        elif here is not None and theirs == was:
            words[part] = here
        else:
            clashes.add(part)
    return Settled(words, frozenset(clashes))
