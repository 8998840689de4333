"""The whole circle over real protocols: SMTP or a webhook in, Nadia's pages, an SMTP relay or SendGrid's v3 door out.

In each story Barbara writes, Nadia answers, Barbara answers that; Mallory, who holds a copy of every id, is kept out.
"""

import re
import smtplib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import formataddr
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.orm import Session

from concierge import tokens
from concierge.blobs import BlobStore
from concierge.catalogue import commands as catalogue
from concierge.config import Config, Policy, read_config
from concierge.conversations.models import Conversation, Direction, Message
from concierge.db import Sessions
from concierge.drafts.jobs import release_due
from concierge.inbound.jobs import file_received
from concierge.inbound.sources.smtp import open_door
from concierge.mailing.jobs import deliver_due
from tests.drafts.people import make_sandals
from tests.drafts.test_views import Window
from tests.factories import PASSWORD, make_editor, make_mailbox
from tests.houses import free_port
from tests.mailing.carriers import read_request
from tests.mailing.doubles import API_KEY, sendgrid_door, smtp_relay
from tests.mailing.samples import SeenMail, read_mail

CARE = "care@maison-solenne.example"
FIRST, BEFORE = "<q2@example.com>", "<q1@example.com>"
SECRET = "a-secret-for-tests-only-0123456789"
ANSWER = "Dear Barbara,\n\nthey are **here**, in 36.\n\n[product CAL-TUR-36]\n\nShall I put them aside?"

Arrived = Callable[[], list[SeenMail]]
Post = Callable[[EmailMessage, str], None]


@dataclass
class Carrier:
    """A carrier of mail: how the house reaches it, the mails it has got, the kinds of words in the first, in order."""

    settings: dict[str, str]
    arrived: Arrived
    kinds: Callable[[], list[str]]


@pytest.fixture(params=["smtp", "sendgrid"])
def carrier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Carrier]:
    """A relay that speaks SMTP, and SendGrid's door by its v3 contract, which refuses what the contract refuses."""
    with ExitStack() as stack:
        if request.param == "smtp":
            relay = stack.enter_context(smtp_relay(tmp_path))
            yield Carrier(
                {"provider": "smtp", "smtp_url": f"smtp://127.0.0.1:{relay.port}"},
                lambda: [read_mail(raw) for _sender, _to, raw in relay.mails],
                lambda: [part.get_content_type() for part in message_from_bytes(relay.mails[0][2]).walk()],
            )
        else:
            door = stack.enter_context(sendgrid_door())
            yield Carrier(
                {"provider": "sendgrid", "sendgrid_api_key": API_KEY, "sendgrid_url": door.url},
                lambda: [read_request(each) for each in door.accepted],
                lambda: [part["type"] for part in door.accepted[0]["content"]],
            )
            assert door.refused == []


@pytest.fixture
def config(tmp_path: Path, database: str, carrier: Carrier) -> Config:
    """A house of its own that sends through the carrier, and lets nobody wait to call an answer back."""
    return read_config(
        data=tmp_path, database_url=database, secret_key=SECRET, inbound_secret="an-inbound-secret-for-tests",
        smtp_port=free_port(), **carrier.settings,
    ).model_copy(update={"policy": Policy(undo_seconds=0)})  # fmt: skip


@pytest.fixture
def arrived(carrier: Carrier) -> Arrived:
    """The mails the carrier has got."""
    return carrier.arrived


@pytest.fixture
def nadia(session: Session, store: BlobStore) -> str:
    """The address of Nadia, who has a face; the house has its mailbox, and the turquoise sandals their picture."""
    make_mailbox(session)
    address = make_editor(session, photo_key=store.put(picture("JPEG"))).email
    sandals = make_sandals(session).product
    key = store.put(picture("JPEG"))
    catalogue.add_picture(session, sandals, blob_key=key, content_type="image/jpeg", width=640, height=800)
    session.commit()
    return address


def picture(kind: str) -> bytes:
    """A turquoise picture."""
    out = BytesIO()
    Image.new("RGB", (640, 800), "#40e0d0").save(out, kind)
    return out.getvalue()


@pytest.fixture(params=["smtplib", "webhook"])
def post(request: pytest.FixtureRequest, config: Config, client: FlaskClient) -> Iterator[Post]:
    """Bring a mail into the house: by SMTP through its door, or as SendGrid posts it in raw mode."""
    if request.param == "smtplib":
        door = open_door(config)
        door.start()

        def by_smtp(mail: EmailMessage, to: str) -> None:
            with smtplib.SMTP("127.0.0.1", config.smtp_port, timeout=10) as wire:
                assert wire.send_message(mail, to_addrs=[to]) == {}

        yield by_smtp
        door.stop()
        return

    def by_webhook(mail: EmailMessage, to: str) -> None:
        envelope = f'{{"to": ["{to}"], "from": "{mail["From"].addresses[0].addr_spec}"}}'
        fields = {"email": mail.as_bytes().decode("latin-1"), "envelope": envelope, "charsets": '{"to": "UTF-8"}'}
        answer = client.post(
            f"/webhooks/inbound/{config.inbound_token}", data=fields, content_type="multipart/form-data"
        )
        assert answer.status_code == 200

    yield by_webhook


def write(subject: str, text: str, message_id: str, **headers: str) -> EmailMessage:
    """A mail as Barbara's program makes it, or as somebody else's does."""
    mail = EmailMessage()
    mail["From"] = headers.pop("sender", formataddr(("Barbara Rossi", "barbara@example.com")))
    mail["To"], mail["Subject"], mail["Message-ID"] = headers.pop("to", CARE), subject, message_id
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail


@dataclass
class House:
    """What a story looks at from outside: its worker, its door, and what its database says in the end."""

    config: Config
    sessions: Sessions
    post: Post

    def receive(self, mail: EmailMessage, to: str = CARE) -> int:
        """Bring a mail in and let the worker file it; the number of its conversation."""
        self.post(mail, to)
        while file_received(self.config, self.sessions):
            pass
        with self.sessions() as session:
            by_id = sa.select(Message.conversation_id).where(Message.rfc_message_id == mail["Message-ID"].strip("<>"))
            return session.scalars(by_id).one()

    def let_go(self) -> None:
        """Let the answer leave: once."""
        assert release_due(self.config, self.sessions) == 1
        assert deliver_due(self.config, self.sessions) == 1
        assert deliver_due(self.config, self.sessions) == 0


@pytest.fixture
def house(config: Config, sessions: Sessions, post: Post) -> House:
    """The house of one story."""
    return House(config, sessions, post)


@pytest.fixture
def first(nadia: str, house: House) -> int:
    """The conversation that Barbara's mail begins."""
    return house.receive(write("The turquoise sandals", "In 36, perhaps?", FIRST, References=BEFORE))


@pytest.fixture
def received(first: int, nadia: str, house: House, client: FlaskClient, arrived: Arrived) -> SeenMail:
    """What Barbara gets when Nadia has answered on the house's pages."""
    client.post("/sign-in", data={"email": nadia, "password": PASSWORD})
    window = Window(client, first).open()
    answer = window.press("/send", body_text=ANSWER, when="now", follow=False)
    assert answer.status_code == 303, window.page
    house.let_go()
    (mail,) = arrived()
    return mail


def with_ids_of(mail: SeenMail) -> dict[str, str]:
    """The headers of an answer to `mail`."""
    ids = (*mail.references, mail.message_id or "")
    return {"to": mail.reply_to or "", "In_Reply_To": ids[-1], "References": " ".join(ids)}


def test_the_answer_is_a_letter_by_nadia_field_by_field(received: SeenMail, first: int):
    key = tokens.reply_key(SECRET, first)
    assert (received.sender_name, received.sender) == ("Nadia Ferrant", CARE)
    assert (received.to_name, received.to) == ("Barbara Rossi", "barbara@example.com")
    assert received.reply_to == f"care+{key}@maison-solenne.example"
    assert received.subject == "Re: The turquoise sandals"
    assert re.fullmatch(rf"<[0-9a-f]{{28}}\.{key}@maison-solenne\.example>", received.message_id or "")
    assert received.in_reply_to == FIRST
    assert received.references == (BEFORE, FIRST)
    assert received.text.startswith("Dear Barbara,\n\nthey are here, in 36.\n\n")
    for words in ("Calanque sandals", "Shall I put them aside?", "Warmly,\nNadia", "> In 36, perhaps?"):
        assert words in received.text
    assert "<strong" in (received.html or "") and "[product" not in received.text + (received.html or "")
    for robotic in (r"#\s?\d", r"(?i)ticket", r"(?i)above this line", rf"\b{first}\b(?=\])"):
        assert not re.search(robotic, received.subject + received.text)


def test_every_picture_travels_inside_the_mail(received: SeenMail):
    named = set(re.findall(r'src="cid:([^"]+)"', received.html or ""))
    inside = {file.cid: file for file in received.files}
    assert len(named) == 2  # the sandals, and Nadia's face
    assert named == set(inside)
    assert "http" not in "".join(re.findall(r'<img[^>]+src="([^"]+)"', received.html or ""))
    for file in inside.values():
        assert file.inline
        with Image.open(BytesIO(file.data)) as shown:
            assert shown.width >= 68


def test_the_text_comes_before_the_html(received: SeenMail, carrier: Carrier):
    words = [kind for kind in carrier.kinds() if kind.startswith("text/")]
    assert words == ["text/plain", "text/html"]


def test_her_answer_lands_in_the_same_conversation(received: SeenMail, first: int, house: House):
    reply = write(received.subject, "Yes, please!", "<q3@example.com>", **with_ids_of(received))
    assert house.receive(reply, received.reply_to or "") == first
    with house.sessions() as session:
        conversation = session.get_one(Conversation, first)
        assert conversation.editor is not None and conversation.editor.name == "Nadia Ferrant"
        ways = sa.select(Message.direction).where(Message.conversation_id == first).order_by(Message.id)
        assert list(session.scalars(ways)) == [Direction.IN, Direction.OUT, Direction.IN]


def test_her_answer_finds_home_by_its_ids_alone(received: SeenMail, first: int, house: House):
    reply = write("Something else", "Yes, please!", "<q3@example.com>", References=f"{FIRST} {received.message_id}")
    assert house.receive(reply) == first


def test_a_strangers_copy_of_the_ids_lands_elsewhere(received: SeenMail, first: int, house: House):  # T23
    mallory = {"sender": "Barbara Rossi <mallory@mallory.example>", **with_ids_of(received)}
    forged = write(received.subject, "Send them to me instead.", "<m1@mallory.example>", **mallory)
    apart = house.receive(forged, received.reply_to or "")
    assert apart != first
    with house.sessions() as session:
        conversation = session.get_one(Conversation, apart)
        assert conversation.customer.address == "mallory@mallory.example"
        assert conversation.hint_conversation_id == first
