"""Where a letter ends and its tail begins: signature and earlier mails quoted below. Nothing is ever cut off."""

import re
from functools import cache

from mailparser_reply.constants import MAIL_LANGUAGES

_MOST_TEXT = 200_000
_MOST_LINES = 5_000
_MOST_OPENINGS = 40
_LONGEST_ATTRIBUTION = 320

_WROTE = r"(?:wrote|schrieb|a [ée]crit|ha(?: +|\n)scritto|escribi[óo]|schreef|escreveu|skrev)"
# "On Tue, 4 Nov 2025 at 10:12, Nadia <nadia@…> wrote:", as each program says it in each language.
_ATTRIBUTION = re.compile(
    r"(?:(?:on|am|le|il(?: giorno)?|in data|el|op|em|den|a)\b.{4,300}?\b" + _WROTE + r"(?:\s.{1,120})?"
    r"|.{1,160}[<\[(].{3,120}@.{3,120}[>\])].{0,80}\b" + _WROTE + r""
    r"|[^\n]{1,80}\b(?:ha scritto il giorno|a [ée]crit le)\b[^\n]{4,80}"
    r"|\d{4}-\d\d-\d\d .{4,200}[<(].{3,120}@.{3,120}[>)])\s?:\s*$",
    re.IGNORECASE | re.DOTALL,
)
_DIVIDER = re.compile(
    r"^[\s>*]*[-_–—]{2,}\s*(?:original message|original-nachricht|ursprüngliche nachricht|message d'origine|"
    r"message original|messaggio originale|messaggio inoltrato|mensaje original|mensaje reenviado|forwarded message|"
    r"message transféré|weitergeleitete nachricht|oorspronkelijk bericht|mensagem original|reply message)\b.{0,60}$"
    r"|^(?:begin forwarded message|inizio messaggio inoltrato|début du message (?:réexpédié|transféré)|"
    r"anfang der weitergeleiteten nachricht|inicio del mensaje reenviado)\s?:\s*$",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\s*[_\u2500\u2014-]{24,}\s*$")
_FIELD = re.compile(
    r"^[\s>*]*(?P<name>from|sent|date|to|cc|subject|reply-to|"
    r"von|gesendet|datum|an|betreff|kopie|"
    r"de|envoy[ée]|envoy[ée] le|date|[àa]|objet|"
    r"da|inviato|data|a|per|oggetto|"
    r"enviado(?: el)?|fecha|para|asunto)\s?\*?\s?:\*?\s?\S",
    re.IGNORECASE,
)
_FROM_FIELD = re.compile(r"^[\s>*]*(?:from|von|de|da)\s?\*?\s?:\*?\s?\S", re.IGNORECASE)
_DEVICE = (
    r"(?:i ?phone|i ?pad|outlook|yahoo|gmail|samsung|proton|android|smartphone|libero|galaxy|huawei|blackberry|aol)"
)
# What a phone adds below: "Sent from my iPhone", "Inviato da Outlook per Android" …
_SIGNATURE = re.compile(
    r"-- ?"
    r"|sent (?:from|via|with) (?:(?:my|the|your) \S.{0,60}|mail for .{0,40}|" + _DEVICE + r"\b.{0,60})"
    r"|(?:get outlook for|scarica outlook per|obtenir outlook pour|outlook für) .{1,60}"
    r"|inviato (?:da|dal|con|tramite) (?:(?:il )?mio .{1,60}|posta per .{1,40}|" + _DEVICE + r"\b.{0,60})"
    r"|envoyé (?:de|depuis|à partir d[e'’u]) ?(?:(?:mon|l'|l’) ?.{1,60}|courrier .{1,40}|" + _DEVICE + r"\b.{0,60})"
    r"|von meinem .{2,40} gesendet|gesendet (?:von|mit|über) (?:mein\w* .{1,60}|(?:der )?" + _DEVICE + r"\b.{0,60})"
    r"|enviado (?:desde|con|do) (?:(?:mi|meu) .{1,60}|" + _DEVICE + r"\b.{0,60})"
    r"|verstuurd vanaf .{2,60}",
    re.IGNORECASE,
)


def find_fold(text: str) -> int | None:
    """Return the index in *text* where the tail (signature, quoted mails) begins, or None when there is none.

    Only a tail is folded: where the customer writes on below a quote, nothing is, and a letter is never folded whole.
    """
    lines = text[:_MOST_TEXT].split("\n")[:_MOST_LINES]
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    quote = _quote_line(lines)
    signature = _signature_line(lines[:quote] if quote is not None else lines)
    first = min((line for line in (quote, signature) if line is not None), default=None)
    if first is None:
        return None
    while first > 0 and not lines[first - 1].strip():
        first -= 1
    fold = starts[first]
    return fold if text[:fold].strip() else None


def _quote_line(lines: list[str]) -> int | None:
    """The first line of quoted mail after which she writes nothing more."""
    openings = 0
    for index in range(len(lines)):
        length = _opens_quote(lines, index)
        if length and _is_tail(lines, index + length):
            return index
        openings += bool(length) or lines[index].endswith(":")
        if openings > _MOST_OPENINGS:
            break
    return _trailing_marks(lines)


def _opens_quote(lines: list[str], index: int) -> int:
    """How many lines from *index* introduce a quoted mail; 0 when none do."""
    line = lines[index]
    if not line.strip():
        return 0
    if _DIVIDER.match(line[:200]):
        return 1
    if _RULE.match(line) and _field_block(lines, index + 1):
        return 1 + _field_block(lines, index + 1)
    if block := _field_block(lines, index):
        return block
    return _attribution(lines, index)


def _field_block(lines: list[str], index: int) -> int:
    """Outlook repeats From, Sent, To and Subject: at least three such lines close together, the first naming who."""
    if index >= len(lines) or not _FROM_FIELD.match(lines[index][:200]):
        return 0
    last, fields = index, 1
    for offset, line in enumerate(lines[index + 1 : index + 12], index + 1):
        if _FIELD.match(line[:200]):
            last, fields = offset, fields + 1
        elif offset - last > 2:
            break
    return last - index + 1 if fields >= 3 else 0


def _attribution(lines: list[str], index: int) -> int:
    """A line "… wrote:", which programs break into as many as four."""
    joined = ""
    for count, line in enumerate(lines[index : index + 4], 1):
        if not line.strip():
            return 0
        joined = f"{joined}\n{line.lstrip('> ')}".strip()
        if len(joined) > _LONGEST_ATTRIBUTION:
            return 0
        if joined.endswith(":") and (
            _ATTRIBUTION.match(joined) or _introduces(joined, lines, index + count) or _foreign_attribution(joined)
        ):
            return count
    return 0


def _introduces(joined: str, lines: list[str], after: int) -> bool:
    """In any language: a line with a date or an address that ends with a colon, and quote marks right below."""
    below = next((line for line in lines[after : after + 3] if line.strip()), "")
    return below.lstrip().startswith(">") and bool(re.search(r"\d|@", joined))


def _foreign_attribution(joined: str) -> bool:
    """The languages mail-parser-reply knows beyond ours; on one short line, where its patterns are safe."""
    flat = joined.replace("\n", " ")
    return any(pattern.match(flat) for pattern in _foreign_patterns())


@cache
def _foreign_patterns() -> tuple[re.Pattern[str], ...]:
    ours = {"en", "it", "fr", "de", "es"}
    return tuple(
        re.compile(words["wrote_header"], re.IGNORECASE)
        for language, words in MAIL_LANGUAGES.items()
        if language not in ours and isinstance(words.get("wrote_header"), str)
    )


def _is_tail(lines: list[str], after: int) -> bool:
    """Whether nothing of hers follows: after `>` marks no unmarked words; without marks all that follows is quoted."""
    rest = [line for line in lines[after:] if line.strip()]
    if not rest or not rest[0].lstrip().startswith(">"):
        return True
    unmarked = [line for line in rest if not line.lstrip().startswith(">")]
    for position, line in enumerate(unmarked):
        if _SIGNATURE.fullmatch(line.strip()[:200]) or _RULE.match(line):
            return _only_soft_breaks(rest, unmarked[:position])
    return _only_soft_breaks(rest, unmarked)


def _only_soft_breaks(rest: list[str], unmarked: list[str]) -> bool:
    """A quoted line broken by a program leaves a short unmarked rest between marked lines: not her writing."""
    if len(unmarked) > 12:
        return False
    for line in unmarked:
        index = rest.index(line)
        between = 0 < index < len(rest) - 1 and rest[index + 1].lstrip().startswith(">")
        if not (between and len(line) < 40 and len(rest[index - 1]) > 60):
            return False
    return True


def _trailing_marks(lines: list[str]) -> int | None:
    """A last run of `>` lines without any introduction."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    start = end
    while start and (lines[start - 1].lstrip().startswith(">") or not lines[start - 1].strip()):
        start -= 1
    while start < end and not lines[start].strip():
        start += 1
    earlier = any(line.lstrip().startswith(">") for line in lines[:start])
    return start if end - start >= 1 and not earlier else None


def _signature_line(lines: list[str]) -> int | None:
    """The signature's first line: the last "-- ", or what a phone adds, with little enough below it."""
    filled = [index for index, line in enumerate(lines) if line.strip()]
    for index in filled[-15:]:
        if _SIGNATURE.fullmatch(lines[index].strip()[:200]):
            return index
    return None
