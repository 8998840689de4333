"""Names for attachments: what the sender wrote, made safe to show and to save; never empty."""

import re

from concierge.inbound.headers import clean_line

_LONGEST = 150
_UNSAFE = re.compile(r'[<>:"|?*\x00-\x1f]')
_KINDS = {
    "text/plain": ("text", "txt"),
    "text/html": ("page", "html"),
    "text/calendar": ("invitation", "ics"),
    "text/vcard": ("contact", "vcf"),
    "text/x-vcard": ("contact", "vcf"),
    "text/csv": ("table", "csv"),
    "image/jpeg": ("picture", "jpg"),
    "image/png": ("picture", "png"),
    "image/gif": ("picture", "gif"),
    "image/webp": ("picture", "webp"),
    "image/heic": ("picture", "heic"),
    "image/svg+xml": ("picture", "svg"),
    "application/pdf": ("document", "pdf"),
    "application/zip": ("archive", "zip"),
    "message/rfc822": ("message", "eml"),
    "message/delivery-status": ("delivery-status", "txt"),
    "text/rfc822-headers": ("headers", "txt"),
    "application/pgp-signature": ("signature", "asc"),
    "application/pkcs7-signature": ("smime", "p7s"),
    "application/pkcs7-mime": ("smime", "p7m"),
}


def safe_name(given: str, content_type: str) -> str:
    """Return a file name without folders, control or direction characters, at most 150 long, with its extension."""
    name = re.split(r"[/\\]", clean_line(given))[-1]
    name = _UNSAFE.sub("_", name).strip(" .")
    if not name:
        stem, extension = _KINDS.get(content_type, (content_type.split("/", maxsplit=1)[0] or "file", "bin"))
        return f"{stem}.{extension}"
    if len(name) <= _LONGEST:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 12:
        return name[:_LONGEST]
    return f"{stem[: _LONGEST - len(extension) - 1]}.{extension}"


def message_name(subject: str) -> str:
    """Return the name a forwarded mail is saved under."""
    return safe_name(re.sub(r"[/\\]", " ", subject)[:100] + ".eml" if subject else "", "message/rfc822")
