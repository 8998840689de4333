"""What browsers report of our Content-Security-Policy (CSP Level 3, and the Reporting API), as values."""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_MOST = 20  # of one post
_WORD = re.compile(r"[a-z][a-z-]{0,39}")
_HOST = re.compile(r"[a-z0-9:._-]{1,100}")
_DIRECTIVES = frozenset(
    "default-src script-src script-src-elem script-src-attr style-src style-src-elem style-src-attr img-src font-src"
    " connect-src media-src object-src child-src frame-src worker-src manifest-src fenced-frame-src form-action"
    " frame-ancestors base-uri navigate-to sandbox".split()
)
# What she has added to her own browser is no work of ours.
_HERS = re.compile(r"[a-z-]+-extension:")


@dataclass(frozen=True, slots=True)
class Told:
    """One report: the address of the page, what it broke, and the host it would have led to, or how ("inline")."""

    url: str
    directive: str
    blocked: str


def read_breaches(posted: bytes) -> tuple[Told, ...]:
    """Return what a browser posted; what is no such report, or none of our doing, is passed over. Never raises."""
    try:
        said = json.loads(posted)
    except (ValueError, RecursionError):
        return ()
    found = (_read(each) for each in (said if isinstance(said, list) else [said])[:_MOST])
    return tuple(each for each in found if each)


def _read(report: Any) -> Told | None:
    if not isinstance(report, dict):
        return None
    body = report.get("csp-report") or (report.get("type") == "csp-violation" and report.get("body"))
    if not isinstance(body, dict):
        return None
    url, directive, blocked, source = (
        next((str(body[name]) for name in names if isinstance(body.get(name), str)), "")
        for names in (
            ("document-uri", "documentURL"),
            ("effective-directive", "effectiveDirective", "violated-directive"),
            ("blocked-uri", "blockedURL"),
            ("source-file", "sourceFile"),
        )
    )
    directive, led_to = directive.partition(" ")[0], _host(blocked)
    if directive not in _DIRECTIVES or not led_to or _HERS.match(blocked) or _HERS.match(source):
        return None
    return Told(url, directive, led_to)


def _host(blocked: str) -> str:
    """Where it would have led: a host and nothing behind it; the scheme where there is none; a word as it is."""
    blocked = blocked.lower()
    if _WORD.fullmatch(blocked):
        return blocked
    try:
        parts = urlsplit(blocked)
        found = parts.hostname or parts.scheme
    except ValueError:
        return ""
    return found if _HOST.fullmatch(found) else ""
