"""What makes two deliveries the same mail: its Message-ID and what it says; the way it travelled does not count."""

import hashlib

from concierge.inbound.parsed import ParsedMail


def fingerprint(mail: ParsedMail, blob_key: str) -> str:
    """Return 64 hex digits that two deliveries of one mail share, and a forged repeat of its id does not.

    Message-ID alone would let anybody make her mail disappear by sending its id first. Without Message-ID and date
    only the very same bytes (*blob_key*) are the same mail: "Hello?" may be written twice.
    """
    digest = hashlib.sha256()
    for field in _fields(mail, blob_key):
        # Length first, so that no two lists of fields run into each other.
        digest.update(len(field).to_bytes(8, "big"))
        digest.update(field)
    return digest.hexdigest()


def _fields(mail: ParsedMail, blob_key: str) -> list[bytes]:
    dated = mail.message_id is not None or mail.sent_at is not None
    fields = [
        mail.message_id or "",
        mail.sent_at.isoformat() if mail.sent_at else "",
        mail.sender.address.lower() if mail.sender else "",
        mail.subject,
        mail.text,
        mail.html or "",
        *(f"{each.filename}\n{each.content_type}" for each in mail.attachments),
        "" if dated else blob_key,
    ]
    return [field.encode() for field in fields] + [hashlib.sha256(each.data).digest() for each in mail.attachments]
