"""Says what is wrong with a template, before it is saved: the rule that no mail may leave with a hole in it."""

import unicodedata
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from flask_babel import gettext as _
from jinja2 import nodes

from concierge.templating.merge_fields import MERGE_FIELDS, MergeField, Need
from concierge.templating.readings import (
    MOST_EFFORT,
    Hole,
    effort,
    holes,
    kinds_of_customer,
    readings,
)
from concierge.templating.syntax import (
    Fault,
    Faulty,
    fault_at,
    fields_with_offsets,
    normalise,
    parse,
    refused_syntax,
)

__all__ = ["LONGEST_BODY", "LONGEST_SUBJECT", "Fault", "check", "check_syntax", "needs_of", "speaks_of"]

LONGEST_BODY: Final = 20_000
LONGEST_SUBJECT: Final = 300
_MOST_FAULTS: Final = 20


def check(text: str, *, fields: Mapping[str, MergeField] = MERGE_FIELDS, single_line: bool = False) -> list[Fault]:
    """Every fault of a template, in the order of the text; an empty list when it may be saved.

    What passes, rendered with any lawful values and with any of the fields that `may_be_empty` empty, leaves no hole:
    nothing undefined, no field printed while empty, no "Dear ,". A subject is checked with `single_line`.
    """
    text = normalise(text)
    try:
        tree = _read(text, single_line=single_line)
    except Faulty as unreadable:
        return [unreadable.fault]
    faults = refused_syntax(text, tree)
    if not faults:
        faults = [*_unknown_fields(text, tree, fields), *_misused_fields(text, tree, fields, single_line=single_line)]
        faults += _line_breaks(text) if single_line else []
        faults += _faults_of_readings(text, tree, fields)
    return sorted(set(faults))[:_MOST_FAULTS]


def check_syntax(
    text: str, *, fields: Mapping[str, MergeField] = MERGE_FIELDS, single_line: bool = False
) -> list[Fault]:
    """Whether the text is of the little language that is safe to render; rendering asks this of every text again."""
    text = normalise(text)
    try:
        tree = _read(text, single_line=single_line)
    except Faulty as unreadable:
        return [unreadable.fault]
    return refused_syntax(text, tree) or list(_unknown_fields(text, tree, fields))


def needs_of(*texts: str) -> frozenset[Need]:
    """What must be chosen before these texts can be filled: a product, a variant. Unreadable texts need nothing."""
    return frozenset(need for text in texts for need in _needs(normalise(text)))


def speaks_of(group: str, *texts: str) -> bool:
    """Whether these texts have a field of this group: "alternative". Unreadable texts speak of nothing."""
    return any(name.partition(".")[0] == group for text in texts for name in _names(normalise(text)))


@lru_cache(maxsize=2048)
def _names(text: str) -> frozenset[str]:
    try:
        return frozenset(name for name, _offset in fields_with_offsets(_read(text, single_line=False)))
    except Faulty:
        return frozenset()


@lru_cache(maxsize=2048)
def _needs(text: str) -> frozenset[Need]:
    spoken_of = [MERGE_FIELDS[name] for name in _names(text) if name in MERGE_FIELDS]
    return frozenset(field.needs for field in spoken_of if field.needs is not None and not field.may_be_empty)


def _read(text: str, *, single_line: bool) -> nodes.Template:
    longest = LONGEST_SUBJECT if single_line else LONGEST_BODY
    if len(text) > longest:
        message = _("This is longer than %(longest)s characters.", longest=longest)
        raise Faulty(fault_at(text, longest, message, _("Make it shorter, or make two templates of it.")))
    for offset, letter in enumerate(text):
        if letter not in "\n\t" and unicodedata.category(letter) in ("Cc", "Cs"):
            message = _("There is an invisible control character here.")
            raise Faulty(fault_at(text, offset, message, _("Delete it and type the place anew.")))
    return parse(text)


def _unknown_fields(text: str, tree: nodes.Template, fields: Mapping[str, MergeField]) -> Iterator[Fault]:
    for name, offset in fields_with_offsets(tree):
        if name in fields:
            continue
        message = _("There is no merge field “%(name)s”.", name=name)
        remedy = _("Choose one from the list of fields.")
        if near := _nearest(name, fields):
            remedy = _("Did you mean %(names)s?", names=_either(near))
        yield fault_at(text, offset, message, remedy)


def _nearest(name: str, fields: Mapping[str, MergeField]) -> list[str]:
    """The fields somebody may have meant: of that group, or with a name much like this one."""
    members = [each for each in fields if each.startswith(name + ".")]
    if members:
        return members
    last = {each.partition(".")[2]: each for each in reversed(list(fields))}
    simple = name.replace("-", "_").lower()
    exact = [each for each in fields if each.partition(".")[2] == simple]
    by_name = get_close_matches(simple, list(fields), n=1, cutoff=0.75)
    by_last = [last[each] for each in get_close_matches(simple.rpartition(".")[2], list(last), n=1, cutoff=0.75)]
    return exact or by_name or by_last


def _either(names: list[str]) -> str:
    return " · ".join("{{ " + name + " }}" for name in names)


def _misused_fields(
    text: str, tree: nodes.Template, fields: Mapping[str, MergeField], *, single_line: bool
) -> Iterator[Fault]:
    """Links and cards are printed as they are, and a card has no place in a subject."""
    for name, offset in fields_with_offsets(tree):
        if single_line and name in fields and fields[name].stands_alone:
            message = _("“%(name)s” cannot stand in a subject.", name=name)
            yield fault_at(
                text,
                offset,
                message,
                _("Write %(example)s here, and the card in the body.", example=_either(["product.name"])),
            )
    for node in tree.find_all(nodes.Filter):
        for name, offset in fields_with_offsets(node):
            if name in fields and fields[name].ready:
                message = _("“%(name)s” is printed as it is, without a filter.", name=name)
                yield fault_at(text, offset, message, _("Write %(example)s.", example=_either([name])))


def _line_breaks(text: str) -> Iterator[Fault]:
    at = text.rstrip("\n").find("\n")
    if at >= 0:
        yield fault_at(text, at, _("A subject has only one line."), _("Take the line break out."))


def _faults_of_readings(text: str, tree: nodes.Template, fields: Mapping[str, MergeField]) -> list[Fault]:
    kinds = kinds_of_customer(tree, fields)
    if effort(tree, kinds) > MOST_EFFORT:
        message = _("This template tells too many cases apart to be read in all of them.")
        return [fault_at(text, 0, message, _("Make two templates of it."))]
    found = [hole for reading in readings(tree, kinds, fields) for hole in holes(reading)]
    return [_fault_of(text, hole, fields) for hole in _one_a_place(text, found)]


def _one_a_place(text: str, found: list[Hole]) -> list[Hole]:
    """Many readings meet the same hole: it is told once; and beside an empty field, nothing else of its line."""
    empties = {hole.offset: hole for hole in reversed(found) if hole.kind == "empty"}
    lines_with_empties = {text.count("\n", 0, offset) for offset in empties}
    others: dict[tuple[int, bool], Hole] = {}
    for hole in found:
        line = text.count("\n", 0, hole.offset)
        if hole.kind != "empty" and line not in lines_with_empties:
            others.setdefault((line, hole.kind == "block"), hole)
    return [*empties.values(), *others.values()]


def _fault_of(text: str, hole: Hole, fields: Mapping[str, MergeField]) -> Fault:
    labels = ", ".join(str(fields[name].label) if name in fields else name for name in hole.empty_fields)
    return fault_at(text, hole.offset, _message_of(hole, labels), _remedy_of(hole))


def _message_of(hole: Hole, labels: str) -> str:
    line = _quoted(hole.line)
    if hole.kind == "empty":
        label = labels[:1].upper() + labels[1:]
        if not line:
            return _("%(label)s can be empty; then nothing is left of this line.", label=label)
        return _("%(label)s can be empty; then this reads “%(line)s”.", label=label, line=line)
    if hole.kind == "mark":
        return _("“%(mark)s” is a place somebody meant to fill in.", mark=line)
    if hole.kind == "block":
        return _("The product card stands beside other words: “%(line)s”.", line=line)
    if hole.kind == "nothing":
        return _("There are customers for whom nothing is left of this.") if labels else _("There are no words here.")
    if labels:
        return _("Without %(labels)s this reads “%(line)s”.", labels=labels, line=line)
    return _("This can read “%(line)s”.", line=line)


def _remedy_of(hole: Hole) -> str:
    if hole.kind == "empty":
        name = hole.empty_fields[0]
        return _(
            "Give it a fallback, %(fallback)s, or ask first: %(condition)s.",
            fallback="{{ " + name + ' | fallback("…") }}',
            condition="{% if " + name + " %} … {% else %} … {% endif %}",
        )
    if hole.kind == "mark":
        return _("Write the words, or choose a merge field from the list; no answer leaves with such a mark in it.")
    if hole.kind == "block":
        return _("Give it a line of its own.")
    if hole.kind == "nothing":
        return _("Write words that everybody can be sent.")
    return _("Move the whole phrase into the condition, or say something else after %(tag)s.", tag="{% else %}")


def _quoted(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= 60 else line[:57].rstrip() + "…"
