"""What two windows changed is told apart, without a database."""

import pytest

from concierge.templating.two_windows import settle


@pytest.mark.parametrize(
    ("was", "mine", "kept", "settled"),
    [
        ("a", "a", "a", "a"),
        ("a", "b", "a", "b"),  # only I changed it
        ("a", "a", "b", "b"),  # only the other window did
        ("a", "b", "b", "b"),  # both, to the same
        (None, "b", None, "b"),  # a language nobody had written in
        (None, "b", "b", "b"),
        ("a", None, "b", "b"),  # left empty: keeps its words
        ("a", "b", "c", None),
        (None, "b", "c", None),  # said nothing of what it began from
    ],
)
def test_a_part_is_settled_by_who_changed_it(was, mine, kept, settled):
    def part(words):
        return {} if words is None else {"en": (words, words)}

    found = settle(part(was), part(mine), part(kept))
    assert found.words == part(settled)
    assert found.clashes == ({"en"} if settled is None else frozenset())
