"""Every way a template can read, for customers of whom more or less is known; and where such a reading has a hole.

Instead of reasoning about what an `if` guards, the checker reads the template once for every kind of customer there
can be: with each field that may be empty there and not, and with each value that a condition asks for. A field printed
while empty is a hole, and so is what a skipped condition leaves behind: "Dear ," or "Your size is".
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, product
from math import prod
from typing import Final

from jinja2 import nodes

from concierge.templating.clauses import CLOSING, FIELD, Gap, leaves_hole
from concierge.templating.language import FILTERS
from concierge.templating.marks import find_mark
from concierge.templating.merge_fields import MergeField
from concierge.templating.syntax import field_of, fields_with_offsets

MOST_EFFORT: Final = 20_000
"""Kinds of customer times places to fill. Nine questions with yes or no make 512 kinds: enough for any letter."""

_SALUTATIONS: Final = re.compile(
    r"(dear|dearest|gentile|gentilissim[aoie]|car[aoie]|carissim[aoie]|egregi[ao]|ch[eè]re?|liebe[r]?|estimad[ao]|querid[ao])\s*[,;:.!]?",
    re.IGNORECASE,
)
_NAMES: Final = frozenset({"customer.first_name", "customer.name"})
_SPACE_BEFORE_COMMA: Final = re.compile(r"(?:(?<=\s)|(?<=^)),|(?<=\s)\.(?=\s|$)")
_ENDED: Final = tuple('.!?…)]»”"*')
_PAIRS: Final = {"(": ")", "[": "]", "«": "»", "“": "”", '"': '"', "'": "'", "‘": "’"}


@dataclass(frozen=True, slots=True)
class Hole:
    """A place that does not read well: `offset` in the template, the line as it would read, and for whom."""

    kind: str
    offset: int
    line: str
    empty_fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Reading:
    """One way the template can read. The marks are positions in `words` with the offset they come from."""

    values: Mapping[str, str]
    words: str = ""
    pieces: list[tuple[int, int]] = field(default_factory=list)
    empties: list[tuple[int, str, int]] = field(default_factory=list)
    seams: list[tuple[int, nodes.If]] = field(default_factory=list)
    blocks: list[tuple[int, int, int]] = field(default_factory=list)

    def line_at(self, position: int) -> tuple[str, str]:
        """The line around a position: what stands before it, and what after."""
        start = self.words.rfind("\n", 0, position) + 1
        end = self.words.find("\n", position)
        return self.words[start:position], self.words[position : end if end >= 0 else len(self.words)]

    def offset_of(self, position: int) -> int:
        """Where in the template the piece comes from that holds this position."""
        at, offset = max((piece for piece in self.pieces if piece[0] <= position), default=(0, 0))
        return offset + position - at


Known = tuple[tuple[str, str], ...]
"""What is known of one field, or of several that come together: (("customer.size", "36"),)."""


def kinds_of_customer(tree: nodes.Template, fields: Mapping[str, MergeField]) -> list[list[Known]]:
    """For each field, the values that make a difference; for those that come together, the values of all of them."""
    asked: dict[str, list[str]] = {name: [] for name, _offset in fields_with_offsets(tree)}
    for comparison in tree.find_all(nodes.Compare):
        name_and_offset = field_of(comparison.expr)
        constant = comparison.ops[0].expr
        if name_and_offset and isinstance(constant, nodes.Const) and constant.value:
            asked[name_and_offset[0]].append(str(constant.value))
    told: dict[str, list[str]] = {}
    for name, constants in asked.items():
        known = fields.get(name)
        values = list(dict.fromkeys(constants))
        sample = known.sample if known else "…"
        values.append(sample if sample not in values else sample + "·")
        if known is not None and known.may_be_empty:
            values.insert(0, "")
        told[name] = values
    whole = [name for name in told if name in fields and fields[name].comes_whole]
    kinds: list[list[Known]] = [[((name, value),) for value in told[name]] for name in told if name not in whole]
    if whole:
        there = product(*([(name, value) for value in told[name] if value] for name in whole))
        kinds.append([tuple((name, "") for name in whole), *there])
    return kinds


def effort(tree: nodes.Template, kinds: list[list[Known]]) -> int:
    """How much there is to read: kinds of customer times conditions and printed places."""
    places = sum(1 for _each in tree.find_all((nodes.If, nodes.Getattr)))
    return max(places, 1) * prod(len(values) for values in kinds)


def readings(tree: nodes.Template, kinds: list[list[Known]], fields: Mapping[str, MergeField]) -> Iterator[Reading]:
    """The template as each kind of customer would read it, those of whom least is known first."""
    blocks = {name for name, known in fields.items() if known.stands_alone}
    for values in product(*kinds):
        reading = Reading(dict(chain.from_iterable(values)))
        _read(tree.body, reading, blocks)
        yield reading


def holes(reading: Reading) -> Iterator[Hole]:
    """What does not read well in one reading."""
    for position, name, offset in reading.empties:
        yield Hole("empty", offset, "".join(reading.line_at(position)), (name,))
    for position, condition in reading.seams:
        before, after = reading.line_at(position)
        if _is_gap(before, after) or leaves_hole(_gap(reading, position, condition)):
            yield Hole("gap", condition.lineno, before + after, _empty_fields(condition, reading))
    yield from _holes_between_words(reading)
    if mark := find_mark(reading.words, blocks=False):
        yield Hole("mark", reading.offset_of(mark.start()), mark[0].strip())
    for start, end, offset in reading.blocks:
        before, after = reading.line_at(start)
        if before.strip() or after[end - start :].strip():
            yield Hole("block", offset, before + after)
    if not reading.words.strip():
        yield Hole("nothing", 0, "", tuple(name for name, value in reading.values.items() if not value))


def _holes_between_words(reading: Reading) -> Iterator[Hole]:
    """What reads like a hole wherever it comes from: a comma after a space, a greeting that greets nobody."""
    empty = tuple(name for name, value in reading.values.items() if not value)
    taken = {position for position, _name, _offset in reading.empties}
    position = 0
    for line in reading.words.split("\n"):
        if not any(position <= at <= position + len(line) for at in taken):
            if match := _SPACE_BEFORE_COMMA.search(line):
                yield Hole("gap", reading.offset_of(position + match.start()), line, empty)
            elif _SALUTATIONS.fullmatch(line.strip()):
                start = len(line) - len(line.lstrip())
                yield Hole("greeting", reading.offset_of(position + start), line, empty)
        position += len(line) + 1


def _is_gap(before: str, after: str) -> bool:
    """Whether leaving something out between these two halves of a line shows."""
    left, right = before.rstrip(), after.lstrip()
    apart = not before or before[-1].isspace()
    if right.startswith(CLOSING) and apart:
        return True
    if left and _PAIRS.get(left[-1]) == right[:1]:
        return True
    return bool(left) and not right and apart and not left.endswith(_ENDED)


def _gap(reading: Reading, position: int, condition: nodes.If) -> Gap:
    """The gap a condition left in this reading, with what its branches say for other customers."""
    bodies = [condition.body, *(each.body for each in condition.elif_), condition.else_]
    said = tuple(words for body in bodies if (words := _said(body)).strip())
    names = [name for body in bodies for node in body for name, _offset in _printed_in(node)]
    return Gap(
        before=reading.words[:position],
        after=reading.words[position:],
        branches=said,
        vocative=all(name in _NAMES for name in names),
    )


def _said(body: Iterable[nodes.Node]) -> str:
    """The words of a branch with all that may stand in it, each field as FIELD."""
    words = ""
    for node in body:
        if isinstance(node, nodes.If):
            words += "".join(_said(each) for each in (node.body, *(other.body for other in node.elif_), node.else_))
        elif isinstance(node, nodes.Output):
            words += "".join(each.data if isinstance(each, nodes.TemplateData) else FIELD for each in node.nodes)
    return words


def _printed_in(node: nodes.Node) -> Iterator[tuple[str, int]]:
    for output in [node] if isinstance(node, nodes.Output) else node.find_all(nodes.Output):
        for printed in output.nodes:
            if not isinstance(printed, nodes.TemplateData):
                yield _printed_field(printed)


def _empty_fields(condition: nodes.If, reading: Reading) -> tuple[str, ...]:
    asked = dict.fromkeys(name for name, _offset in fields_with_offsets(condition.test))
    return tuple(name for name in asked if not reading.values.get(name))


def _read(body: Iterable[nodes.Node], reading: Reading, blocks: set[str]) -> None:
    for node in body:
        if isinstance(node, nodes.If):
            before = reading.words
            marks = len(reading.empties)
            _read(_branch(node, reading.values), reading, blocks)
            if not reading.words[len(before) :].strip() and len(reading.empties) == marks:
                reading.seams.append((len(before), node))
        elif isinstance(node, nodes.Output):
            for printed in node.nodes:
                _print(printed, reading, blocks)


def _print(printed: nodes.Expr, reading: Reading, blocks: set[str]) -> None:
    at = len(reading.words)
    if isinstance(printed, nodes.TemplateData):
        reading.pieces.append((at, printed.lineno))
        reading.words += printed.data
        return
    name, offset = _printed_field(printed)
    value = _printed_value(printed, reading.values)
    reading.pieces.append((at, offset))
    reading.words += value
    if not value.strip():
        reading.empties.append((at, name, offset))
    if name in blocks:
        reading.blocks.append((at, at + len(value), offset))


def _printed_field(printed: nodes.Node) -> tuple[str, int]:
    while isinstance(printed, nodes.Filter) and printed.node is not None:
        printed = printed.node
    found = field_of(printed)
    assert found is not None, "only fields are printed once the syntax was checked"
    return found


def _printed_value(printed: nodes.Node, values: Mapping[str, str]) -> str:
    if isinstance(printed, nodes.Filter) and printed.node is not None:
        arguments = [each.as_const() for each in printed.args]
        return FILTERS[printed.name](_printed_value(printed.node, values), *arguments)
    return values[_printed_field(printed)[0]]


def _branch(condition: nodes.If, values: Mapping[str, str]) -> list[nodes.Node]:
    """The branch that is taken, empty when there is none."""
    for each in (condition, *condition.elif_):
        if _holds(each.test, values):
            return each.body
    return condition.else_


def _holds(test: nodes.Node, values: Mapping[str, str]) -> bool:
    if isinstance(test, nodes.And):
        return _holds(test.left, values) and _holds(test.right, values)
    if isinstance(test, nodes.Or):
        return _holds(test.left, values) or _holds(test.right, values)
    if isinstance(test, nodes.Not):
        return not _holds(test.node, values)
    if isinstance(test, nodes.Compare):
        constant = test.ops[0].expr.as_const()
        equal = values[_printed_field(test.expr)[0]] == constant
        return equal if test.ops[0].op == "eq" else not equal
    return bool(values[_printed_field(test)[0]])
