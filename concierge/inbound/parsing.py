"""Bytes of a mail → ParsedMail: the whole of it, in order; never raises, whatever comes."""

import logging
from traceback import extract_tb

from concierge.addresses import Address
from concierge.conversations.quoting import part_letter
from concierge.inbound.authenticity import read_verdicts
from concierge.inbound.bodies import read_letter
from concierge.inbound.bounces import read_failures, read_returned
from concierge.inbound.charsets import codec_for
from concierge.inbound.headers import MOST_HEADER_BYTES, Headers, message_ids, own_message_id, read_date, read_offset
from concierge.inbound.kinds import Written, open_report, read_lists, tell_kind
from concierge.inbound.languages import guess_language
from concierge.inbound.mime import Part, TooComplex, read_parts
from concierge.inbound.names import guess_first_name
from concierge.inbound.parsed import Kind, ParsedMail, Unreadable
from concierge.inbound.senders import read_all, read_sender

log = logging.getLogger(__name__)

LONGEST_SUBJECT = 1_000
_SINGLE = ("subject", "date", "message-id", "to", "cc", "reply-to", "sender", "in-reply-to", "references")
_DELIVERED = ("delivered-to", "x-original-to", "x-forwarded-to", "envelope-to", "x-envelope-to", "x-rcpt-to")


def parse_mail(
    raw: bytes, *, envelope_from: str | None = None, most_bytes: int = 32 * 1024 * 1024
) -> ParsedMail | Unreadable:
    """Return what the mail says, or why it can't be read.

    *envelope_from* is the SMTP sender ("" for the null path, None when unknown). Mails above *most_bytes*, with more
    parts or deeper nested ones than mime's caps, or with a header block beyond MOST_HEADER_BYTES are not read.
    """
    if len(raw) > most_bytes:
        return Unreadable("too-large")
    if not raw.strip():
        return Unreadable("empty-mail")
    try:
        return _parse(raw, envelope_from)
    except TooComplex:
        return Unreadable("too-complex")
    except MemoryError:
        return Unreadable("too-much-memory")
    except Exception as error:
        # The one place where anything may be caught: a mail that surprises us goes to quarantine, not through the roof.
        # Where, but not with what: the error's own words may quote the mail.
        place = extract_tb(error.__traceback__)[-1]
        log.error("a mail could not be read: %s in %s, line %s", type(error).__name__, place.name, place.lineno)
        return Unreadable("surprise", f"{type(error).__name__}: {error}"[:300].encode("ascii", "replace").decode())


def _parse(raw: bytes, envelope_from: str | None) -> ParsedMail | Unreadable:
    root = read_parts(raw)
    if not root.headers.fields:  # but a program's mark of UTF-8, or empty lines, may stand before it
        root = read_parts(raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n"))
        if root.headers.first("from") is None:
            return Unreadable("no-header")
    headers = root.headers
    if root.start >= MOST_HEADER_BYTES:
        return Unreadable("huge-header")
    charset = _header_charset(root)
    sender = read_sender(headers, charset, envelope_from)
    subject = headers.text("subject", charset)[:LONGEST_SUBJECT]
    root = open_report(root, subject, sender.address)
    letter = read_letter(root)
    fold_at, hers = part_letter(letter.text)
    words = hers if hers.strip() else letter.text
    kind, reason = tell_kind(root, Written(subject, letter.text, hers), sender.address, envelope_from)
    reports = kind in (Kind.BOUNCE, Kind.DELAY)
    returned = read_returned(root, letter.text) if reports or kind is Kind.RECEIPT else ()
    return ParsedMail(
        message_id=own_message_id(headers.text("message-id")),
        in_reply_to=_ids(headers, "in-reply-to"),
        references=tuple(dict.fromkeys((*_ids(headers, "references"), *reversed(returned)))),
        sent_at=read_date(headers.text("date")),
        offset=read_offset(headers.text("date")),
        verdicts=read_verdicts(headers),
        subject=subject,
        sender=sender.address,
        reply_to=read_all(headers, "reply-to", charset),
        to=read_all(headers, "to", charset),
        cc=read_all(headers, "cc", charset),
        delivered_to=tuple(_delivered_to(headers)),
        text=letter.text,
        fold_at=fold_at,
        html=letter.html,
        attachments=letter.attachments,
        kind=kind,
        kind_reason=reason,
        failures=read_failures(root, letter.text) if reports else (),
        returned=returned,
        lists=read_lists(headers) if kind is Kind.LIST else (),
        language=guess_language(words),
        first_name=guess_first_name(sender.address.name if sender.address else "", words),
        flags=tuple(sorted({*letter.flags, *sender.flags, *_odd_headers(headers)})),
    )


def _header_charset(root: Part) -> str | None:
    """Raw 8-bit headers are mostly written in the charset of the first text part."""
    for part in root.walk():
        if part.charset and codec_for(part.charset.lower()[:40]):
            return part.charset
    return None


def _ids(headers: Headers, name: str) -> tuple[str, ...]:
    return message_ids(" ".join(value.decode("latin-1") for value in headers.all(name)))


def _delivered_to(headers: Headers) -> list[Address]:
    return [address for name in _DELIVERED for address in read_all(headers, name, None)][:20]


def _odd_headers(headers: Headers) -> set[str]:
    """A field that must stand once and stands twice with different words: the first counts, and it is said."""
    names = [name for name, _ in headers.fields]
    doubled = {name for name in _SINGLE if names.count(name) > 1 and len(set(headers.all(name))) > 1}
    return {f"two-{name}s" if name in ("subject", "message-id", "date") else "doubled-headers" for name in doubled}
