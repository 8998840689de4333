"""One contract, kept by every carrier; then the two that stay in the house."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from concierge.addresses import Address
from concierge.config import read_config
from concierge.mailing.mail import ControlCharacter, MailFile
from concierge.mailing.providers import open_provider
from concierge.mailing.providers.base import TransportError, pack
from concierge.mailing.providers.folder import FolderProvider
from concierge.mailing.providers.memory import MemoryProvider
from concierge.mailing.providers.sendgrid import SendGridProvider
from concierge.mailing.providers.smtp import SmtpProvider
from tests.mailing.carriers import Carrier, make_carrier, parcel
from tests.mailing.doubles import API_KEY
from tests.mailing.samples import BLOBS, NOW, SeenFile, SeenMail, make_mail, read_mail

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture(params=["memory", "folder", "smtp", "smtps", "smtp+starttls", "sendgrid"])
def carrier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Carrier]:
    with ExitStack() as stack:
        carrier = make_carrier(request.param, tmp_path, stack)
        stack.callback(carrier.provider.close)
        yield carrier


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


# --- choosing -------------------------------------------------------------------------------------------------------
def test_the_house_chooses_its_carrier_by_configuration(tmp_path):
    assert isinstance(open_provider(read_config(data=tmp_path)), FolderProvider)
    assert isinstance(open_provider(read_config(data=tmp_path, provider="memory")), MemoryProvider)
    relay = read_config(data=tmp_path, provider="smtp", smtp_url="smtps://relay.example.com")
    assert isinstance(open_provider(relay), SmtpProvider)
    sendgrid = read_config(data=tmp_path, provider="sendgrid", sendgrid_api_key=API_KEY)
    assert isinstance(open_provider(sendgrid), SendGridProvider)
