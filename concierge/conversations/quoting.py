"""Where a letter ends and its tail begins: signature and earlier mails quoted below. Nothing is ever cut off."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from concierge.conversations.quote_words import (
    ADDRESS,
    ANGLED,
    ASKS,
    CLOSES_LINK,
    DASHED_WROTE,
    DAY,
    ENDS_SENTENCE,
    FIELD,
    FIELD_WITHIN,
    FORWARDED,
    HOUR,
    LEAD,
    MOMENT,
    ORIGINAL,
    POSTSCRIPT,
    RULE,
    SAME_LINE,
    SAYS_I,
    SENT,
    SIGNATURE,
    STARTS_WITH_MOMENT,
    WROTE,
    WROTE_CJK,
)

_MOST_TEXT = 200_000
_MOST_LINES = 5_000
_MOST_OPENINGS = 40
_LONGEST_ATTRIBUTION = 320
_LONGEST_LINE = 400
_LAST_LINES = 15
# No program breaks a line before.
_WIDTH = 70
# Cheap to ask of every line of every mail: without one of these it is no rule, no field and no "forwarded message" …
_MAY_INTRODUCE = re.compile(r"[:：]|[-_–—=*\u2500]{2}")
# … and lines of which none ends so say nowhere that somebody wrote.
_ENDS_OF_WROTE = (":", "：", ">", ")")


class _Forwarded(Exception):
    """She passes a mail on: what follows is what she wants read."""


class Quote(NamedTuple):
    """Lines that are not hers, from `first` up to before `end`."""

    first: int
    end: int


def find_fold(text: str) -> int | None:
    """Return the index in *text* where the tail (signature, quoted mails) begins, or None when there is none.

    Only a tail is folded: where the customer writes on below a quote, nothing is, and a letter is never folded whole.
    A mail she forwards is what she wants read, and stays in view.
    """
    return part_letter(text)[0]


def own_words(text: str) -> str:
    """Return what she wrote herself: *text* without its tail and without the mails quoted between or above it.

    For rules that read her words; people are shown everything. Empty where all of it is quoted.
    """
    return part_letter(text)[1]


def part_letter(text: str) -> tuple[int | None, str]:
    """Return both at once, for who needs both: `find_fold` and `own_words`."""
    lines, starts = _lines(text)
    if (fold := _same_line(lines, starts, text)) is not None:
        return fold, text[:fold]
    tail = find_tail(lines)
    return _fold_at(tail, lines, starts, text), _without(tail, lines, text)


def _fold_at(tail: int | None, lines: Sequence[str], starts: Sequence[int], text: str) -> int | None:
    if tail is None:
        return None
    while tail > 0 and not lines[tail - 1].strip("> \t\u00a0"):
        tail -= 1
    fold = starts[tail]
    return fold if text[:fold].strip() else None


def _without(tail: int | None, lines: list[str], text: str) -> str:
    kept = lines if tail is None else lines[:tail]
    for quote in reversed(find_quotes(kept)):
        kept = kept[: quote.first] + kept[quote.end :]
    words = "\n".join(kept).strip("\n")
    # "Sent from my iPhone is what my husband writes": what looks like a signature alone is none.
    return words if words.strip() or _is_quoted(lines) else text


def without_quotes(text: str) -> str:
    """Return *text* with its signature, where people write how to reach them, but without earlier mails."""
    lines, starts = _lines(text)
    if (fold := _same_line(lines, starts, text)) is not None:
        return text[:fold]
    try:
        tail = _quote_line(lines)
    except _Forwarded:
        tail = next(index for index, line in enumerate(lines) if FORWARDED.fullmatch(line[:_LONGEST_LINE]))
    kept = list(lines if tail is None else lines[:tail])
    for quote in reversed(find_quotes(kept)):
        del kept[quote.first : quote.end]
    return "\n".join(kept)


def _is_quoted(lines: Sequence[str]) -> bool:
    try:
        return _quote_line(lines) is not None or any(_is_marked(line) for line in lines)
    except _Forwarded:
        return False


def find_tail(lines: Sequence[str]) -> int | None:
    """Return the first of *lines* from which on nothing is hers: signature or quoted mails; None when there is none."""
    try:
        quote = _quote_line(lines)
    except _Forwarded:
        return None
    signature = _signature_line(lines[:quote] if quote is not None else lines)
    return min((line for line in (quote, signature) if line is not None), default=None)


def find_quotes(lines: Sequence[str]) -> list[Quote]:
    """Return the stretches of *lines* that are marked as quoted (`>`), each with the line that introduces it."""
    found: list[Quote] = []
    index = 0
    while index < len(lines) and len(found) <= _MOST_OPENINGS:
        opening = _attribution(lines, index)
        first = index + opening
        while opening and first < len(lines) and not lines[first].strip():
            first += 1
        if (end := _end_of_marks(lines, first)) > first:
            found.append(Quote(index, end))
            index = end
        else:
            index += 1
    return found


def begin_of_attribution(lines: Sequence[str], last: int) -> int | None:
    """Return the first of the lines that end with number *last* and say "On … she wrote:" of what is set in below."""
    firsts = range(last, max(-1, last - 4), -1)
    return next((first for first in firsts if _attribution(lines, first, is_set_in=True) == last - first + 1), None)


def _lines(text: str) -> tuple[list[str], list[int]]:
    lines = text[:_MOST_TEXT].split("\n")[:_MOST_LINES]
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    return lines, starts


def _is_marked(line: str) -> bool:
    return line.lstrip().startswith((">", "＞")) and not line.rstrip().endswith("<<")


def _end_of_marks(lines: Sequence[str], first: int) -> int:
    """Behind the last marked line of the run that begins at *first*; a program's soft break does not end it."""
    end = index = first
    if first >= len(lines) or not _is_marked(lines[first]):
        return first
    while index < len(lines):
        if _is_marked(lines[index]):
            end = index + 1
        elif lines[index].strip() and not _is_soft_break(lines, index):
            break
        index += 1
    return end


def _quote_line(lines: Sequence[str]) -> int | None:
    """The first line of quoted mail after which she writes nothing more."""
    openings = 0
    for index, line in enumerate(lines):
        if _MAY_INTRODUCE.search(line) and FORWARDED.fullmatch(line[:_LONGEST_LINE]):
            raise _Forwarded
        length = _opens_quote(lines, index)
        if length and _is_tail(lines, index + length):
            return _with_rule(lines, index)
        openings += bool(length) or line.endswith(":")
        if openings > _MOST_OPENINGS:
            break
    return _trailing_marks(lines)


def _with_rule(lines: Sequence[str], index: int) -> int:
    """A line drawn right above belongs to what it introduces."""
    above = index - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    return above if above >= 0 and RULE.fullmatch(lines[above][:_LONGEST_LINE]) else index


def _opens_quote(lines: Sequence[str], index: int) -> int:
    """How many lines from *index* introduce a quoted mail; 0 when none do."""
    line = lines[index][:_LONGEST_LINE]
    if not line.strip():
        return 0
    if ANGLED.fullmatch(line) and (ADDRESS.search(line) or DAY.search(line)):
        return 1
    if _MAY_INTRODUCE.search(line):
        if ORIGINAL.fullmatch(line) or DASHED_WROTE.fullmatch(line):
            return 1
        if RULE.fullmatch(line):
            block = _field_block(lines, index + 1, fewest=2)
            return 1 + block if block else 0
        if block := _field_block(lines, index, fewest=3):
            return block
    return _attribution(lines, index)


def _field_block(lines: Sequence[str], index: int, *, fewest: int) -> int:
    """Outlook repeats From, Sent, To and Subject: several such lines close together, who or when among them."""
    while index < len(lines) and fewest == 2 and not lines[index].strip():
        index += 1  # a blank line below the rule
    first = FIELD.fullmatch(lines[index][:_LONGEST_LINE]) if index < len(lines) else None
    if first is None or not (first["from"] or first["date"] or first["subject"] or first["to"]):
        return 0
    last, roles, values = index, {_role(first)}, first["value"] or ""
    if fewest == 2:  # below a rule, a program that writes them in one line is believed as well
        roles |= {_role(found) for found in FIELD_WITHIN.finditer(values)}
    for offset, line in enumerate(lines[index + 1 : index + 14], index + 1):
        if found := FIELD.fullmatch(line[:_LONGEST_LINE]):
            if (role := _role(found)) in ("from", "date", "subject") and role in roles and fewest == 3:
                return 0  # a line of hers that looks like one, above the header itself
            last = offset
            roles.add(role)
            values += " " + (found["value"] or "")
        elif offset - last > 2 or (not line.strip() and len(roles) >= fewest) or ORIGINAL.fullmatch(line):
            break
    told = "from" in roles and ("date" in roles or "subject" in roles)
    # "From: Florence, To: Milan, Date: 12 May" is a journey.
    mailed = "subject" in roles or fewest == 2 or bool(ADDRESS.search(values))
    told = told and (mailed or any(SENT.search(line[:40]) for line in lines[index : last + 1]))
    # Two fields alone: when it was, to the minute, and an address.
    surely = "date" in roles and bool(re.search(r"\d\d:\d\d", values)) and bool(ADDRESS.search(values))
    return last - index + 1 if (len(roles) >= fewest and told) or (len(roles) >= 2 and surely) else 0


def _role(field: re.Match[str]) -> str:
    return next(name for name, value in field.groupdict().items() if value is not None and name != "value")


def _attribution(lines: Sequence[str], index: int, *, is_set_in: bool = False) -> int:
    """A line "… wrote:", which programs break into as many as five; it begins where the day, or who it was, stands."""
    if not _may_begin(lines, index):
        return 0
    joined, skipped = "", 0
    for count, line in enumerate(lines[index : index + 6], 1):
        bare = _bare(line)
        if not bare:
            skipped += 1
            # "… John Smith\n\n<\nmailto:…>\nwrote:": a blank line only where an address must follow.
            if skipped > 1 or count == 1 or not (lines[index + count : index + count + 1] or [""])[0].startswith("<"):
                return 0
            continue
        if joined and LEAD.match(bare):
            return 0
        joined = f"{joined} {bare}".strip()
        if len(joined) > _LONGEST_ATTRIBUTION:
            return 0
        if _says_wrote(joined, lines, index + count, is_set_in=is_set_in):
            return 0 if _begins_later(lines, index, count) else count
    return 0


def _begins_later(lines: Sequence[str], index: int, count: int) -> bool:
    """Whether the last of these lines say it all by themselves, so that her own words stand above: "In 37, please"."""
    first = _bare(lines[index])
    for start in range(index + 1, index + count):
        rest = " ".join(filter(None, map(_bare, lines[start : index + count])))
        if not rest or FIELD.match(rest) or not _says_wrote(rest, lines, index + count):
            continue
        if DAY.search(rest) or not (LEAD.match(first) or STARTS_WITH_MOMENT.match(first)):
            return True
    return False


def _bare(line: str) -> str:
    """The line without the marks of a quote."""
    return line[:_LONGEST_LINE].lstrip("> \t\u00a0").strip()


def _may_begin(lines: Sequence[str], index: int) -> bool:
    if not any(line[:_LONGEST_LINE].rstrip().endswith(_ENDS_OF_WROTE) for line in lines[index : index + 6]):
        return False
    line = lines[index][:_LONGEST_LINE]
    return bool(re.search(r"[\d@]|<\s*$", line) or LEAD.match(line.lstrip("> \t\u00a0")) or WROTE.search(line))


def _says_wrote(joined: str, lines: Sequence[str], after: int, *, is_set_in: bool = False) -> bool:
    """Whether the *joined* lines introduce what follows: by word, date and address, or by the marks right below."""
    if not joined.endswith((":", "：", ">", ")")):
        return False
    addressed = "@" in joined and bool(ADDRESS.search(joined))
    dated = bool(MOMENT.search(joined))
    if not (dated or addressed) or joined.endswith("::"):
        return False
    marked = _is_marked(next((line for line in lines[after : after + 3] if line.strip()), ""))
    if not joined.endswith((":", "：")):
        # "2011/4/7 Nathan <nathan@…>" says nothing at its end; only the marks below tell.
        return marked and addressed and bool(STARTS_WITH_MOMENT.match(joined)) and joined.endswith((">", ")"))
    if WROTE.search(joined) or WROTE_CJK.search(joined):
        # "On Monday 4 May I wrote:" is hers; a program says neither "I" nor "you", and tells the hour or an address.
        if not (marked or is_set_in) and SAYS_I.search(joined):
            return False
        if marked or is_set_in:
            return addressed or bool(re.search(r"\d[:.h/-]\d|\d年|(?:19|20)\d\d", joined))
        return addressed or bool(HOUR.search(joined))
    if re.search(r"[>)\]]\s?[:：]$", joined) and addressed and STARTS_WITH_MOMENT.match(joined):
        return True
    return marked


def _same_line(lines: Sequence[str], starts: Sequence[int], text: str) -> int | None:
    """Her words and "On … wrote:" on one line, with marks below: the fold is in the middle of it."""
    for index, line in enumerate(lines):
        if _is_marked(line) or not line.rstrip().endswith(":"):
            continue
        found = SAME_LINE.search(line[:_LONGEST_LINE]) if WROTE.search(line[:_LONGEST_LINE]) else None
        if not found:
            continue
        rest = [line[found.end() :], *lines[index + 1 :]]
        opening = _attribution(rest, 0)
        below = [each for each in rest[opening:] if each.strip()]
        if opening and below and _is_marked(below[0]) and _is_tail(rest, opening):
            hers = line[: found.start()].strip(" -–—\t")
            fold = starts[index] + (found.start() if hers else 0)
            return fold if text[:fold].strip() else None
    return None


def _is_tail(lines: Sequence[str], after: int) -> bool:
    """Whether nothing of hers follows: after `>` marks no unmarked words; without marks all that follows is quoted."""
    rest = [line for line in lines[after:] if line.strip()]
    if not rest or not _is_marked(rest[0]):
        return True
    unmarked = [(index, line) for index, line in enumerate(rest) if not _is_marked(line)]
    for position, (_, line) in enumerate(unmarked):
        if SIGNATURE.fullmatch(line.strip()[:200]) or RULE.fullmatch(line[:_LONGEST_LINE]):
            return _only_soft_breaks(rest, unmarked[:position])
    return _only_soft_breaks(rest, unmarked)


def _only_soft_breaks(rest: Sequence[str], unmarked: Sequence[tuple[int, str]]) -> bool:
    return len(unmarked) <= 12 and all(_is_soft_break(rest, index) for index, _ in unmarked)


def _is_soft_break(lines: Sequence[str], index: int) -> bool:
    """A quoted line that a program broke leaves an unmarked rest between marked ones; what begins anew is hers."""
    if not 0 < index < len(lines) - 1 or not _is_marked(lines[index + 1]):
        return False
    line, above = lines[index].strip(), lines[index - 1].rstrip()
    if CLOSES_LINK.fullmatch(line):
        return True
    word = line.partition(" ")[0]
    return word[:1].islower() and not ENDS_SENTENCE.search(above) and len(above) + len(word) > _WIDTH and len(line) < 80


def _trailing_marks(lines: Sequence[str]) -> int | None:
    """A last run of `>` lines without any introduction."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    start = end
    while start and (_is_marked(lines[start - 1]) or not lines[start - 1].strip()):
        start -= 1
    while start < end and not lines[start].strip():
        start += 1
    earlier = any(_is_marked(line) for line in lines[:start])
    listed = start > 0 and lines[start - 1].rstrip().endswith((":", "："))  # "I would like:" begins a list of hers
    return start if end > start and not (earlier or listed) else None


def _signature_line(lines: Sequence[str]) -> int | None:
    """The signature's first line: the last "-- ", or what a phone adds, with little enough below it."""
    filled = [index for index, line in enumerate(lines) if line.strip()]
    for index in filled[-_LAST_LINES:]:
        if SIGNATURE.fullmatch(lines[index].strip()[:200]) and not _goes_on(lines[index + 1 :]):
            return index
    return None


def _goes_on(below: Sequence[str]) -> bool:
    """Whether she writes on below what looked like a signature: a postscript, a question."""
    words = [line[:_LONGEST_LINE] for line in below if not _is_marked(line)]
    return any(POSTSCRIPT.search(line) or ASKS.search(line) for line in words)
