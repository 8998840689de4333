"""One contract, kept by every carrier, and what is special about each."""

import base64
import json
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sendgrid.helpers.mail import Content
from sendgrid.helpers.mail.exceptions import ApiKeyIncludedException

from concierge.addresses import Address
from concierge.config import read_config
from concierge.errors import Misconfigured
from concierge.mailing.mail import ControlCharacter, Mail, MailFile
from concierge.mailing.providers import open_provider
from concierge.mailing.providers.base import Parcel, Provider, TransportError, pack
from concierge.mailing.providers.folder import FolderProvider
from concierge.mailing.providers.memory import MemoryProvider
from concierge.mailing.providers.sendgrid import SendGridProvider, request_body
from concierge.mailing.providers.smtp import SmtpProvider
from tests.mailing.doubles import API_KEY, Relay, SendGrid, mail_send_faults, sendgrid_door, smtp_relay
from tests.mailing.samples import BLOBS, NOW, SeenFile, SeenMail, lines, make_full_mail, make_mail, read_mail

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@dataclass
class Carrier:
    """A provider and a view of what arrived behind it."""

    provider: Provider
    arrived: Callable[[], list[SeenMail]]


def parcel(mail: Mail | None = None, key: str = "reply:1", *, seconds: int = 0) -> Parcel:
    return pack(key, mail or make_full_mail(), BLOBS.__getitem__, now=NOW + timedelta(seconds=seconds))


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    with smtp_relay(tmp_path) as relay:
        yield relay


@pytest.fixture
def smtp(relay: Relay) -> Iterator[SmtpProvider]:
    provider = SmtpProvider(f"smtp://127.0.0.1:{relay.port}", seconds=1.0)
    yield provider
    provider.close()


@pytest.fixture
def door() -> Iterator[SendGrid]:
    with sendgrid_door() as door:
        yield door


@pytest.fixture
def sendgrid(door: SendGrid) -> Iterator[SendGridProvider]:
    provider = SendGridProvider(API_KEY, door.url, seconds=1.0)
    yield provider
    provider.close()


@pytest.fixture(params=["memory", "folder", "smtp", "smtps", "smtp+starttls", "sendgrid"])
def carrier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Carrier]:
    with ExitStack() as stack:
        carrier = make_carrier(request.param, tmp_path, stack)
        stack.callback(carrier.provider.close)
        yield carrier


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


# --- the contract ---------------------------------------------------------------------------------------------------
def test_a_mail_arrives_as_it_was_written(carrier):
    accepted = carrier.provider.send(parcel())
    (seen,) = carrier.arrived()
    photo, guide = seen.files
    assert seen == SeenMail(
        sender="care@maison-solenne.example",
        sender_name="Nadia Ferrant",
        to="barbara@example.com",
        to_name="Barbara Weiss",
        reply_to="care+k3y@maison-solenne.example",
        subject="Re: The turquoise sandals in 36",
        text="Dear Barbara,\n\nthey are yours.\n\nNadia",
        html='<p>Dear Barbara, <img src="cid:photo" alt="Nadia"></p>',
        message_id="<abc.1@maison-solenne.example>",
        in_reply_to="<q2@example.com>",
        references=("<q1@example.com>", "<q2@example.com>"),
        files=(photo, guide),
        extra=(("X-Auto-Response-Suppress", "All"),),
    )
    assert photo == SeenFile("nadia.png", "image/png", BLOBS["pixel"], "photo", True)
    assert guide == SeenFile("Pflege & Größe.pdf", "application/pdf", BLOBS["letter"], None, False)
    assert accepted.provider_id


def test_any_letters_arrive_unchanged(carrier):
    mail = make_mail(
        subject="Re: Größe 36? 🩴 «sì» " + "né così né colà " * 20,
        to=Address("Chloé 'Coco' d’Été, Ærø \"x\"", "chloe@xn--bcher-kva.example"),
        text="Cara Chloé,\n.\n..\nFrom the atelier\n\ttab  and  spaces\n" + "long " * 400 + "\n日本語 🩴",
        html="<p>.</p>\n.\n<p>" + "ü" * 3000 + "</p>",
        attachments=(MailFile('日本 "語"; a/b.pdf', "application/pdf", "letter"),),
    )
    carrier.provider.send(parcel(mail))
    (seen,) = carrier.arrived()
    assert seen.subject == " ".join(mail.subject.split())
    assert seen.to_name == mail.to.name
    assert seen.text == mail.text
    assert seen.html == mail.html
    assert seen.files[0].filename == '日本 "語"; a/b.pdf'


def test_many_mails_go_one_after_the_other(carrier):
    for number in range(20):
        carrier.provider.send(parcel(make_mail(subject=f"Number {number}"), key=f"reply:{number}", seconds=number))
    assert [seen.subject for seen in carrier.arrived()] == [f"Number {number}" for number in range(20)]


def test_an_injected_header_never_gets_out(carrier):  # T07
    for text in ("hi\r\nBcc: mallory@evil.example", "hi\nx", "hi\x85x", "hi\u2028x"):
        with pytest.raises(ControlCharacter):
            carrier.provider.send(parcel(make_mail(subject=text)))
    trick = "=?utf-8?q?hi=0ABcc:_x=40y?="
    carrier.provider.send(parcel(make_mail(subject=trick, sender=Address(trick, "care@maison-solenne.example"))))
    (seen,) = carrier.arrived()
    assert (seen.subject, seen.sender_name, seen.extra) == (trick, trick, ())


def test_the_configuration_can_be_tried_without_sending(carrier):
    assert carrier.provider.check().endswith(".")
    assert carrier.arrived() == []


def test_it_can_be_closed_and_used_again(carrier):
    carrier.provider.send(parcel(key="a"))
    carrier.provider.close()
    carrier.provider.send(parcel(key="b"))
    assert len(carrier.arrived()) == 2


# --- memory and folder ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["memory", "folder"])
def test_the_same_delivery_is_kept_once(name, tmp_path):  # F02
    with ExitStack() as stack:
        carrier = make_carrier(name, tmp_path, stack)
        first = carrier.provider.send(parcel(key="reply:7"))
        assert carrier.provider.send(parcel(key="reply:7")) == first
        carrier.provider.send(parcel(key="reply:8"))
        assert len(carrier.arrived()) == 2


def test_the_folder_remembers_over_a_restart_and_between_workers(tmp_path):  # F02
    here, there = FolderProvider(tmp_path), FolderProvider(tmp_path)
    first = here.send(parcel(key="reply:7"))
    assert there.send(parcel(key="reply:7")) == first
    second = there.send(parcel(key="reply:8"))
    assert here.send(parcel(key="reply:8")) == second
    assert FolderProvider(tmp_path).send(parcel(key="reply:7")) == first
    assert len(list(tmp_path.iterdir())) == 2


def test_files_sort_by_time(tmp_path):
    provider = FolderProvider(tmp_path)
    for minutes in (3, 1, 2):
        mail = make_mail(subject=f"Number {minutes}")
        now = NOW + timedelta(minutes=minutes)
        provider.send(pack(f"reply:{minutes}", mail, BLOBS.__getitem__, now=now))
    subjects = [read_mail(path.read_bytes()).subject for path in sorted(tmp_path.iterdir())]
    assert subjects == ["Number 1", "Number 2", "Number 3"]
    assert all(re.fullmatch(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{20}\.eml", path.name) for path in tmp_path.iterdir())


def test_an_outbox_that_cannot_be_written_is_tried_again_later(tmp_path):
    (tmp_path / "file").write_text("in the way")
    provider = FolderProvider(tmp_path / "file" / "outbox")
    for attempt in (lambda: provider.send(parcel()), provider.check):
        with pytest.raises(TransportError, match="outbox") as failed:
            attempt()
        assert (failed.value.permanent, failed.value.uncertain, failed.value.reached) == (False, False, False)


# --- SMTP -----------------------------------------------------------------------------------------------------------
def test_the_envelope_is_the_mailbox_and_the_customer(smtp, relay):
    assert smtp.send(parcel()).provider_id == "4F1"
    assert relay.mails[0][:2] == ("care@maison-solenne.example", ["barbara@example.com"])


def test_one_connection_carries_many_mails(smtp, relay):
    for number in range(5):
        smtp.send(parcel(key=str(number)))
    assert relay.connections == 1


def test_a_connection_that_died_while_idle_is_replaced(smtp, relay):
    smtp.send(parcel())
    smtp._connection.sock.shutdown(2)
    smtp.send(parcel())
    assert len(relay.mails) == 2
    assert relay.connections == 2


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        ("rcpt 550 5.1.1 no such person", True),
        ("rcpt 452 4.2.2 her mailbox is full", False),
        ("mail 553 5.7.1 not a sender of ours", True),
        ("data 554 5.6.0 we do not like it", True),
        ("data 451 4.3.0 try again later", False),
    ],
)
def test_a_refusal_is_told_from_a_delay(smtp, relay, answer, permanent):
    relay.answer_next(answer)
    with pytest.raises(TransportError, match=re.escape(answer.split(" ", 1)[1].split(" ", 1)[1])) as failed:
        smtp.send(parcel())
    assert (failed.value.permanent, failed.value.uncertain) == (permanent, False)
    assert relay.mails == []
    smtp.send(parcel())
    assert (len(relay.mails), relay.connections) == (1, 1)


def test_a_relay_that_closes_is_asked_again_later(smtp, relay):
    relay.answer_next("mail 421 4.3.2 going home")
    with pytest.raises(TransportError) as failed:
        smtp.send(parcel())
    assert (failed.value.permanent, failed.value.uncertain, failed.value.reached) == (False, False, False)


@pytest.mark.parametrize("answer", ["cut-after-dot", "hang-after-dot"])
def test_silence_after_the_last_dot_is_uncertain(smtp, relay, answer):  # F03
    relay.answer_next(answer)
    with pytest.raises(TransportError) as failed:
        smtp.send(parcel())
    assert failed.value.uncertain
    assert len(relay.mails) == 1  # it had been taken: sending again would have doubled it
    smtp.send(parcel(key="reply:2"))
    assert len(relay.mails) == 2


def test_a_line_cut_before_the_last_dot_may_be_tried_again(smtp, relay):  # F03
    relay.answer_next("cut-in-data")
    with pytest.raises(TransportError) as failed:
        smtp.send(parcel(make_mail(text="a long letter\n" * 500_000)))
    assert (failed.value.permanent, failed.value.uncertain) == (False, False)
    assert relay.mails == []


def test_nobody_there_is_tried_again_later(relay):
    provider = SmtpProvider("smtp://127.0.0.1:1", seconds=1.0)
    for attempt in (lambda: provider.send(parcel()), provider.check):
        with pytest.raises(TransportError, match=r"127\.0\.0\.1") as failed:
            attempt()
        assert (failed.value.permanent, failed.value.uncertain, failed.value.reached) == (False, False, False)


def test_a_mail_too_large_for_the_relay_is_refused_before_it_is_sent(tmp_path):
    with smtp_relay(tmp_path, size=2000) as relay:
        provider = SmtpProvider(f"smtp://127.0.0.1:{relay.port}")
        with pytest.raises(TransportError, match="too large") as failed:
            provider.send(parcel(make_mail(text="x" * 3000)))
        assert failed.value.permanent
        provider.close()


def test_a_wrong_password_holds_the_mails_and_says_so(tmp_path):
    with smtp_relay(tmp_path, tls="implicit", login=True) as relay:
        trusted = ssl.create_default_context(cafile=relay.certificate)
        provider = SmtpProvider(f"smtps://concierge:wrong@localhost:{relay.port}", tls=trusted)
        with pytest.raises(TransportError, match="name and password") as failed:
            provider.send(parcel())
        assert (failed.value.permanent, failed.value.uncertain, failed.value.reached) == (False, False, False)


@pytest.mark.parametrize(("scheme", "tls"), [("smtps", "implicit"), ("smtp+starttls", "starttls")])
def test_a_certificate_nobody_vouches_for_is_not_trusted(tmp_path, scheme, tls):
    with smtp_relay(tmp_path, tls=tls) as relay:
        provider = SmtpProvider(f"{scheme}://localhost:{relay.port}")
        with pytest.raises(TransportError, match="certificate"):
            provider.send(parcel())
        assert relay.mails == []


def test_starttls_that_is_not_offered_is_not_done_without(relay):
    with pytest.raises(TransportError, match="STARTTLS"):
        SmtpProvider(f"smtp+starttls://localhost:{relay.port}").send(parcel())


@pytest.mark.parametrize("url", ["smtp://name:password@relay.example.com", "relay.example.com", "http://x", "smtps://"])
def test_a_relay_that_would_leak_the_password_or_makes_no_sense_is_refused(url):
    with pytest.raises(Misconfigured, match="CONCIERGE_SMTP_URL"):
        SmtpProvider(url)


# --- SendGrid -------------------------------------------------------------------------------------------------------
def test_sendgrid_is_asked_by_its_contract(sendgrid, door):
    assert sendgrid.send(parcel(key="reply:902")).provider_id == "message-1"
    method, path, headers, body = door.requests[0]
    assert (method, path) == ("POST", "/v3/mail/send")
    assert headers["Authorization"] == f"Bearer {API_KEY}"
    assert headers["Content-Type"] == "application/json"
    sent = json.loads(body)
    assert sent["personalizations"] == [
        {
            "to": [{"email": "barbara@example.com", "name": "Barbara Weiss"}],
            "custom_args": {"concierge_delivery": "reply:902"},
        }
    ]
    assert [part["type"] for part in sent["content"]] == ["text/plain", "text/html"]
    assert sent["headers"] == {
        "Message-ID": "<abc.1@maison-solenne.example>",
        "In-Reply-To": "<q2@example.com>",
        "References": "<q1@example.com> <q2@example.com>",
        "X-Auto-Response-Suppress": "All",
    }
    assert sent["tracking_settings"]["open_tracking"] == {"enable": False}
    assert sent["tracking_settings"]["click_tracking"] == {"enable": False, "enable_text": False}
    assert sent["tracking_settings"]["subscription_tracking"] == {"enable": False}
    assert [(each["disposition"], each.get("content_id")) for each in sent["attachments"]] == [
        ("inline", "photo"),
        ("attachment", None),
    ]


def test_one_connection_to_sendgrid_carries_many_mails(sendgrid, door):
    for number in range(5):
        sendgrid.send(parcel(key=str(number)))
    door.answer_next(400)
    with pytest.raises(TransportError):
        sendgrid.send(parcel())
    sendgrid.send(parcel())
    assert door.connections == 1


def test_an_idle_connection_is_not_trusted(sendgrid, door):
    sendgrid.send(parcel())
    sendgrid._used_at -= 60
    sendgrid.send(parcel())
    assert door.connections == 2


@pytest.mark.parametrize(
    ("status", "permanent", "uncertain"),
    [
        (400, True, False),
        (403, True, False),
        (413, True, False),
        (401, False, False),
        (429, False, False),
        (503, False, False),
        (500, False, True),
        (502, False, True),
        (301, False, False),
    ],
)
def test_each_answer_of_sendgrid_means_one_thing(sendgrid, door, status, permanent, uncertain):  # F03
    door.answer_next(status)
    with pytest.raises(TransportError, match=str(status)) as failed:
        sendgrid.send(parcel())
    assert (failed.value.permanent, failed.value.uncertain) == (permanent, uncertain)


def test_sendgrids_errors_are_put_into_words(sendgrid, door):
    door.answer_next(403)
    with pytest.raises(TransportError, match=r"does not match a verified Sender Identity\. \(from\)"):
        sendgrid.send(parcel())


def test_a_rate_limit_says_when_to_come_back(sendgrid, door):
    door.reset_at = int((NOW + timedelta(minutes=5)).timestamp())
    door.answer_next(429)
    with pytest.raises(TransportError) as failed:
        sendgrid.send(parcel())
    assert failed.value.retry_after == NOW + timedelta(minutes=5)
    assert not failed.value.reached


@pytest.mark.parametrize("answer", ["hang", "die"])
def test_no_answer_from_sendgrid_is_uncertain(sendgrid, door, answer):  # F03
    door.answer_next(answer)
    with pytest.raises(TransportError) as failed:
        sendgrid.send(parcel())
    assert failed.value.uncertain
    assert len(door.requests) == 1  # and it was not asked twice


def test_an_answer_cut_after_202_counts(sendgrid, door):
    door.answer_next("die-in-answer")
    assert sendgrid.send(parcel()).provider_id == "message-1"


def test_sendgrid_out_of_reach_is_tried_again_later():
    provider = SendGridProvider(API_KEY, "http://127.0.0.1:1", seconds=1.0)
    for attempt in (lambda: provider.send(parcel()), provider.check):
        with pytest.raises(TransportError, match="SendGrid") as failed:
            attempt()
        assert (failed.value.permanent, failed.value.uncertain, failed.value.reached) == (False, False, False)


def test_a_wrong_key_and_a_weak_key_are_told(door):
    with pytest.raises(TransportError, match="key"):
        SendGridProvider("SG.wrong", door.url).check()
    door.scopes = ("alerts.read",)
    with pytest.raises(TransportError, match="Mail Send"):
        SendGridProvider(API_KEY, door.url).check()


def test_a_customer_may_quote_what_looks_like_an_api_key(sendgrid, door):
    looks_like_one = "SG.abc123.def456 is the number of my order"
    with pytest.raises(ApiKeyIncludedException):
        Content("text/plain", looks_like_one)
    sendgrid.send(parcel(make_mail(text=looks_like_one)))
    assert len(door.accepted) == 1


def test_the_double_finds_the_mistakes_it_is_there_for():
    """A negative control: a request with a mistake in each part is refused with each named."""
    sound = request_body(parcel())
    assert faults(sound) == set()
    assert faults(sound | {"subject": ""}) == {"subject"}
    assert faults(sound | {"content": sound["content"][::-1]}) == {"content"}
    assert faults(sound | {"content": [{"type": "text/plain", "value": ""}]}) == {"content.0.value"}
    assert faults(sound | {"headers": {"Reply-To": "x"}}) == {"headers.Reply-To"}
    assert faults(sound | {"headers": {"X-A": "a\r\nb"}}) == {"headers.X-A"}
    assert faults(sound | {"from": {"email": "nobody"}}) == {"from.email"}
    twice = [{"to": [{"email": "a@b.example"}, {"email": "A@b.example"}]}]
    assert faults(sound | {"personalizations": twice}) == {"personalizations.0"}
    assert faults(sound | {"attachments": [{"content": "!", "filename": "x"}]}) == {"attachments.0.content"}
    assert faults(sound | {"reply-to": {}}) == {"reply-to"}


def faults(body: dict[str, Any]) -> set[str | None]:
    return {fault["field"] for fault in mail_send_faults(body)}


# --- choosing -------------------------------------------------------------------------------------------------------
def test_the_house_chooses_its_carrier_by_configuration(tmp_path):
    assert isinstance(open_provider(read_config(data=tmp_path)), FolderProvider)
    assert isinstance(open_provider(read_config(data=tmp_path, provider="memory")), MemoryProvider)
    relay = read_config(data=tmp_path, provider="smtp", smtp_url="smtps://relay.example.com")
    assert isinstance(open_provider(relay), SmtpProvider)
    sendgrid = read_config(data=tmp_path, provider="sendgrid", sendgrid_api_key=API_KEY)
    assert isinstance(open_provider(sendgrid), SendGridProvider)
