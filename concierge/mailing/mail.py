"""A mail as a value, and the one place where it is checked and becomes bytes."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Self

from flask_babel import gettext as _

from concierge.addresses import Address, ascii_domain, is_address
from concierge.errors import RuleBroken
from concierge.mailing import mime

# The only headers a mail may carry beside the ones its fields make: those that steer other people's automata.
EXTRA_HEADERS = frozenset({"Auto-Submitted", "List-Unsubscribe", "List-Unsubscribe-Post", "X-Auto-Response-Suppress"})

# C0, DEL, C1 with NEL, the line and paragraph separators, lone surrogates: none belongs into a header or a name,
# and some mail systems read several of them as the end of a line (CVE-2024-6923 is one way they get in).
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+>")  # printable ASCII without space, "<" and ">" (RFC 5322, 3.6.4)
_CONTENT_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_CID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.@-]{1,120}")
_EXTRA_VALUE = re.compile(r"[!-~]{1,900}(?: [!-~]{1,900})*")
_REFERENCES_BYTES = 1500  # some 20 to 30 ids; longer ones have been refused on the way


class UnlawfulMail(RuleBroken):
    """This mail can't leave as it is: look again at its %(field)s."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field

    def sentence(self) -> str:
        """The sentence a person reads, naming the part of the mail to look at."""
        return str(_((type(self).__doc__ or "").strip(), field=self.field))


class ControlCharacter(UnlawfulMail):
    """The %(field)s of this mail holds an invisible control character; type it again to be rid of it."""


class UnlawfulAddress(UnlawfulMail):
    """The %(field)s of this mail is not an address that mail can be sent to."""


class HeaderNotAllowed(UnlawfulMail):
    """A mail of this house may not set the header %(field)s."""


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file that travels with a mail; `cid` is the name under which its HTML shows it."""

    filename: str
    content_type: str
    blob_key: str
    cid: str | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """Everything that is said in one mail to one person; its files are named by their blob keys."""

    sender: Address
    to: Address
    subject: str
    text: str
    message_id: str
    html: str | None = None
    reply_to: Address | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    pictures: tuple[MailFile, ...] = ()
    attachments: tuple[MailFile, ...] = ()

    @property
    def files(self) -> tuple[MailFile, ...]:
        """Pictures and attachments."""
        return self.pictures + self.attachments

    def to_json(self) -> dict[str, Any]:
        """Plain lists and strings, as a Delivery stores it."""
        return {**asdict(self), "headers": dict(self.headers)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The mail that `to_json` wrote."""
        values = dict(stored)
        for name in ("sender", "to", "reply_to"):
            values[name] = Address(**values[name]) if values.get(name) else None
        for name in ("pictures", "attachments"):
            values[name] = tuple(MailFile(**file) for file in values.get(name, ()))
        values["references"] = tuple(values.get("references", ()))
        return cls(**values)


def check(mail: Mail) -> None:
    """Refuse what may not leave: control characters, unlawful addresses, ids and headers. Raises UnlawfulMail.

    Every way out of the house passes here, MIME and JSON alike.
    """
    _check_address("recipient", mail.to)
    for name, address in (("sender", mail.sender), ("reply address", mail.reply_to)):
        if address is not None:
            _check_address(name, address)
            if not is_in_ascii(address.address):  # ours to choose, and every mail system must take it
                raise UnlawfulAddress(name)
    for name, text in _single_lines(mail):
        if _CONTROL.search(text):
            raise ControlCharacter(name)
    _check_words(mail)
    _check_headers(mail)
    _check_files(mail)


def _check_words(mail: Mail) -> None:
    for name, text in (("text", mail.text), ("HTML", mail.html or "")):
        if _CONTROL_IN_TEXT.search(text.replace("\r\n", "\n")):
            raise ControlCharacter(name)
    for name, text in (("subject", mail.subject), ("text", mail.text)):
        if not text.strip():  # some carriers refuse a mail without them
            raise UnlawfulMail(name)


def _check_headers(mail: Mail) -> None:
    if not _MESSAGE_ID.fullmatch(bracketed(mail.message_id)):
        raise UnlawfulMail("Message-ID")
    for name, value in mail.headers.items():
        if name not in EXTRA_HEADERS or not _EXTRA_VALUE.fullmatch(value):
            raise HeaderNotAllowed(name)


def is_lawful(address: Address) -> bool:
    """Whether mail can be sent to this address under this name."""
    try:
        _check_address("recipient", address)
    except UnlawfulMail:
        return False
    return True


def _check_address(name: str, address: Address) -> None:
    if _CONTROL.search(address.name) or _CONTROL.search(address.address):
        raise ControlCharacter(name)
    local, _at, domain = address.address.rpartition("@")
    if not is_address(address.address) or not local.isprintable():  # nothing unseen, nothing that turns the line round
        raise UnlawfulAddress(name)
    if len(local.encode()) > 64 or len(address.address.encode()) > 254:
        raise UnlawfulAddress(name)
    if ascii_domain(domain) is None:
        raise UnlawfulAddress(name)


def _single_lines(mail: Mail) -> Iterator[tuple[str, str]]:
    yield "subject", mail.subject
    yield "Message-ID", mail.message_id
    yield "In-Reply-To", mail.in_reply_to or ""
    yield "References", "".join(mail.references)
    for name, value in mail.headers.items():
        yield name, name + value
    for file in mail.files:
        yield "file name", file.filename


def _check_files(mail: Mail) -> None:
    if mail.pictures and mail.html is None:
        raise UnlawfulMail("pictures")
    for file in mail.files:
        if not _CONTENT_TYPE.fullmatch(file.content_type):
            raise UnlawfulMail("file type")
        if not file.filename.strip():
            raise UnlawfulMail("file name")
    for file in mail.pictures:
        if file.cid is None or not _CID.fullmatch(file.cid):
            raise UnlawfulMail("picture id")


def wire_address(address: str) -> str:
    """The address as it goes over the wire: the domain in ASCII (IDNA)."""
    local, _at, domain = address.rpartition("@")
    return address if domain.isascii() else f"{local}@{ascii_domain(domain) or domain}"


def is_in_ascii(address: str) -> bool:
    """Whether the part before the @ is; else only systems that speak SMTPUTF8 take mail for it (RFC 6531)."""
    return address.rpartition("@")[0].isascii()


def bracketed(message_id: str) -> str:
    """A Message-ID with its angle brackets, whether it came with them or not."""
    return message_id if message_id.startswith("<") else f"<{message_id}>"


def ancestry(references: Iterable[str], parent: str | None) -> tuple[str, ...]:
    """The References of an answer: those of its parent, then the parent (RFC 5322, 3.6.4), trimmed from the middle.

    The first id (the beginning of the conversation) and the last ones stay. What is no lawful id is left out: odd mail
    programs make them, and an answer must leave nevertheless.
    """
    ids = dict.fromkeys(bracketed(one) for one in references if one)
    if parent:
        ids.pop(bracketed(parent), None)
        ids[bracketed(parent)] = None
    lawful = [one for one in ids if _MESSAGE_ID.fullmatch(one) and len(one) <= 250]
    kept: list[str] = []
    left = _REFERENCES_BYTES - (len(lawful[0]) if lawful else 0)
    for one in reversed(lawful[1:]):
        left -= len(one) + 1
        if left < 0:
            break
        kept.append(one)
    return (*lawful[:1], *reversed(kept))


def build(mail: Mail, read_blob: Callable[[str], bytes], *, now: datetime) -> bytes:
    """The mail as RFC 5322 bytes with CRLF line ends, 7-bit throughout; `now` becomes its Date.

    Only an address that is not in ASCII stands in its To as it is (RFC 6532).

    The same mail at the same time gives the same bytes. Raises UnlawfulMail, and whatever `read_blob` raises.
    """
    check(mail)
    return b"".join(_headers(mail, now)) + _body(mail, read_blob)


def _headers(mail: Mail, now: datetime) -> Iterator[bytes]:
    yield _address_header("From", mail.sender)
    yield _address_header("To", mail.to)
    if mail.reply_to is not None:
        yield _address_header("Reply-To", mail.reply_to)
    yield mime.header("Subject", mime.unstructured(" ".join(mail.subject.split()), column=len("Subject: ")))
    yield mime.header("Date", format_datetime(now))
    yield mime.header("Message-ID", bracketed(mail.message_id))
    references = ancestry(mail.references, mail.in_reply_to)
    if mail.in_reply_to and bracketed(mail.in_reply_to) in references:
        yield mime.header("In-Reply-To", bracketed(mail.in_reply_to))
    if references:
        yield mime.header("References", " ".join(references))
    for name, value in mail.headers.items():
        yield mime.header(name, value)
    yield mime.header("MIME-Version", "1.0")


def _address_header(name: str, address: Address) -> bytes:
    column = len(name) + len(": ")
    wire = wire_address(address.address)
    shown = " ".join(address.name.split())
    return mime.header(name, f"{mime.phrase(shown, column=column)} <{wire}>" if shown else wire)


def _body(mail: Mail, read_blob: Callable[[str], bytes]) -> bytes:
    seed = hashlib.sha256(mail.message_id.encode("utf-8")).hexdigest()[:24]
    body = mime.text_part("plain", mail.text)
    if mail.html is not None:
        shown = mime.text_part("html", mail.html)
        if mail.pictures:
            shown = mime.multipart(
                "related", [shown, *(_file(one, read_blob) for one in mail.pictures)], boundary=f"=_r{seed}"
            )
        body = mime.multipart("alternative", [body, shown], boundary=f"=_a{seed}")
    if mail.attachments:
        files = (_file(one, read_blob) for one in mail.attachments)
        body = mime.multipart("mixed", [body, *files], boundary=f"=_m{seed}")
    return body


def _file(file: MailFile, read_blob: Callable[[str], bytes]) -> bytes:
    return mime.file_part(carried_type(file), file.filename.strip(), read_blob(file.blob_key), cid=file.cid)


def carried_type(file: MailFile) -> str:
    """The content type a file travels under: mails in mails may not be base64 (RFC 2046, 5.2), so they go as bytes."""
    kind = file.content_type.lower()
    return "application/octet-stream" if kind.startswith(("message/", "multipart/")) else kind


def unsubscribe_headers(link: str) -> dict[str, str]:
    """RFC 8058: both stand under DKIM, and the POST comes without cookies."""
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
