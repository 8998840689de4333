"""Each provider with a view of what arrived behind it."""

import base64
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from concierge.mailing.mail import Mail
from concierge.mailing.providers.base import Parcel, Provider, pack
from concierge.mailing.providers.folder import FolderProvider
from concierge.mailing.providers.memory import MemoryProvider
from concierge.mailing.providers.sendgrid import SendGridProvider
from concierge.mailing.providers.smtp import SmtpProvider
from tests.mailing.doubles import API_KEY, sendgrid_door, smtp_relay
from tests.mailing.samples import BLOBS, NOW, SeenFile, SeenMail, lines, make_full_mail, read_mail


@dataclass
class Carrier:
    """A provider and a view of what arrived behind it."""

    provider: Provider
    arrived: Callable[[], list[SeenMail]]


def parcel(mail: Mail | None = None, key: str = "reply:1", *, seconds: int = 0) -> Parcel:
    return pack(key, mail or make_full_mail(), BLOBS.__getitem__, now=NOW + timedelta(seconds=seconds))


def make_carrier(name: str, folder: Path, stack: ExitStack) -> Carrier:
    if name == "memory":
        memory = MemoryProvider()
        return Carrier(memory, lambda: [read_mail(each.raw) for each in memory.sent])
    if name == "folder":
        outbox = folder / "outbox"
        return Carrier(
            FolderProvider(outbox), lambda: [read_mail(path.read_bytes()) for path in sorted(outbox.glob("*.eml"))]
        )
    if name == "sendgrid":
        door = stack.enter_context(sendgrid_door())
        return Carrier(SendGridProvider(API_KEY, door.url), lambda: [read_request(each) for each in door.accepted])
    tls = {"smtp": "", "smtps": "implicit", "smtp+starttls": "starttls"}[name]
    relay = stack.enter_context(smtp_relay(folder, tls=tls, login=bool(tls)))
    trusted = ssl.create_default_context(cafile=relay.certificate)
    sign_in = "concierge:p%40ss%2Fword@" if tls else ""
    provider = SmtpProvider(f"{name}://{sign_in}localhost:{relay.port}", tls=trusted)
    return Carrier(provider, lambda: [read_mail(raw) for _, _, raw in relay.mails])


def read_request(body: dict[str, Any]) -> SeenMail:
    """A Mail Send request as SendGrid would turn it into a mail."""
    person = body["personalizations"][0]
    parts = {part["type"]: lines(part["value"]) for part in body["content"]}
    headers = dict(body.get("headers", {}))
    files = tuple(
        SeenFile(
            file["filename"],
            file["type"],
            base64.b64decode(file["content"]),
            file.get("content_id"),
            file["disposition"] == "inline",
        )
        for file in body.get("attachments", [])
    )
    return SeenMail(
        sender=body["from"]["email"],
        sender_name=body["from"].get("name", ""),
        to=person["to"][0]["email"],
        to_name=person["to"][0].get("name", ""),
        reply_to=body["reply_to"]["email"] if "reply_to" in body else None,
        subject=body["subject"],
        text=parts["text/plain"],
        html=parts.get("text/html"),
        message_id=headers.pop("Message-ID", None),
        in_reply_to=headers.pop("In-Reply-To", None),
        references=tuple(headers.pop("References", "").split()),
        files=files,
        extra=tuple(headers.items()),
    )
