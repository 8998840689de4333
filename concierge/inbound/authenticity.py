"""Whether a mail truly comes from where it says: by what mail systems the house trusts found (RFC 8601, T11)."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from concierge.addresses import ascii_domain
from concierge.inbound.headers import Headers
from concierge.inbound.parsed import Verdict

# The word a house trusts them by that give no name of theirs (Microsoft 365).
NAMELESS = "nameless"

_MOST_FIELDS, _MOST_CHARACTERS, _MOST_VERDICTS = 10, 4_000, 30
_COMMENT = re.compile(r"\([^()]*\)")
_NAMED = re.compile(r"\s*([A-Za-z0-9._:-]{1,255})(?:\s+\d+)?\s*")
_FOUND = re.compile(r"\s*(spf|dkim|dmarc)(?:/\d{1,3})?\s*=\s*([a-z]{1,20})\b", re.IGNORECASE)
# By its method, the property that says what was looked at (RFC 8601, 2.7).
_ABOUT = {
    "spf": re.compile(r"smtp\.mailfrom\s*=\s*\"?([^\s;\"]{1,320})", re.IGNORECASE),
    "dkim": re.compile(r"header\.[di]\s*=\s*\"?([^\s;\"]{1,320})", re.IGNORECASE),
    "dmarc": re.compile(r"header\.from\s*=\s*\"?([^\s;\"]{1,320})", re.IGNORECASE),
}
_SIGNED = re.compile(r"@?([a-z0-9.-]{1,255})\s*:\s*([a-z]{1,20})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom the house believes, by the names they go by, and the score from which its provider's mail is unwanted."""

    receivers: frozenset[str] = frozenset()
    spam_score: float = 0.0


NOBODY = Trust()


def read_verdicts(headers: Headers) -> tuple[Verdict, ...]:
    """What Authentication-Results fields say, by whomever; of what one system says twice its uppermost field counts.

    Its own it puts on top; one below may be its sender's, where it did not take that away (RFC 8601, 5).
    """
    found: list[Verdict] = []
    said: set[tuple[str, str]] = set()
    for value in headers.all("authentication-results")[:_MOST_FIELDS]:
        here = [each for each in _read(value) if (each.by, each.method) not in said]
        said.update((each.by, each.method) for each in here)
        found += here
    return tuple(found[:_MOST_VERDICTS])


def _read(value: bytes) -> Iterable[Verdict]:
    text = value[:_MOST_CHARACTERS].decode("latin-1")
    for _depth in range(3):
        text = _COMMENT.sub(" ", text)
    first, *rest = text.split(";")
    name = _NAMED.fullmatch(first)
    for piece in rest if name else (first, *rest):
        if found := _FOUND.match(piece):
            method, result = found[1].lower(), found[2].lower()
            about = _ABOUT[method].search(piece)
            yield Verdict(name[1].lower() if name else "", method, result, _domain(about[1]) if about else "")


def read_posted(posted: Mapping[str, Any], envelope_from: str | None) -> tuple[Verdict, ...]:
    """The same from what SendGrid's Inbound Parse posts beside a mail: `SPF` and `dkim`."""
    spf = str(posted.get("spf", "")).strip().lower()
    found = [Verdict("", "spf", spf, _domain(envelope_from or ""))] if spf else []
    signed = _SIGNED.findall(str(posted.get("dkim", ""))[:_MOST_CHARACTERS])
    return (*found, *(Verdict("", "dkim", result.lower(), _domain(domain)) for domain, result in signed))


def read_score(posted: Mapping[str, Any]) -> float:
    """The score it gives a mail for being unwanted; 0 where it gives none."""
    try:
        score = float(str(posted.get("spam_score", "")))
    except ValueError:
        return 0.0
    return score if abs(score) < 10_000 else 0.0


def believed(verdicts: Iterable[Verdict], trust: Trust) -> tuple[Verdict, ...]:
    """Those of systems the house trusts."""
    return tuple(each for each in verdicts if (each.by or NAMELESS) in trust.receivers)


def is_authentic(domain: str, verdicts: Collection[Verdict]) -> bool | None:
    """Whether a mail is from `domain`, as its From line says, by verdicts that are believed; None if they don't say.

    What vouches for another domain says nothing of this one: whoever sends may sign for her own.
    """
    policy = {each.result for each in verdicts if each.method == "dmarc" and each.domain in ("", domain)}
    hers = {each.result for each in verdicts if each.method != "dmarc" and _is_one_house(each.domain, domain)}
    if "fail" in policy:
        return False
    if "pass" in policy | hers:
        return True
    return False if hers & {"fail", "hardfail"} else None


def _is_one_house(one: str, other: str) -> bool:
    """Whether two domains are the same, or one lies within the other (RFC 7489, 3.1, relaxed)."""
    within = one.endswith(f".{other}") or other.endswith(f".{one}")
    return bool(one) and (one == other or (within and "." in one and "." in other))


def _domain(text: str) -> str:
    domain = text.rpartition("@")[2].strip("<>. ").lower()
    return domain if domain.isascii() else ascii_domain(domain) or domain
