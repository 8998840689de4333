"""Mail by SendGrid's v3 Mail Send: its own helpers build the request, a connection that is kept open carries it."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask_babel import gettext as _
from sendgrid.helpers.mail import (
    Attachment,
    ClickTracking,
    CustomArg,
    From,
    OpenTracking,
    Personalization,
    ReplyTo,
    SubscriptionTracking,
    To,
    TrackingSettings,
)
from sendgrid.helpers.mail import Mail as Request

from concierge.addresses import Address
from concierge.mailing.backoff import read_reset, read_retry_after
from concierge.mailing.mail import MailFile, ancestry, bracketed, carried_type, is_in_ascii, wire_address
from concierge.mailing.mail import check as check_mail
from concierge.mailing.providers.base import (
    Accepted,
    Parcel,
    TransportError,
    only_ascii,
    plain,
    unknown_outcome,
    unreachable,
)
from concierge.mailing.providers.lines import Asked, Lines, Unanswered, Unreached
from concierge.mailing.reasons import Reason
from concierge.mailing.sendgrid_events import KEY_ARGUMENT

_WHO = "SendGrid"
_LARGEST = 30 * 1024 * 1024  # "The total size of your email … must be less than 30MB"


class SendGridProvider:
    """SendGrid behind its HTTP door."""

    name = "sendgrid"

    def __init__(self, api_key: str, url: str = "https://api.sendgrid.com", *, seconds: float = 25.0) -> None:
        """Nothing is connected yet; `seconds` is how long it may take to answer."""
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._lines = Lines(url, seconds=seconds)

    def send(self, parcel: Parcel) -> Accepted:
        """Hand over one mail; raises TransportError."""
        return self.call(parcel).answer()

    def call(self, parcel: Parcel) -> "Posted":
        """Post one mail and don't wait for the answer; raises TransportError, UnlawfulMail."""
        if not is_in_ascii(parcel.mail.to.address):
            raise only_ascii(_WHO, parcel.mail.to.address)
        body = json.dumps(request_body(parcel)).encode("utf-8")
        if len(body) > _LARGEST:
            raise TransportError(Reason.TOO_LARGE.of(host=_WHO, size=len(body)),
                                 permanent=True)  # fmt: skip
        try:
            return Posted(self._lines.ask("POST", "/v3/mail/send", self._headers, body), parcel.at)
        except Unreached as error:
            raise unreachable(_WHO, error) from error

    def check(self) -> str:
        """Ask which rights our key has."""
        try:
            response = self._lines.ask("GET", "/v3/scopes", self._headers).answer()
        except (Unreached, Unanswered) as error:
            raise unreachable(_WHO, error) from error
        if response.status != 200:
            raise TransportError(_("SendGrid does not accept our key (%(status)d).", status=response.status))
        if '"mail.send"' not in response.text:
            raise TransportError(_("Our SendGrid key may not send mail; give it the right “Mail Send”."))
        return str(_("SendGrid answers and our key may send mail."))

    def close(self) -> None:
        """Close the connections nobody speaks on."""
        self._lines.close()


@dataclass(frozen=True, slots=True)
class Posted:
    """A mail that SendGrid was given at some time, and has not answered yet."""

    asked: Asked
    at: datetime

    @property
    def until(self) -> float:
        """How long it may take, by the monotonic clock."""
        return self.asked.until

    def fileno(self) -> int:
        """Where the answer is heard."""
        return self.asked.fileno()

    def has_begun(self) -> bool:
        """Whether what is heard there is the answer."""
        return self.asked.has_begun()

    def answer(self) -> Accepted:
        """Wait for it; raises TransportError."""
        try:
            response = self.asked.answer()
        except Unreached as error:
            raise unreachable(_WHO, error) from error
        except Unanswered as error:
            raise unknown_outcome(_WHO, error) from error
        if 200 <= response.status < 300:  # 202; sandbox mode says 200
            return Accepted(response.headers.get("X-Message-Id", ""))
        raise refusal(response.status, response.headers, response.text, now=self.at)


def request_body(parcel: Parcel) -> dict[str, Any]:
    """The JSON of Mail Send for one mail; raises UnlawfulMail."""
    mail = parcel.mail
    check_mail(mail)
    person = Personalization()
    person.add_to(To(wire_address(mail.to.address), mail.to.name or None))
    # Inside the personalization: the published OpenAPI mistypes the top-level ones.
    person.add_custom_arg(CustomArg(KEY_ARGUMENT, parcel.key))
    body = _begun(mail.sender) | {
        "personalizations": [person.get()],
        "subject": " ".join(mail.subject.split()),
        "headers": dict(_headers(parcel)),
        # Not by the helpers' Content, which refuses any text that looks like an API key: she may be quoted whatever.
        "content": [{"type": "text/plain", "value": mail.text}],
    }
    if mail.html is not None:
        body["content"].append({"type": "text/html", "value": mail.html})
    if mail.reply_to is not None:
        body["reply_to"] = ReplyTo(wire_address(mail.reply_to.address), mail.reply_to.name or None).get()
    if mail.files:
        body["attachments"] = [_attachment(each, parcel.files[each.blob_key]).get() for each in mail.files]
    return body


@lru_cache(maxsize=256)
def _begun(sender: Address) -> dict[str, Any]:
    """What the mails of one sender share: no pixel, no rewritten links, no footer, for each is a letter to a person."""
    request, settings = Request(), TrackingSettings()
    request.from_email = From(wire_address(sender.address), sender.name or None)
    settings.click_tracking = ClickTracking(enable=False, enable_text=False)
    settings.open_tracking = OpenTracking(enable=False)
    settings.subscription_tracking = SubscriptionTracking(enable=False)
    request.tracking_settings = settings
    return dict(request.get())


def _headers(parcel: Parcel) -> list[tuple[str, str]]:
    mail = parcel.mail
    references = ancestry(mail.references, mail.in_reply_to)
    headers = [("Message-ID", bracketed(mail.message_id))]
    if mail.in_reply_to and bracketed(mail.in_reply_to) in references:
        headers.append(("In-Reply-To", bracketed(mail.in_reply_to)))
    if references:
        headers.append(("References", " ".join(references)))
    return headers + list(mail.headers.items())


def _attachment(file: MailFile, data: bytes) -> Attachment:
    attachment = Attachment(
        base64.b64encode(data).decode("ascii"),
        file.filename.strip(),
        carried_type(file),
        "inline" if file.cid else "attachment",
    )
    if file.cid:
        attachment.content_id = file.cid
    return attachment


def refusal(status: int, headers: Any, text: str, *, now: datetime) -> TransportError:
    """What an answer other than 2xx means for the mail.

    429, 503: not taken, wait. 401: not taken, our key is wrong; the mails are not. 408, 425: not taken, say it again
    (RFC 9110, 15.5.9; RFC 8470, 5.2). Other 4xx: this mail will never be taken. Other 5xx: something broke after we
    had handed it over, and nobody knows how far it had come.
    """
    words = Reason.SAID.of(host=_WHO, code=status, words=_errors(text))
    if status in (401, 408, 425, 429, 503) or status < 400:
        return TransportError(words, retry_after=_not_before(status, headers, now), reached=False)
    if status < 500:
        return TransportError(words, permanent=True)
    return unknown_outcome(_WHO, words)


def _not_before(status: int, headers: Any, now: datetime) -> datetime | None:
    """The time it asks us to wait for.

    Retry-After counts with any refusal that passes; X-RateLimit-Reset only with 429, for other answers carry it too and
    ask for nothing by it. Of both the later: each of them says that before it nothing is taken.
    """
    reset = read_reset(headers.get("X-RateLimit-Reset")) if status == 429 else None
    named = [each for each in (read_retry_after(headers.get("Retry-After"), now), reset) if each is not None]
    return max(named, default=None)


def _errors(text: str) -> str:
    """SendGrid's list of errors in words: each message, and the field it is about."""
    try:
        errors = json.loads(text)["errors"]
        said = [
            f"{error['message']} ({error['field']})" if error.get("field") else str(error["message"])
            for error in errors
        ]
    except (ValueError, LookupError, TypeError, AttributeError):
        said = []
    return plain("; ".join(said) or text or Reason.NOTHING_MORE.of())
