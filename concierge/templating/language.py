"""The little of Jinja2 that a template may use, walled in: no globals, no calls, no attributes but merge fields."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NoReturn

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined
from jinja2.exceptions import SecurityError
from jinja2.lexer import TokenStream
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

MARKUP: Final = re.compile(r"[\\*\[\]]")
"""The characters that mean something in a plain-text body: bold, italic, links and product cards."""

_LEADING: Final = re.compile(
    r"^(\d*)([->.)])", re.MULTILINE
)  # at the start of a line these begin a list or a quotation


class Group:
    """The fields of one group, as `customer`: readable by name and in no other way."""

    __slots__ = ("fields",)

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = fields


class Ready(str):
    """A value made by the house, that is put in as it is: a link or a product card."""

    __slots__ = ()


def fallback(value: str, instead: str) -> str:
    """The value, or these words where it is empty."""
    return value or instead


def literal(value: object) -> str:
    """A value as it is printed in a body: what looks like markup in it only looks so (`\\*`, `\\[`, `1\\.`)."""
    words = words_only(value)
    return words if isinstance(value, Ready) else _LEADING.sub(r"\1\\\2", MARKUP.sub(r"\\\g<0>", words))


def words_only(value: object) -> str:
    """A value as it is printed in a subject; only words are ever printed."""
    if isinstance(value, Undefined):
        return str(value)  # which raises, for it is a StrictUndefined
    if not isinstance(value, str):
        raise SecurityError("only words can be printed")
    return value


FILTERS: Mapping[str, Callable[..., str]] = {
    "fallback": fallback,
    "upper": str.upper,
    "lower": str.lower,
    "capitalize": str.capitalize,
}


Tokens = Iterable[tuple[int, str, str]]


class MergeEnvironment(SandboxedEnvironment):
    """Jinja2's sandbox with nothing in it: the second wall behind the list of allowed syntax.

    Its tokens carry their offset in the text instead of a line, so that nodes know where they are; and a tag alone on
    its line takes the whole line with it (`trim_blocks` would also join lines after an `{% endif %}` that ends one).
    """

    intercepted_binops = frozenset(SandboxedEnvironment.default_binop_table)
    intercepted_unops = frozenset(SandboxedEnvironment.default_unop_table)

    def __init__(self, finalize: Callable[[object], str] = words_only) -> None:
        super().__init__(
            undefined=StrictUndefined,
            autoescape=False,
            optimized=False,
            finalize=finalize,
            loader=None,
            cache_size=0,
        )
        self.globals = {}
        self.tests = {}
        self.filters = dict(FILTERS)

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        tokens = without_tag_lines(self.tokens_with_offsets(source))
        return TokenStream(self.lexer.wrap(tokens, name, filename), name, filename)

    def tokens_with_offsets(self, source: str) -> Iterator[tuple[int, str, str]]:
        """Jinja's raw tokens, each with its offset: they come in order and leave out only white space.

        Raises TemplateSyntaxError, whose `lineno` is an offset too: that of the line.
        """
        try:
            tokens = list(self.lexer.tokeniter(source, None))
        except TemplateSyntaxError as error:
            error.lineno = sum(len(line) + 1 for line in source.split("\n")[: error.lineno - 1])
            raise
        at = 0
        for _line, kind, value in tokens:
            found = source.find(value, at)
            at = found if found >= 0 else at
            yield at, kind, value
            at += len(value)

    def getattr(self, obj: Any, attribute: str) -> str | Undefined:
        """A field of a group; nothing else has attributes here."""
        if isinstance(obj, Group):
            if attribute in obj.fields:
                return obj.fields[attribute]
            return self.undefined(name=attribute)
        return self.unsafe_undefined(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Undefined:
        """Nothing can be looked into with brackets."""
        return self.unsafe_undefined(obj, str(argument)[:50])

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> NoReturn:
        """Nothing can be called."""
        raise SecurityError("nothing can be called in a template")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> NoReturn:
        """Nothing can be calculated."""
        raise SecurityError("nothing can be calculated in a template")

    def call_unop(self, context: Context, operator: str, arg: Any) -> NoReturn:
        """Nothing can be calculated."""
        raise SecurityError("nothing can be calculated in a template")


_TAGS: Final = {"block_begin": "block_end", "comment_begin": "comment_end"}


def without_tag_lines(tokens: Tokens) -> Iterator[tuple[int, str, str]]:
    """The tokens; a line that holds nothing but tags and comments leaves neither its spaces nor its line break."""
    pieces = list(_pieces(tokens))
    first_of_line = 0
    for index, piece in enumerate(pieces):
        if _is_line_break(piece):
            _empty_line(pieces, first_of_line, index)
            first_of_line = index + 1
    _empty_line(pieces, first_of_line, len(pieces) - 1)
    for piece in pieces:
        yield from piece


def _pieces(tokens: Tokens) -> Iterator[list[tuple[int, str, str]]]:
    """Whole tags and comments, lines of text with their line break, and everything else one by one."""
    tag: list[tuple[int, str, str]] = []
    ends = ""
    for at, kind, value in tokens:
        if tag or kind in _TAGS:
            ends = ends or _TAGS[kind]
            tag.append((at, kind, value))
            if kind == ends:
                yield tag
                tag, ends = [], ""
        elif kind == "data":
            for line in re.finditer(r"[^\n]*\n|[^\n]+", value):
                yield [(at + line.start(), kind, line[0])]
        else:
            yield [(at, kind, value)]
    if tag:
        yield tag


def _is_line_break(piece: list[tuple[int, str, str]]) -> bool:
    return piece[0][1] == "data" and piece[0][2].endswith("\n")


def _empty_line(pieces: list[list[tuple[int, str, str]]], first: int, last: int) -> None:
    """Take the spaces and the line break out of a line of only tags; a line of only spaces stays what it is."""
    line = pieces[first : last + 1]
    has_tag = any(piece[0][1] in _TAGS for piece in line)
    if has_tag and all(piece[0][1] in _TAGS or _is_blank(piece) for piece in line):
        for index, piece in enumerate(line, start=first):
            if _is_blank(piece):
                pieces[index] = []


def _is_blank(piece: list[tuple[int, str, str]]) -> bool:
    return piece[0][1] == "data" and not piece[0][2].strip()
