"""No words of a mail become a header of ours: from the SMTP door through an answer to an SMTP sink and SendGrid (T07).

More than five hundred ways to write a line break that a careless program would write out, in the subject, the sender's
name (which becomes the customer's), the Reply-To, a file's name and a product's name. Several ride in each mail.
"""

import base64
import re
import smtplib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header
from itertools import product
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import blobs
from concierge.catalogue.models import Variant
from concierge.config import Config, Policy
from concierge.conversations.models import Conversation, Direction, Message
from concierge.db import Sessions
from concierge.drafts import commands
from concierge.drafts.jobs import release_due
from concierge.inbound.jobs import file_received
from concierge.inbound.sources.smtp import open_door
from concierge.mailing.jobs import deliver_due
from concierge.mailing.models import Delivery, DeliveryState
from concierge.mailing.providers import open_provider
from tests.drafts.people import LIMIT, make_sandals, send, write
from tests.factories import NOW, make_editor, make_mailbox
from tests.houses import free_port
from tests.inbound.arriving import CARE
from tests.mailing.doubles import API_KEY, SendGrid, sendgrid_door, smtp_relay

IN_A_MAIL = 15
BREAKS = (
    "\r\n", "\n", "\r", "\n\r", "\r\n\r\n", "\r\n ", "\n\t", "\0\r\n", "\x0b", "\x0c", "\x1c", "\x1e",
    "\x85", "\u2028", "\u2029", "\u0a0d", "\u010d\u010a",
)  # fmt: skip
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def q_word(text: str, charset: str = "utf-8", tag: str = "") -> bytes:
    data = text.encode(charset, "replace")
    return f"=?{charset}{tag}?Q?".encode() + b"".join(b"=%02X" % each for each in data) + b"?="


def b_word(text: str, charset: str = "utf-8") -> bytes:
    return f"=?{charset}?b?".encode() + base64.b64encode(text.encode(charset, "replace")) + b"?="


def in_two_words(text: str) -> bytes:
    """The break itself is torn apart."""
    data = text.encode()
    middle = data.index(b"X-") - 1
    halves = (data[:middle], data[middle:])
    return b" ".join(b"=?utf-8?B?" + base64.b64encode(each) + b"?=" for each in halves)


# How a header may carry a text; what is no encoded word stands there as it is.
CODES: dict[str, Callable[[str], bytes]] = {
    "Q": q_word,
    "B": b_word,
    "Q latin-1": lambda text: q_word(text, "iso-8859-1"),
    "B utf-16": lambda text: b_word(text, "utf-16"),
    "B utf-7": lambda text: b_word(text, "utf-7"),
    "Q with a language": lambda text: q_word(text, tag="*en"),
    "two words": in_two_words,
    "a word in a word": lambda text: q_word(q_word(text).decode()),
    "RFC 2231": lambda text: b"utf-8''" + b"".join(b"%%%02X" % each for each in text.encode()),
    "raw": lambda text: re.sub(r"\r\n|\n", "\r\n ", text).encode(),
}
SHAPES = ("{0}X-{1}:1", "h{0}X-{1}:1{0}", 'h"{0}X-{1}:1{0}Bcc:a@b.c')


@dataclass(frozen=True)
class Payload:
    """One way to smuggle a line in: as the text a careless program would write out, and as a mail carries it."""

    number: int
    text: str
    coded: bytes


PAYLOADS = [
    Payload(number, text := shape.format(line_break, number), code(text))
    for number, (line_break, code, shape) in enumerate(product(BREAKS, CODES.values(), SHAPES))
]
MAILS = len(PAYLOADS) // IN_A_MAIL
BATCHES = [PAYLOADS[start::MAILS] for start in range(MAILS)]


def hostile(number: int, payloads: list[Payload]) -> bytes:
    """A mail that carries these in its subject, sender's name, Reply-To, and a file's name each."""
    words = b" ".join(each.coded for each in payloads)
    # A From line that is really torn apart makes nobody's mail: it stays in quarantine, and nobody answers it.
    whole = [each for each in payloads if not re.search(rb"[\r\n]", each.coded)]
    phrase = b" ".join(each.coded if each.coded.startswith(b"=?") else b'"%b"' % _quotable(each) for each in whole)
    head = [
        b"Message-ID: <%d@example.com>" % number,
        b"From: %b <c%d@example.com>" % (phrase, number),
        b"Reply-To: %b <c%d@example.com>" % (phrase, number),
        f"To: {CARE}".encode(),
        b"Subject: " + words,
        b"MIME-Version: 1.0",
        b"Content-Type: multipart/mixed; boundary=b",
    ]
    parts = [b"Content-Type: text/plain\r\n\r\nDo you still have the sandals?"]
    for each in payloads:
        name = b"filename*=%b" % each.coded if each.coded.startswith(b"utf-8''") else b'filename="%b"' % _quotable(each)
        parts.append(b"Content-Type: image/x-a\r\nContent-Disposition: attachment; " + name + b"\r\n\r\nbytes")
    return b"\r\n".join(head) + b"\r\n\r\n--b\r\n" + b"\r\n--b\r\n".join(parts) + b"\r\n--b--\r\n"


def _quotable(payload: Payload) -> bytes:
    return payload.coded.replace(b"\\", b"").replace(b'"', b'\\"')


@pytest.fixture
def config(config: Config) -> Config:
    if not config.is_sqlite:
        pytest.skip("no word of this reaches the database's dialect")
    policy = Policy(undo_seconds=0)
    return config.model_copy(update={"policy": policy, "smtp_port": free_port()})


@pytest.fixture
def answered(config: Config, sessions: Sessions, session: Session) -> int:
    """All of them have come in by the door, and Nadia has answered each, with its files and the product."""
    make_mailbox(session)
    nadia, sandals = make_editor(session), make_sandals(session)
    sandals.product.texts[0].name = "".join(each.text for each in PAYLOADS[::10])
    session.commit()
    door = open_door(config)
    door.start()
    with smtplib.SMTP("127.0.0.1", config.smtp_port, timeout=30) as client:
        for number, payloads in enumerate([[], *BATCHES]):  # the first one is harmless
            client.sendmail(f"c{number}@example.com", [CARE], hostile(number, payloads or [Payload(0, "x", b"x")]))
    door.stop()
    while file_received(config, sessions):
        pass
    session.expire_all()
    key = blobs.open_store(config).put(b"bytes")
    conversations = session.scalars(sa.select(Conversation).order_by(Conversation.id)).all()
    for conversation in conversations:
        answer(session, conversation, nadia, key, sandals)
    session.commit()
    while release_due(config, sessions):
        pass
    return len(conversations)


def answer(session: Session, conversation: Conversation, nadia: Any, key: str, sandals: Variant) -> None:
    """Nadia answers; every tenth time with a product's card, and with files under names that came or were typed."""
    text, names = "They are here.", ["x"]
    if conversation.id % 10 == 0:
        (came,) = session.scalars(sa.select(Message).where(Message.conversation_id == conversation.id)).all()
        texts_of_breaks = [each.text for each in PAYLOADS if each.number // len(SHAPES) % len(CODES) == 0]
        names = [each.filename for each in came.attachments] + texts_of_breaks[conversation.id // 10 :: 6]
        text += f"\n\n[product {sandals.sku}]"
    draft = write(session, conversation, nadia, text)
    for name in names:
        commands.attach_file(
            session, draft, filename=name, content_type="image/x-a", size=5, blob_key=key, limit=LIMIT, now=NOW
        )
    send(session, draft, overridden=frozenset({"other_name", "other_language", "no_attachment"}))


def headers(raw: bytes) -> list[Counter[str]]:
    """The names of the header lines of a mail, and of each of its parts."""
    return [Counter(name.lower() for name, _value in part.items()) for part in message_from_bytes(raw).walk()]


def faults(raw: bytes, intended: list[Counter[str]]) -> list[str]:
    """What a mail has that ours have not: other header lines, a bare CR or LF, a control character in a value."""
    found = headers(raw)
    wrong = [str(each) for each in found[:1] if each != intended[0]]
    lawful = Counter()
    for part in intended[1:]:
        lawful |= part
    wrong += [str(part - lawful) for part in found[1:] if part - lawful]
    if re.search(rb"\r(?!\n)|(?<!\r)\n", raw):
        wrong.append("a bare CR or LF")
    for part in message_from_bytes(raw).walk():
        wrong += [f"{name}: {value!r}" for name, value in part.items() if UNSEEN.search(_decoded(value))]
    return wrong


def _decoded(value: str) -> str:
    unfolded = re.sub(r"\r\n(?=[ \t])", "", value)
    return "".join(
        text if isinstance(text, str) else text.decode(charset or "ascii", "replace")
        for text, charset in decode_header(unfolded)
    )


def texts(value: Any) -> Iterator[str]:
    """Every key and text of a JSON value but the letter itself and files' bytes."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from () if name == "content" else texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


def test_there_are_more_than_five_hundred_ways_each_different():
    assert len({each.coded for each in PAYLOADS}) >= 500


def test_the_sinks_see_exactly_the_headers_we_meant(config, sessions, session, answered, tmp_path):
    assert answered == len(BATCHES) + 1
    with smtp_relay(tmp_path) as relay, sendgrid_door() as door:
        deliver_all(config, sessions, provider="smtp", smtp_url=f"smtp://127.0.0.1:{relay.port}")
        with sessions() as again:
            again.execute(sa.update(Delivery).values(state=DeliveryState.QUEUED, claim=None, claimed_at=None))
            again.commit()
        deliver_all(config, sessions, provider="sendgrid", sendgrid_api_key=API_KEY, sendgrid_url=door.url)
        assert len(relay.mails) == len(door.accepted) == answered
        assert door.refused == []
    look_at_the_relay(relay.mails)
    look_at_sendgrid(door)
    sent = session.scalars(sa.select(Message.subject).where(Message.direction == Direction.OUT)).all()
    assert not [each for each in sent if UNSEEN.search(each)]
    assert max(map(len, sent)) < 400  # none was cut, so all of them were in it


def look_at_the_relay(mails: list[tuple[str, list[str], bytes]]) -> None:
    harmless = next(raw for _sender, to, raw in mails if to == ["c0@example.com"])
    intended = headers(harmless)
    assert intended[0]["bcc"] == 0
    for _sender, to, raw in mails:
        assert len(to) == 1
        assert re.fullmatch(r"c\d+@example\.com", to[0])
        assert faults(raw, intended) == []


def look_at_sendgrid(door: SendGrid) -> None:
    harmless = next(each for each in door.accepted if each["personalizations"][0]["to"][0]["email"] == "c0@example.com")
    for request in door.accepted:
        assert request.keys() == harmless.keys()
        assert Counter(name.lower() for name in request["headers"]) == Counter(map(str.lower, harmless["headers"]))
        (person,) = request["personalizations"]
        assert person.keys() == harmless["personalizations"][0].keys()
        assert len(person["to"]) == 1
        assert not [each for each in texts(request) if UNSEEN.search(each)]


def deliver_all(config: Config, sessions: Sessions, **settings: str) -> None:
    """Hand everything that is queued to this carrier."""
    chosen = Config(**config.model_dump(exclude={"policy", *settings}), **settings, policy=config.policy)
    provider = open_provider(chosen)
    while deliver_due(chosen, sessions, provider):
        pass
    provider.close()


@pytest.mark.parametrize("payload", PAYLOADS[:90:9], ids=lambda each: repr(each.text[:8]))
def test_the_check_itself_sees_a_careless_program(payload: Payload):
    """Negative control: what happens when the text is written out as it came."""
    careless = b"Subject: %b\r\nTo: x\r\n\r\nbody" % payload.text.encode()
    assert faults(careless, [Counter(subject=1, to=1)])
    assert [each for each in texts({"subject": payload.text}) if UNSEEN.search(each)]
