"""What an invitation says (RFC 5545), as far as its file's name tells an editor: to what, and when."""

import re
from datetime import datetime

from concierge.inbound.headers import clean_line

_MOST = 100_000
_FOLD = re.compile(r"\r?\n[ \t]|\r[ \t]")
_EVENT = re.compile(r"(?ims)^BEGIN:VEVENT\s*$(.*?)^END:VEVENT\s*$")
_SUMMARY = re.compile(r"(?im)^SUMMARY(?:;[^:\r\n]{0,200})?:([^\r\n]{0,500})")
_START = re.compile(r"(?im)^DTSTART(?:;[^:\r\n]{0,200})?:(\d{8})(?:T(\d{4})\d{0,2}Z?)?\s*$")
_ESCAPED = re.compile(r"\\([\\;,nN])")


def name_invitation(calendar: str) -> str:
    """Return a name such as `Fitting 2026-05-12 10.00.ics`, by the clock the invitation is written in; or nothing."""
    event = _EVENT.search(_FOLD.sub("", calendar[:_MOST]))
    if event is None:
        return ""
    summary, start = _SUMMARY.search(event[1]), _START.search(event[1])
    what = clean_line(_ESCAPED.sub(lambda found: " " if found[1] in "nN" else found[1], summary[1])) if summary else ""
    words = [re.sub(r'[/\\:"<>|?*]+', " ", what)[:100].strip(), _written(start) if start else ""]
    return " ".join(filter(None, words)) + ".ics" if any(words) else ""


def _written(start: re.Match[str]) -> str:
    try:
        day = datetime.strptime(start[1], "%Y%m%d").strftime("%Y-%m-%d")  # noqa: DTZ007 - only written again
    except ValueError:
        return ""
    return f"{day} {start[2][:2]}.{start[2][2:]}" if start[2] else day
