"""Reads a template into Jinja's own syntax tree, with exact positions, and refuses what templates do without."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from flask_babel import gettext as _
from jinja2 import TemplateSyntaxError, nodes

from concierge.templating.language import FILTERS, MergeEnvironment

EXAMPLE_FIELD: Final = "{{ customer.first_name }}"
EXAMPLE_IF: Final = "{% if customer.first_name %} … {% endif %}"
EXAMPLE_FALLBACK: Final = '{{ customer.first_name | fallback("…") }}'
_DEEPEST: Final = 40
_MOST_TAGS: Final = 600

CONDITIONS: Final = (nodes.And, nodes.Or, nodes.Not, nodes.Compare)
_ALLOWED: Final[tuple[type[nodes.Node], ...]] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.Name,
    nodes.Getattr,
    nodes.Filter,
    nodes.Const,
    nodes.Operand,
    *CONDITIONS,
)
_OPENERS: Final = {"{{": "}}", "{%": "%}", "{#": "#}"}
_SINGLE_BRACES: Final = re.compile(r"\{\s*([A-Za-z_][\w.]*)\s*\}{1,2}|\}\}|%\}|#\}")


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something in a template that must be put right: where (both from 1), what, and how."""

    line: int
    column: int
    message: str
    remedy: str


class Faulty(Exception):
    """The template cannot be read at all; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def fault_at(text: str, offset: int, message: str, remedy: str) -> Fault:
    """A fault at a character of the text, counted from 0."""
    offset = max(0, min(offset, len(text)))
    line_start = text.rfind("\n", 0, offset) + 1
    return Fault(text.count("\n", 0, offset) + 1, offset - line_start + 1, message, remedy)


def normalise(text: str) -> str:
    """The text with plain newlines, as it is checked, kept and rendered."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


_ENVIRONMENT: Final = MergeEnvironment()


def parse(text: str) -> nodes.Template:
    """The syntax tree of a template, each node's `lineno` being its offset in the text.

    The tree is Jinja's own, made by the lexer and parser that rendering uses: what is checked is what is rendered.
    Raises Faulty when Jinja cannot read it, or when it is too deep to be read safely.
    """
    if sum(map(text.count, _OPENERS)) > _MOST_TAGS:
        raise Faulty(_too_deep(text, 0))
    try:
        tree = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError as error:
        raise Faulty(_unreadable(text, error, error.lineno)) from None
    except (RecursionError, ValueError, OverflowError, SyntaxError, MemoryError):
        raise Faulty(_too_deep(text, 0)) from None
    for node, depth in _walk(tree):
        if depth > _DEEPEST:
            raise Faulty(_too_deep(text, node.lineno))
    return tree


def refused_syntax(text: str, tree: nodes.Template) -> list[Fault]:
    """Everything in the tree that is not on the list of allowed syntax. Source: the list at the head of this module."""
    faults = [*_raw_blocks(text), *_stray_braces(text, tree)]
    for node, _depth in _walk(tree, into=_ALLOWED):
        if not isinstance(node, _ALLOWED):
            faults.append(_refusal(text, node))
        elif isinstance(node, nodes.If):
            faults += _faults_of_condition(text, node.test)
        elif isinstance(node, nodes.Output):
            for printed in node.nodes:
                faults += _faults_of_printed(text, printed)
    return faults


def field_of(node: nodes.Node) -> tuple[str, int] | None:
    """The dotted name of a merge field and its offset, or None when the node is something else."""
    parts: list[str] = []
    while isinstance(node, nodes.Getattr):
        parts.append(node.attr)
        node = node.node
    if not isinstance(node, nodes.Name):
        return None
    return ".".join([node.name, *reversed(parts)]), node.lineno


def fields_with_offsets(tree: nodes.Node) -> list[tuple[str, int]]:
    """Every merge field spoken of, printed or asked about, in the order of the tree."""
    found: list[tuple[str, int]] = []
    stack: list[nodes.Node] = [tree]
    while stack:
        node = stack.pop()
        field = field_of(node)
        if field is not None:
            found.append(field)
        else:
            stack.extend(node.iter_child_nodes())
    return sorted(found, key=lambda pair: pair[1])


def _walk(tree: nodes.Node, into: tuple[type[nodes.Node], ...] | None = None) -> Iterator[tuple[nodes.Node, int]]:
    """Every node with its depth, without recursion; only the children of nodes of the types `into`, when given."""
    stack = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        if into is None or isinstance(node, into):
            stack.extend((child, depth + 1) for child in node.iter_child_nodes())


def _faults_of_condition(text: str, test: nodes.Node) -> list[Fault]:
    """Conditions ask about fields: whether one is there, or is exactly these words; joined by and, or, not."""
    if isinstance(test, (nodes.And, nodes.Or)):
        return _faults_of_condition(text, test.left) + _faults_of_condition(text, test.right)
    if isinstance(test, nodes.Not):
        return _faults_of_condition(text, test.node)
    if isinstance(test, nodes.Compare):
        return _faults_of_comparison(text, test)
    if field_of(test) is not None or not isinstance(test, _ALLOWED):
        return []  # a field; or refused already, by its type
    return [
        fault_at(
            text,
            _offset(test),
            _("A condition can only ask about a merge field."),
            _("Write for example %(example)s.", example=EXAMPLE_IF),
        )
    ]


def _faults_of_comparison(text: str, test: nodes.Compare) -> list[Fault]:
    operand = test.ops[0]
    right = operand.expr
    if (
        len(test.ops) == 1
        and operand.op in ("eq", "ne")
        and field_of(test.expr) is not None
        and isinstance(right, nodes.Const)
        and isinstance(right.value, str)
    ):
        return []
    return [
        fault_at(
            text,
            _offset(test.expr),
            _("A merge field can only be compared with words in quotation marks, and only with == or !=."),
            _("Write for example %(example)s.", example='{% if customer.size == "36" %} … {% endif %}'),
        )
    ]


def _faults_of_printed(text: str, printed: nodes.Node) -> list[Fault]:
    """What is printed is text, or a merge field with or without filters."""
    faults: list[Fault] = []
    while isinstance(printed, nodes.Filter):
        faults += _faults_of_filter(text, printed)
        if printed.node is None:
            return faults
        printed = printed.node
    allowed_shape = isinstance(printed, nodes.TemplateData) or field_of(printed) is not None
    if not allowed_shape and isinstance(printed, _ALLOWED):
        faults.append(
            fault_at(
                text,
                _offset(printed),
                _("Only a merge field can stand between double braces."),
                _("Write for example %(example)s; words need no braces.", example=EXAMPLE_FIELD),
            )
        )
    return faults


def _faults_of_filter(text: str, node: nodes.Filter) -> list[Fault]:
    if node.name not in FILTERS:
        example = EXAMPLE_FALLBACK if node.name in ("default", "d") else " · ".join(FILTERS)
        message = _("There is no filter “%(name)s”.", name=node.name)
        return [fault_at(text, node.lineno, message, _("These are possible: %(example)s", example=example))]
    extra = bool(node.kwargs or node.dyn_args or node.dyn_kwargs)
    if node.name != "fallback":
        if not node.args and not extra:
            return []
        message = _("The filter “%(name)s” takes nothing in brackets.", name=node.name)
        return [fault_at(text, node.lineno, message, _("Write only | %(name)s.", name=node.name))]
    if not extra and len(node.args) == 1 and _is_wording(node.args[0]):
        return []
    message = _("A fallback needs words in quotation marks, on one line and without braces.")
    return [fault_at(text, node.lineno, message, _("Write for example %(example)s.", example=EXAMPLE_FALLBACK))]


def _is_wording(node: nodes.Node) -> bool:
    """Words that can stand in for a value: some, visible, on one line, and nothing that looks like a field."""
    return (
        isinstance(node, nodes.Const)
        and isinstance(node.value, str)
        and any(letter.isalnum() for letter in node.value)
        and node.value.isprintable()
        and not set(node.value) & set("{}")
    )


def _refusal(text: str, node: nodes.Node) -> Fault:
    for types, what in (
        ((nodes.For,), _("Loops are not possible in a template.")),
        ((nodes.Call, nodes.Macro, nodes.CallBlock), _("Nothing can be called in a template.")),
        ((nodes.Assign, nodes.AssignBlock, nodes.With), _("Nothing can be set aside under a name in a template.")),
        ((nodes.BinExpr, nodes.UnaryExpr, nodes.Concat), _("Nothing can be calculated or joined in a template.")),
        ((nodes.Getitem, nodes.Slice), _("Square brackets are not possible between braces.")),
        ((nodes.Test,), _("“is” is not possible in a condition.")),
        ((nodes.CondExpr,), _("An “if” cannot stand between double braces.")),
    ):
        if isinstance(node, types):
            return fault_at(text, _offset(node), what, _language_in_short())
    return fault_at(text, _offset(node), _("This is not possible in a template."), _language_in_short())


def _language_in_short() -> str:
    return _(
        "A template is made of words, merge fields such as %(field)s, and conditions such as %(condition)s.",
        field=EXAMPLE_FIELD,
        condition=EXAMPLE_IF,
    )


def _offset(node: nodes.Node) -> int:
    """Where a node begins: the parser notes an operator's place, but its first operand stands before that."""
    known = [child.lineno for child, _depth in _walk(node) if child.lineno is not None]
    return min(known, default=0)


def _raw_blocks(text: str) -> list[Fault]:
    """`{% raw %}` leaves no trace in the tree, yet would print braces into a mail."""
    tokens = _ENVIRONMENT.tokens_with_offsets(text)
    message = _("“raw” is not possible in a template.")
    return [fault_at(text, at, message, _language_in_short()) for at, kind, _value in tokens if kind == "raw_begin"]


def _stray_braces(text: str, tree: nodes.Template) -> list[Fault]:
    faults = []
    for data in tree.find_all(nodes.TemplateData):
        for match in _SINGLE_BRACES.finditer(data.data):
            at = data.lineno + match.start()
            if match[1]:
                message = _(
                    "“%(braces)s” is printed as it stands: a merge field has two braces on each side.", braces=match[0]
                )
                remedy = _("Write %(example)s.", example="{{ " + match[1] + " }}")
            else:
                message = _("“%(braces)s” closes something that was never opened.", braces=match[0])
                remedy = _("Take it out, or open it: %(example)s.", example=EXAMPLE_FIELD)
            faults.append(fault_at(text, at, message, remedy))
    return faults


def _too_deep(text: str, offset: int) -> Fault:
    message = _("This is too long or too deeply nested to be read.")
    return fault_at(text, offset, message, _("Make two templates of it."))


def _unreadable(text: str, error: TemplateSyntaxError, offset: int) -> Fault:
    """Jinja's complaint in the editor's words, at the place where the mistake was made rather than noticed."""
    said = error.message or ""
    if (unclosed := _unclosed_braces(text)) is not None:
        return unclosed
    if said.startswith("Unexpected end of template"):
        message = _("This “if” is never closed.")
        return fault_at(
            text, _last_open_if(text), message, _("Write %(example)s where it ends.", example="{% endif %}")
        )
    if unknown := re.search(r"unknown tag '(\w+)'", said):
        return _unknown_tag(text, unknown[1], offset)
    if said.startswith("Expected an expression"):
        message = _("Something is missing between these braces.")
        return fault_at(text, offset, message, _("Write for example %(example)s.", example=EXAMPLE_FIELD))
    return fault_at(text, offset, _("This cannot be read."), _language_in_short())


def _unknown_tag(text: str, tag: str, offset: int) -> Fault:
    if tag in ("elif", "else", "endif"):
        message = _("This “%(tag)s” belongs to no “if”.", tag=tag)
        return fault_at(text, offset, message, _("Begin with %(example)s.", example="{% if customer.first_name %}"))
    message = _("Templates know no “%(tag)s”.", tag=tag)
    if tag in ("elseif", "elsif"):
        return fault_at(text, offset, message, _("Write %(example)s.", example="{% elif … %}"))
    return fault_at(text, offset, message, _language_in_short())


def _unclosed_braces(text: str) -> Fault | None:
    """The first `{{`, `{%` or `{#` after which something else comes before what closes it."""
    marks = [(match.start(), match[0]) for match in re.finditer(r"\{[{%#]|[}%#]\}|\}", text)]
    marks = [(at, mark) for at, mark in marks if mark != "}"]
    for (at, mark), (_next_at, following) in pairwise([*marks, (len(text), "")]):
        if mark in _OPENERS and following != _OPENERS[mark]:
            inner = re.match(r"[^{}%#\n]*", text[at + 2 :])
            words = inner[0].strip() if inner else ""
            message = _("“%(opener)s” is opened here and not closed.", opener=mark)
            example = f"{mark} {words or '…'} {_OPENERS[mark]}"
            return fault_at(text, at, message, _("Write %(example)s.", example=example))
    return None


def _last_open_if(text: str) -> int:
    opened: list[int] = []
    for match in re.finditer(r"\{%[-+]?\s*(if|endif)\b", text):
        if match[1] == "if":
            opened.append(match.start())
        elif opened:
            opened.pop()
    return opened[-1] if opened else len(text)
