"""Whether the plain text of a mail says the same as its HTML, as it must (RFC 2046, 5.1.4; T10)."""

import re

from concierge.inbound.markup import strip_tags

_LONGEST_STUB = 400
_LONGEST_HTML = 200_000
_FEWEST_WORDS, _MOST_WORDS = 4, 80
_ENDS = re.compile(r"\n(?:--[ ]?\n|[>_])")
_LINK = re.compile(r"://|@|www\.")
# Where words stand without a space, each sign for itself.
_WORD = re.compile(r"[\u3040-\u9fff\uac00-\ud7af]|[^\W\d_\u3040-\u9fff\uac00-\ud7af]{3,40}|\d{2,40}")
# What programs write for who can't see HTML, and nothing else.
_STUB = re.compile(
    r"(?:does(?: not|n['’]t)|do(?: not|n['’]t)|can(?:not|['’]t)|unable to) "
    r"(?:support|display|view|read|show)\b.{0,60}\bhtml|"
    r"\bhtml\b.{0,60}(?:capable|compatible|enabled|format|version|viewer|client|reader)|"
    r"(?:view|read|see|open) (?:this|the) .{0,40}(?:in|with|on) (?:a|your|an?other) (?:web )?(?:browser|html)|"
    r"multi-?part message in mime format|(?:visualizza|leggi|apri).{0,40}(?:browser|html)|formato html|"
    r"format html|html-?(?:format|ansicht|fähig|anzeige)|htmlメール|html形式|html ?(?:格式|邮件|郵件)",
    re.IGNORECASE | re.DOTALL,
)


def says_only_html(text: str) -> bool:
    """Whether *text* says only that the mail is to be read as HTML."""
    stripped = text.strip()
    return len(stripped) <= _LONGEST_STUB and "?" not in stripped and bool(_STUB.search(stripped))


def tell_apart(text: str, html: str) -> bool:
    """Whether most words of *text*, above its signature and quotes, are nowhere in *html*."""
    above = _ENDS.split(text[:4_000], maxsplit=1)[0]
    said = " ".join(word for word in above.lower().split() if not _LINK.search(word))
    words = set(_WORD.findall(said)[:_MOST_WORDS])
    if len(words) < _FEWEST_WORDS or len(html) > _LONGEST_HTML:
        return False
    # Looked for as they stand at first, which costs next to nothing and does for nearly every mail.
    written = html.lower()
    if sum(word in written for word in words) * 2 >= len(words):
        return False
    there = set(_WORD.findall(strip_tags(html).lower()))
    return len(words & there) * 2 < len(words)
