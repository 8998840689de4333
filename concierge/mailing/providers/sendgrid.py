"""Mail by SendGrid's v3 Mail Send: its own helpers build the request, a pooled connection carries it."""

import base64
import json
import ssl
import time
from datetime import datetime
from threading import Lock
from typing import Any

import urllib3
from flask_babel import gettext as _
from sendgrid.helpers.mail import (
    Attachment,
    ClickTracking,
    CustomArg,
    From,
    Header,
    OpenTracking,
    Personalization,
    ReplyTo,
    SubscriptionTracking,
    To,
    TrackingSettings,
)
from sendgrid.helpers.mail import Mail as Request
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

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
from concierge.mailing.sendgrid_events import KEY_ARGUMENT

_WHO = "SendGrid"
_LARGEST = 30 * 1024 * 1024  # "The total size of your email … must be less than 30MB"
_IDLE = 15.0  # seconds; an older connection may be closing at the other end, and a lost answer costs an editor's time


class SendGridProvider:
    """SendGrid behind its HTTP door."""

    name = "sendgrid"

    def __init__(self, api_key: str, url: str = "https://api.sendgrid.com", *, seconds: float = 25.0) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._timeout = urllib3.Timeout(connect=min(5.0, seconds), read=seconds)
        self._lock = Lock()
        self._used_at = 0.0
        self._pool = self._new_pool()

    def send(self, parcel: Parcel) -> Accepted:
        """Hand over one mail; raises TransportError."""
        if not is_in_ascii(parcel.mail.to.address):
            raise only_ascii(_WHO, parcel.mail.to.address)
        body = json.dumps(request_body(parcel)).encode("utf-8")
        if len(body) > _LARGEST:
            raise TransportError(_("The mail is too large for %(host)s (%(size)d bytes).", host=_WHO, size=len(body)),
                                 permanent=True)  # fmt: skip
        try:
            response = self._call("POST", "/v3/mail/send", body)
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise unreachable(_WHO, error) from error
        except SSLError as error:
            if isinstance(error.args[0] if error.args else None, ssl.SSLCertVerificationError):
                raise unreachable(_WHO, error) from error
            raise unknown_outcome(_WHO, error) from error
        except HTTPError as error:
            raise unknown_outcome(_WHO, error) from error
        text = _read(response)
        if 200 <= response.status < 300:  # 202; sandbox mode says 200
            return Accepted(response.headers.get("X-Message-Id", ""))
        raise refusal(response.status, response.headers, text, now=parcel.at)

    def check(self) -> str:
        """Ask which rights our key has."""
        try:
            response = self._call("GET", "/v3/scopes", None)
        except HTTPError as error:
            raise unreachable(_WHO, error) from error
        text = _read(response)
        if response.status != 200:
            raise TransportError(_("SendGrid does not accept our key (%(status)d).", status=response.status))
        if '"mail.send"' not in text:
            raise TransportError(_("Our SendGrid key may not send mail; give it the right “Mail Send”."))
        return str(_("SendGrid answers and our key may send mail."))

    def close(self) -> None:
        """Close the pooled connections."""
        with self._lock:
            self._pool.close()
            self._pool = self._new_pool()

    def _call(self, method: str, path: str, body: bytes | None) -> urllib3.BaseHTTPResponse:
        return self._fresh_pool().urlopen(
            method,
            path,
            body=body,
            headers=self._headers,
            timeout=self._timeout,
            retries=False,
            redirect=False,
            preload_content=False,
        )

    def _fresh_pool(self) -> urllib3.HTTPConnectionPool:
        with self._lock:
            now = time.monotonic()
            if now - self._used_at > _IDLE:
                self._pool = self._new_pool()
            self._used_at = now
            return self._pool

    def _new_pool(self) -> urllib3.HTTPConnectionPool:
        return urllib3.connection_from_url(self._url, maxsize=16)


def request_body(parcel: Parcel) -> dict[str, Any]:
    """The JSON of Mail Send for one mail; raises UnlawfulMail."""
    mail = parcel.mail
    check_mail(mail)
    request = Request()
    request.from_email = From(wire_address(mail.sender.address), mail.sender.name or None)
    request.subject = " ".join(mail.subject.split())
    person = Personalization()
    person.add_to(To(wire_address(mail.to.address), mail.to.name or None))
    # Inside the personalization: the published OpenAPI mistypes the top-level ones.
    person.add_custom_arg(CustomArg(KEY_ARGUMENT, parcel.key))
    request.add_personalization(person)
    if mail.reply_to is not None:
        request.reply_to = ReplyTo(wire_address(mail.reply_to.address), mail.reply_to.name or None)
    for name, value in _headers(parcel):
        request.add_header(Header(name, value))
    for file in reversed(mail.files):  # the helpers put each new one first
        request.add_attachment(_attachment(file, parcel.files[file.blob_key]))
    request.tracking_settings = _untracked()
    body: dict[str, Any] = request.get()
    # Past the helpers' Content, which refuses any text that looks like an API key: a customer may quote what she likes.
    body["content"] = [{"type": "text/plain", "value": mail.text}]
    if mail.html is not None:
        body["content"].append({"type": "text/html", "value": mail.html})
    return body


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


def _untracked() -> TrackingSettings:
    """No pixel, no rewritten links, no footer: it is a letter from one person to another."""
    settings = TrackingSettings()
    settings.click_tracking = ClickTracking(enable=False, enable_text=False)
    settings.open_tracking = OpenTracking(enable=False)
    settings.subscription_tracking = SubscriptionTracking(enable=False)
    return settings


def refusal(status: int, headers: Any, text: str, *, now: datetime) -> TransportError:
    """What an answer other than 2xx means for the mail.

    429, 503: not taken, wait. 401: not taken, our key is wrong; the mails are not. Other 4xx: this mail will never be
    taken. Other 5xx: something broke after we had handed it over, and nobody knows how far it had come.
    """
    words = _("SendGrid said %(status)d: %(words)s", status=status, words=_errors(text))
    if status == 429:
        return TransportError(words, retry_after=read_reset(headers.get("X-RateLimit-Reset")), reached=False)
    if status == 503:
        return TransportError(words, retry_after=read_retry_after(headers.get("Retry-After"), now), reached=False)
    if status == 401 or status < 400:
        return TransportError(words, reached=False)
    if status < 500:
        return TransportError(words, permanent=True)
    return unknown_outcome(_WHO, words)


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
    return plain("; ".join(said) or text or _("nothing more"))


def _read(response: urllib3.BaseHTTPResponse) -> str:
    """The answer's text as far as it came: the status alone already says what became of the mail."""
    try:
        data = response.read(20_000, decode_content=True)
        response.drain_conn()
    except HTTPError:
        return ""
    finally:
        response.release_conn()
    return data.decode("utf-8", "replace")
