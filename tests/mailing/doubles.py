"""Two carriers of mail that speak the real protocols and can fail on demand: an SMTP relay and SendGrid's v3 door."""

import asyncio
import base64
import binascii
import json
import re
import socket
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

API_KEY = "SG.a-key-for-tests.only"


# --- SMTP -----------------------------------------------------------------------------------------------------------
@dataclass
class Relay:
    """What an SMTP relay was given, and how it is to answer the next mails.

    Answers: "ok", "cut-after-dot" (accept, keep, hang up), "cut-in-data", "hang-after-dot", or a line of SMTP such as
    "rcpt 550 5.1.1 no such person", "mail 421 try later", "data 451 4.3.0 later".
    """

    port: int = 0
    mails: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    answers: deque[str] = field(default_factory=deque)
    connections: int = 0
    certificate: Path | None = None
    together: bool = False  # it takes several commands at once (RFC 2920)

    def answer_next(self, *answers: str) -> None:
        self.answers.extend(answers)

    # the hooks of aiosmtpd
    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return [responses[0], "250-PIPELINING", *responses[1:]] if self.together else responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if (line := self._line("mail")) is not None:
            return line
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if (line := self._line("rcpt")) is not None:
            return line
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if (line := self._line("data")) is not None:
            return line
        answer = self.answers.popleft() if self.answers else "ok"
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append((envelope.mail_from or "", list(envelope.rcpt_tos), content))
        if answer == "cut-after-dot":
            server.transport.abort()
        elif answer == "hang-after-dot":
            await asyncio.sleep(3)
        return f"250 2.0.0 Ok: queued as 4F{len(self.mails)}"

    def _line(self, stage: str) -> str | None:
        is_next = bool(self.answers) and self.answers[0].startswith(f"{stage} ")
        return self.answers.popleft().removeprefix(f"{stage} ") if is_next else None


@contextmanager
def smtp_relay(
    folder: Path, *, tls: str = "", login: bool = False, size: int = 40_000_000, utf8: bool = False
) -> Iterator[Relay]:
    """A relay on a free port of this machine; `tls` is "", "implicit" or "starttls", `utf8` offers SMTPUTF8."""
    relay = Relay()
    options: dict[str, Any] = {"data_size_limit": size, "enable_SMTPUTF8": utf8}
    context = server_tls(folder) if tls else None
    relay.certificate = folder / "relay.pem" if tls else None
    if tls == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    if login:
        options |= {"authenticator": _authenticate, "auth_required": True, "auth_require_tls": tls == "starttls"}
    options["ssl_context"] = context if tls == "implicit" else None
    controller = _Doors(relay, "127.0.0.1", 0, ready_timeout=10, **options)
    controller.start()
    try:
        relay.port = controller.port
        yield relay
    finally:
        controller.stop()


class _Door(SMTP):
    async def smtp_DATA(self, arg: str) -> None:
        relay = self.event_handler
        if relay.answers and relay.answers[0] == "cut-in-data":
            relay.answers.popleft()
            await self.push("354 go on")
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


class AnyPort(Controller):
    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class _Doors(AnyPort):
    def factory(self) -> SMTP:
        return _Door(self.handler, **self.SMTP_kwargs)


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"concierge", b"p@ss/word")
    return AuthResult(success=good, handled=False)


def server_tls(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "relay.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "relay.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "relay.pem", folder / "relay.key")
    return context


# --- SendGrid -------------------------------------------------------------------------------------------------------
@dataclass
class SendGrid:
    """What SendGrid's door was sent, and how it is to answer next.

    Answers: a status (202, 400, 401, 413, 429, 500, 503 …), "hang" (never answer), "die" (accept, keep, hang up before
    answering) and "die-in-answer" (202 with its headers, then hang up).
    """

    url: str = ""
    accepted: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    refused: list[list[dict[str, str | None]]] = field(default_factory=list)
    answers: deque[int | str] = field(default_factory=deque)
    connections: int = 0
    reset_at: int = 0
    retry_after: str = ""
    scopes: tuple[str, ...] = ("mail.send", "alerts.read")

    def answer_next(self, *answers: int | str) -> None:
        self.answers.extend(answers)


@contextmanager
def sendgrid_door() -> Iterator[SendGrid]:
    """SendGrid's v3 API on a free port of this machine, by its published contract."""
    server = _Server(("127.0.0.1", 0), _Handler)
    door = server.door = SendGrid(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield door
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    door: SendGrid

    def __init__(self, *arguments: Any) -> None:
        self.released = threading.Event()
        super().__init__(*arguments)

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection we cut ourselves is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.door = self.server.door
        self.door.connections += 1

    def do_GET(self) -> None:
        self.door.requests.append(("GET", self.path, dict(self.headers), b""))
        if self.headers.get("Authorization") == f"Bearer {API_KEY}":
            self._answer(200, {"scopes": list(self.door.scopes)})
        else:
            self._answer(401, _errors(401))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.door.requests.append(("POST", self.path, dict(self.headers), body))
        answer = self.door.answers.popleft() if self.door.answers else 202
        if answer == "hang":
            self.server.released.wait(10)
            self.close_connection = True
        elif (refusal := self._refusal(body)) is not None:
            self.door.refused.append(refusal[1]["errors"])
            self._answer(*refusal)
        elif isinstance(answer, int) and answer != 202:
            self._answer(answer, _errors(answer))
        else:
            self._accept(json.loads(body), answer)

    def _refusal(self, body: bytes) -> tuple[int, dict[str, Any]] | None:
        if self.path != "/v3/mail/send":
            return 404, _errors(404)
        if self.headers.get("Authorization") != f"Bearer {API_KEY}":
            return 401, _errors(401)
        if self.headers.get("Content-Type") != "application/json":
            return 415, _errors(415)
        try:
            faults = mail_send_faults(json.loads(body))
        except ValueError:
            return 400, _errors(400)
        return (400, {"errors": faults}) if faults else None

    def _accept(self, request: dict[str, Any], answer: int | str) -> None:
        self.door.accepted.append(request)
        if answer != "die":
            self.send_response(202)
            self.send_header("X-Message-Id", f"message-{len(self.door.accepted)}")
            self.send_header("Content-Length", "500" if answer == "die-in-answer" else "0")
            self.end_headers()
        if answer != 202:
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, status: int, said: dict[str, Any]) -> None:
        data = json.dumps(said).encode()
        self.send_response(status)
        if status == 429:
            self.send_header("X-RateLimit-Reset", str(self.door.reset_at))
        if self.door.retry_after:
            self.send_header("Retry-After", self.door.retry_after)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Tests are quiet."""


def _errors(status: int) -> dict[str, Any]:
    words = {
        400: "Bad Request",
        401: "The provided authorization grant is invalid, expired, or revoked",
        403: "The from address does not match a verified Sender Identity.",
        404: "not found",
        413: "The JSON payload you have included in your request is too large.",
        415: "Content-Type should be application/json.",
        429: "too many requests",
    }.get(status, "internal error")
    return {"errors": [{"message": words, "field": "from" if status == 403 else None, "help": None}]}


_ADDRESS = re.compile(r"[^@\s<>,;\"]+@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+")
_TOP = {
    "personalizations", "from", "reply_to", "reply_to_list", "subject", "content", "attachments", "template_id",
    "headers", "categories", "custom_args", "send_at", "batch_id", "asm", "ip_pool_name", "mail_settings",
    "tracking_settings",
}  # fmt: skip
_RESERVED = {
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding", "to", "from",
    "subject", "reply-to", "cc", "bcc",
}  # fmt: skip


def mail_send_faults(body: Any) -> list[dict[str, str | None]]:
    """What Mail Send's contract says against a request, field by field; an empty list when it is lawful."""
    faults: list[dict[str, str | None]] = []

    def fault(field_name: str, message: str) -> None:
        faults.append({"message": message, "field": field_name, "help": None})

    if not isinstance(body, dict):
        return [{"message": "Bad Request", "field": None, "help": None}]
    for name in body.keys() - _TOP:
        fault(name, "Invalid field.")
    _judge_address(body.get("from"), "from", fault)
    if "reply_to" in body:
        _judge_address(body["reply_to"], "reply_to", fault)
    if not isinstance(body.get("subject"), str) or not body["subject"]:
        fault("subject", "The subject is required. You can get around this requirement if you use a template.")
    _judge_persons(body.get("personalizations"), fault)
    _judge_content(body.get("content"), fault)
    _judge_headers(body.get("headers", {}), fault)
    for number, file in enumerate(body.get("attachments", [])):
        _judge_file(file, f"attachments.{number}", fault)
    return faults


def _judge_address(value: Any, name: str, fault: Any) -> None:
    if not isinstance(value, dict) or not _ADDRESS.fullmatch(str(value.get("email", ""))):
        fault(f"{name}.email", "Does not contain a valid address.")
    elif value.keys() - {"email", "name"} or not isinstance(value.get("name", ""), str):
        fault(name, "Invalid type.")


def _judge_persons(persons: Any, fault: Any) -> None:
    if not isinstance(persons, list) or not 1 <= len(persons) <= 1000:
        fault("personalizations", "The personalizations field is required and must have at least one personalization.")
        return
    for number, person in enumerate(persons):
        name = f"personalizations.{number}"
        everybody = [*person.get("to", []), *person.get("cc", []), *person.get("bcc", [])]
        if not person.get("to"):
            fault(f"{name}.to", "The to array is required for all personalization objects.")
        for each in everybody:
            _judge_address(each, f"{name}.to", fault)
        addresses = [str(each.get("email")).lower() for each in everybody]
        if len(set(addresses)) != len(addresses):
            fault(name, "Each email address in the personalization block should be unique between to, cc, and bcc.")
        arguments = person.get("custom_args", {})
        if any(not isinstance(value, str) for value in arguments.values()) or len(json.dumps(arguments)) > 10_000:
            fault(f"{name}.custom_args", "custom args must be strings of at most 10,000 bytes together.")


def _judge_content(content: Any, fault: Any) -> None:
    if not isinstance(content, list) or not content:
        fault("content", "Unless a valid template_id is provided, the content parameter is required.")
        return
    kinds = [part.get("type") for part in content]
    if "text/plain" in kinds and kinds[0] != "text/plain":
        fault("content", "If present, text/plain must be first, followed by text/html, followed by any other content.")
    for number, part in enumerate(content):
        if not isinstance(part.get("value"), str) or not part["value"]:
            fault(f"content.{number}.value", "The content value must be a string at least one character in length.")
        if not re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", str(part.get("type"))):
            fault(f"content.{number}.type", "Content type is not valid.")


def _judge_headers(headers: Any, fault: Any) -> None:
    for name, value in headers.items():
        if name.lower() in _RESERVED:
            fault(f"headers.{name}", "The headers may not overwrite a reserved header.")
        if not isinstance(value, str) or not value.isascii() or re.search(r"[\x00-\x1f\x7f]", name + value):
            fault(f"headers.{name}", "The header values must be strings without line breaks.")


def _judge_file(file: Any, name: str, fault: Any) -> None:
    try:
        data = base64.b64decode(file["content"], validate=True)
    except (KeyError, TypeError, binascii.Error):
        data = b""
    if not data:
        fault(f"{name}.content", "The attachment content must be base64 encoded.")
    if not file.get("filename") or re.search(r"[\r\n\x00]", file["filename"]):
        fault(f"{name}.filename", "The attachment filename is required.")
    if file.get("type") is not None and re.search(r"[;\r\n]", file["type"]):
        fault(f"{name}.type", "The attachment type cannot contain ';' or CRLF characters.")
    if file.get("disposition", "attachment") not in {"inline", "attachment"}:
        fault(f"{name}.disposition", "The attachment disposition must be inline or attachment.")
    if file.get("disposition") == "inline" and not file.get("content_id"):
        fault(f"{name}.content_id", "An inline attachment needs a content id.")
