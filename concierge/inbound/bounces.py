"""What a mail system reports of a mail: whom it could not reach, for good or for now, and which mail it was.

RFC 3464 where it is kept to; else the words of Postfix, Exim, qmail, sendmail, Exchange, Gmail, Yahoo and their kin.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum

from concierge.addresses import is_address
from concierge.inbound.bounce_words import (
    COPY_BELOW,
    DEAD,
    DELAYED,
    FAILED,
    HANDED_ON,
    NAMED_LAST,
    NAMES_RECIPIENT,
    PASSING,
    STILL_TRIES,
)
from concierge.inbound.headers import Headers, message_ids, split_message
from concierge.inbound.mime import Part
from concierge.inbound.parsed import Failure

MOST_FAILURES = 50
_MOST_TEXT = 20_000
_LONGEST_WORDS = 400
# Lines below an address that say why.
_REASON_LINES = 8
_ENCLOSED = (
    "message/rfc822",
    "message/global",
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/global-headers",
)
RECEIPT_TYPE = "message/disposition-notification"
# The last is how XWall writes it.
STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status", "message/xdelivery-status")

_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.-])([45]\d\d)(?=[\s:;,-]|$)")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"'|*]{1,100}@[^\s<>()\[\],;:\"'|*]{2,200}")
_ALONE = re.compile(
    rf"\s*[*•>-]*\s*[<\"']?(?:mailto:)?({_ADDRESS.pattern})[>\"']?\s*(?:\(.*\)|<.*>)?\s*"
    r"(?:[:,;-].*|\.(?:\s.*|\.+.*)?|on (?:\d|[^\W\d_]{3},).*)?"
)
_MESSAGE_ID = re.compile(r"(?im)^[> \t]*(?:x-)?(?:original-)?message-id:[ \t\r\n]*<([^<>\s\x00-\x1f\x7f-\xff]{1,998})>")
# An X.400 system writes it so.
_TYPED = re.compile(r"^(?:smtp|rfc-?822)=", re.IGNORECASE)
# Beside whom it failed for: an id, or whom to ask.
_OF_OTHERS = re.compile(
    r"message-?id|\b(?:contact|support|help|questions?|abuse|administrator|assistance)", re.IGNORECASE
)
# sendmail's reason stands between an address and where that has its mail from.
_REASON_ABOVE = re.compile(r"\(reason: [^\n]*\n\s*\(\Z", re.IGNORECASE)
# Whose mail it was: whom it came back to, no more.
_SENT_BY = re.compile(r"\bsent by:?\s*\Z", re.IGNORECASE)
_MAILERS = re.compile(r"(?:mailer-?daemon|mail-?daemon|postmaster|mdaemon)@", re.IGNORECASE)


class Action(StrEnum):
    """What a mail system says it did, one of RFC 3464's words."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"


_BY_CLASS = {"5.": Action.FAILED, "4.": Action.DELAYED, "2.": Action.DELIVERED}


def read_failures(root: Part, text: str) -> tuple[Failure, ...]:
    """Return whom the report *root* names as not reached, each once; *text* is what it says to people."""
    told, words = list(_told(root)), explained(text)
    if told:
        found = [each for _action, each in told]
    else:
        listed = _listed(root.headers.text("x-failed-recipients"))
        found = list(_read_words(words))
        found += [_failure((each,), "", words) for each in listed if not any(each in one.addresses for one in found)]
        found = found or _only_one_named(words, _written(root.headers.text("to")))
    ours = _written(root.headers.text("to"))
    found = _written_to(found, words)
    # Whatever a filter refuses, it is somebody's: that mailbox is there.
    if any(part.type == RECEIPT_TYPE for part in root.walk()):
        found = [replace(each, hard=False) for each in found]
    by_address: dict[str, Failure] = {}
    for each in found:
        if each.addresses[0] != ours:
            address = each.addresses[0].lower()
            by_address[address] = each if address not in by_address else _fuller(by_address[address], each)
    return tuple(by_address.values())[:MOST_FAILURES]


def _written_to(found: Sequence[Failure], words: str) -> list[Failure]:
    """Those found, with the address that was written to where it hands on its mail: that one is not gone for it."""
    handed = {_just_above(words, each.start()).lower(): each[1].strip(".") for each in HANDED_ON.finditer(words)}
    known = {each: handed.get(each.addresses[0].lower(), "") for each in found if len(each.addresses) == 1}
    return [
        replace(each, addresses=(*each.addresses, known[each]), hard=False) if is_address(known.get(each, "")) else each
        for each in found
    ]


def _just_above(words: str, position: int) -> str:
    above = _REASON_ABOVE.sub("", words[max(position - 400, 0) : position])
    return re.split(r"[\s<>()\[\],;:\"'|*]", above.rstrip(" \t\n(>\"'"))[-1]


def _fuller(one: Failure, other: Failure) -> Failure:
    """Of two that name one address the one that says more: a code, a reason; else the first."""
    return other if (bool(other.status), other.hard) > (bool(one.status), one.hard) else one


def _only_one_named(words: str, ours: str) -> list[Failure]:
    """Where nothing says so in a way we know, the one address it speaks of that is not ours."""
    told = "\n".join(line for line in words.split("\n") if not _OF_OTHERS.search(line))
    house = ours.rpartition("@")[2].lower()
    named = {each.strip(".<>'\"").lower(): each.strip(".<>'\"") for each in _untyped(told)}
    left = [each for key, each in named.items() if key.rpartition("@")[2] != house and not _MAILERS.match(key)]
    return [_failure((left[0],), "", words)] if len(left) == 1 and is_address(left[0]) else []


def _untyped(words: str) -> Iterator[str]:
    return (_TYPED.sub("", each) for each in _ADDRESS.findall(words))


def read_action(root: Part, text: str) -> Action | None:
    """Return what the report says was done: failed if anybody was not reached, else delayed, else delivered."""
    actions = {action for action, _failure in _told(root)} or _actions_of(root)
    for action in Action:
        if action in actions:
            return action
    words = explained(text)
    if STILL_TRIES.search(words):
        return Action.DELAYED
    if DELAYED.search(words) and not FAILED.search(words):
        return Action.DELAYED
    return Action.FAILED if FAILED.search(words) else None


def read_returned(root: Part, text: str) -> tuple[str, ...]:
    """Return the ids of the mail a report is about: what it encloses, names in its fields, quotes, or answers."""
    found: list[str] = []
    for part in root.walk():
        if part.type in _ENCLOSED:
            found += _MESSAGE_ID.findall(part.payload()[:100_000].decode("latin-1"))[:1]
        elif part.type in (*STATUS_TYPES, RECEIPT_TYPE):
            found += _MESSAGE_ID.findall(part.payload()[:20_000].decode("latin-1"))
    if not found:
        found += _MESSAGE_ID.findall(text[:200_000])[:1]
    answers = (*root.headers.all("in-reply-to"), *root.headers.all("references"))
    found += message_ids(" ".join(value.decode("latin-1") for value in answers))
    return tuple(dict.fromkeys(found))


def is_hard(status: str, words: str) -> bool:
    """Whether an address is gone for good: said by its code (RFC 3463), or in words where the code says little.

    A full mailbox, a mail refused for what it is or whom it is from, and whatever will be tried again, are not.
    """
    if status.startswith("4") or PASSING.search(words):
        return False
    # sendmail gives 5.3.0 with whatever its tables refuse, and says why in words.
    if status != "5.3.0" and status.startswith(("5.1.7", "5.1.8", "5.2.2", "5.2.3", "5.3.", "5.5.", "5.6.")):
        return False
    if status.startswith(("5.1.", "5.2.1")) and status != "5.1.0":
        return True
    return bool(DEAD.search(words))


def explained(text: str) -> str:
    """Return what the mail system says itself, above the copy of the mail it returns."""
    text = text[:_MOST_TEXT]
    below = COPY_BELOW.search(text)
    return text[: below.start()] if below else text


def _told(root: Part) -> Iterator[tuple[Action, Failure]]:
    """Each recipient of the machine-readable part who was not reached, or not yet (RFC 3464, 2.3)."""
    for part in root.walk():
        if part.type not in STATUS_TYPES:
            continue
        for fields in _groups(part):
            action = _action(fields)
            if action not in (Action.FAILED, Action.DELAYED):
                continue
            named = [_typed(fields.text(name)) for name in ("final-recipient", "original-recipient")]
            addresses = tuple(dict.fromkeys(each for each in named if is_address(each)))
            if addresses:
                words = _typed(fields.text("diagnostic-code")) or fields.text("status")
                yield action, _failure(addresses, fields.token("status"), words, action)


def _actions_of(root: Part) -> set[Action]:
    parts = [part for part in root.walk() if part.type in STATUS_TYPES]
    return {action for part in parts for fields in _groups(part) if (action := _action(fields)) is not None}


def _action(fields: Headers) -> Action | None:
    """What was done for one recipient; where it is not said, by the class of the status (RFC 3463, 2)."""
    said = fields.token("action")
    if not said and fields.first("final-recipient") is not None:
        return _BY_CLASS.get(fields.token("status")[:2])
    if said.startswith("fail"):
        return Action.FAILED
    if said in ("delivered", "relayed", "expanded"):
        return Action.DELIVERED
    return Action.DELAYED if said == Action.DELAYED else None


def _groups(part: Part) -> Iterator[Headers]:
    """The groups of fields of a report: the first on the mail, the others on a recipient each."""
    for block in re.split(rb"\r?\n[ \t]*\r?\n", part.payload()[:200_000])[: MOST_FAILURES * 2]:
        fields, _end = split_message(block.strip(b"\r\n") + b"\r\n\r\n")
        if fields.fields:
            yield fields


def _typed(value: str) -> str:
    """A value after its type: `rfc822; barbara@example.com`."""
    kind, mark, rest = value.partition(";")
    told = rest if mark and " " not in kind.strip() else value
    return _written(told) if "@" in told and " " not in told.strip() else told.strip()


def _written(text: str) -> str:
    found = _ADDRESS.search(text)
    return found[0].strip(".") if found else ""


def _listed(value: str) -> list[str]:
    return [each for each in (_written(one) for one in value.split(",")) if is_address(each)][:MOST_FAILURES]


def _failure(addresses: tuple[str, ...], status: str, words: str, action: Action = Action.FAILED) -> Failure:
    words = " ".join(words.split())[:_LONGEST_WORDS]
    status = status if _CODE.fullmatch(status) else ""
    exact = _CODE.search(words)
    if exact and (not status or status.endswith(".0.0") or status.endswith(".0")):
        status = exact[1]
    if not status and (reply := _REPLY.search(words)):
        status = f"{reply[1][0]}.0.0"
    return Failure(addresses, action is Action.FAILED and is_hard(status, words), status, words)


def _read_words(words: str) -> Iterator[Failure]:
    """Whom the words name: an address that stands alone, or in a sentence made for it; with the lines below it."""
    lines = words.split("\n")
    above = ""
    for index, line in enumerate(lines):
        heading, above = above, line if line.strip() else above
        if "@" in line and _SENT_BY.search(heading[-100:]):
            continue
        alone = _ALONE.fullmatch(line[:1_000]) if "@" in line else None
        two = " ".join(lines[index : index + 2])[:600]
        named = alone or NAMES_RECIPIENT.search(two) or NAMED_LAST.search(two)
        address = _TYPED.sub("", named[1] if named is not None else "").strip(".<>'\"")
        if address and is_address(address) and not _MAILERS.match(address):
            rest = (line[alone.end(1) :] if alone else line, *_below(lines[index + 1 :]))
            told = "\n".join(rest)
            # Some say why before they name whom.
            if not re.search(r"\w", told) and "@" not in heading and is_hard("", heading):
                told = heading
            yield _failure((address,), "", told)


def _below(lines: list[str]) -> Iterator[str]:
    blanks = 0
    for line in lines[:_REASON_LINES]:
        blanks += not line.strip()
        if blanks > 2 or ("@" in line and _ALONE.fullmatch(line[:1_000])):
            return
        yield line
