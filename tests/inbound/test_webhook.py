"""Mail posted by SendGrid: byte for byte in raw mode, put together again in parsed mode (T13)."""

import base64
import json

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from concierge import blobs
from concierge.inbound import webhooks
from concierge.inbound.jobs import file_received
from concierge.inbound.models import InboundMail, InboundState
from concierge.inbound.parsed import ParsedMail
from concierge.inbound.parsing import parse_mail
from concierge.inbound.sources.webhook import NotAForm, read_post
from concierge.mailing.signatures import SIGNATURE, TIMESTAMP
from tests.factories import make_mailbox
from tests.inbound.arriving import CARE, letter, message_of
from tests.inbound.odd_mails import ODD_MAILS
from tests.inbound.odd_mails.making import PNG

URL = "/webhooks/inbound/an-inbound-secret-for-tests"
TYPE = "multipart/form-data; boundary=xYzZY"
ENVELOPE = json.dumps({"to": [CARE], "from": "barbara@example.com"}).encode()


def form(*fields: tuple[str, bytes], files: tuple[tuple[str, str, str, bytes], ...] = ()) -> bytes:
    """A posted form as SendGrid writes it."""
    body = b""
    for name, data in fields:
        body += b'--xYzZY\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + data + b"\r\n"
    for name, filename, kind, data in files:
        head = f'--xYzZY\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        head += f"Content-Type: {kind}\r\n\r\n"
        body += head.encode() + data + b"\r\n"
    return body + b"--xYzZY--\r\n"


def post(client: FlaskClient, body: bytes, url: str = URL) -> int:
    return client.post(url, data=body, content_type=TYPE).status_code


def only_mail(session: Session) -> InboundMail:
    mail = session.scalars(sa.select(InboundMail)).one()
    session.commit()
    return mail


def test_every_odd_mail_in_raw_mode_is_kept_byte_for_byte():
    for odd in ODD_MAILS:
        if len(odd.raw) < 2_000_000:
            posted = read_post(TYPE, form(("envelope", ENVELOPE), ("email", odd.raw), ("SPF", b"pass")))
            assert posted.raw == odd.raw, odd.name
            assert (posted.recipients, posted.envelope_from) == ((CARE,), "barbara@example.com")


def test_a_raw_mail_is_kept_and_filed(client, config, sessions, session, store):
    make_mailbox(session)
    session.commit()
    raw = letter(text="caff\xe8").replace("è".encode(), b"\xe8")
    assert post(client, form(("email", raw), ("envelope", ENVELOPE))) == 200
    assert store.get(only_mail(session).blob_key) == raw
    file_received(config, sessions)
    session.expire_all()
    assert message_of(session, only_mail(session)).text == "caffè"


def test_a_mail_above_flasks_own_form_limit_is_taken(client, session):
    assert post(client, form(("email", letter(text="x" * 5_000_000)), ("envelope", ENVELOPE))) == 200
    assert only_mail(session).size > 5_000_000


def parsed_form() -> bytes:
    headers = b"From: =?utf-8?Q?Chlo=C3=A9?= <chloe@example.com>\nTo: care@maison-solenne.example\nSubject: s\n"
    headers += b'Message-ID: <p@x>\nMIME-Version: 1.0\nContent-Type: multipart/mixed;\n boundary="old"\n'
    return form(
        ("headers", headers),
        ("text", "Perché no? 36€".encode("cp1252")),
        ("html", "<p>Perché <img src='cid:p1'></p>".encode("iso-8859-15")),
        ("from", "Chloé <chloe@example.com>".encode()),
        ("charsets", json.dumps({"text": "windows-1252", "html": "iso-8859-15", "from": "UTF-8"}).encode()),
        ("envelope", ENVELOPE),
        ("attachment-info", json.dumps({"attachment1": {"filename": "x.png", "type": "image/png"}}).encode()),
        ("content-ids", json.dumps({"p1": "attachment1"}).encode()),
        files=(
            ("attachment1", "shoé.png", "image/png", PNG),
            ("attachment2", "a;b.pdf", "application/pdf", b"%PDF\r\n\0"),
        ),
    )


def test_a_parsed_mail_is_put_together_again_faithfully():
    mail = parse_mail(read_post(TYPE, parsed_form()).raw)
    assert isinstance(mail, ParsedMail)
    assert mail.text == "Perché no? 36€"
    assert "Perché" in (mail.html or "")
    assert mail.sender is not None
    assert (mail.sender.name, mail.message_id) == ("Chloé", "p@x")
    assert [(each.filename, each.inline, each.data) for each in mail.attachments] == [
        ("shoé.png", True, PNG),
        ("a;b.pdf", False, b"%PDF\r\n\0"),
    ]
    assert "two-content-types" not in mail.flags


def test_the_same_post_makes_the_same_bytes_however_often_it_is_repeated():
    assert read_post(TYPE, parsed_form()).raw == read_post(TYPE, parsed_form()).raw


def test_a_parsed_mail_without_headers_is_made_from_its_fields():
    charsets = json.dumps({"from": "iso-8859-1", "subject": "koi8-r"}).encode()
    fields = (
        ("from", "Chloé Martin <chloe@example.com>".encode("latin-1")),
        ("subject", "Сандалии\r\nBcc: evil@x".encode("koi8-r")),
        ("text", b"hello"),
        ("charsets", charsets),
    )
    mail = parse_mail(read_post(TYPE, form(*fields)).raw)
    assert isinstance(mail, ParsedMail)
    assert mail.sender is not None
    assert (mail.sender.name, mail.sender.address) == ("Chloé Martin", "chloe@example.com")
    assert mail.subject == "Сандалии Bcc: evil@x"  # T07


@pytest.mark.parametrize(
    "secret", ["", "wrong", "an-inbound-secret-for-test", "an-inbound-secret-for-tests2", "%00", "é"]
)
def test_a_wrong_secret_keeps_nothing(client, session, secret):  # T13
    assert post(client, form(("email", letter())), f"/webhooks/inbound/{secret}") in (403, 404)
    assert session.scalars(sa.select(InboundMail)).all() == []


def test_a_passing_fault_is_5xx_and_the_repeated_post_is_taken(client, session, monkeypatch):
    for error in (OSError(28, "No space left on device"), OperationalError("INSERT", {}, OSError("disk I/O error"))):

        def fail(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(webhooks, "accept_mail", fail)
            assert post(client, form(("email", letter()))) == 503
    assert post(client, form(("email", letter()))) == 200
    assert only_mail(session).state is InboundState.RECEIVED


def test_a_post_we_do_not_understand_is_kept_and_quarantined(client, config, sessions, session, store):
    make_mailbox(session)
    session.commit()
    body = form(("something", b"else"))
    assert post(client, body) == 200
    file_received(config, sessions)
    mail = only_mail(session)
    assert (mail.state, mail.reason) == (InboundState.QUARANTINED, "no-header")
    assert store.get(mail.blob_key) == body


def test_a_post_larger_than_a_mail_may_be_is_refused(client, config):
    assert post(client, b"x" * (config.max_mail_bytes + 3 * 1024 * 1024)) == 413


@pytest.mark.parametrize(
    "body", [b"", b"--xYzZY", b"--xYzZY\r\n\r\n", form(("email", b"x"))[:-20], form(*[("a", b"b")] * 700)]
)
def test_a_broken_form_or_a_bomb_is_no_form(body: bytes):
    with pytest.raises(NotAForm):
        read_post(TYPE, body)
    with pytest.raises(NotAForm):
        read_post("application/json", body)


def test_a_post_for_two_mailboxes_is_one_mail_that_knows_both():
    envelope = b'{"to":["cura@maison-solenne.example","care@maison-solenne.example"],"from":"b@example.com"}'
    posted = read_post(TYPE, form(("envelope", envelope), ("email", letter())))
    assert posted.recipients == ("cura@maison-solenne.example", CARE)


@pytest.mark.parametrize("envelope", [b"", b"[]", b"{", b'{"to": 7, "from": []}', b"[" * 100_000, b"\xff"])
def test_an_envelope_that_is_none_leaves_the_mail_its_header(envelope: bytes):
    posted = read_post(TYPE, form(("email", letter()), ("envelope", envelope)))
    assert (posted.recipients, posted.envelope_from) == ((), None)


def test_the_blob_is_kept_before_the_row(client, session, monkeypatch):  # F01
    order = []
    put = blobs.BlobStore.put
    monkeypatch.setattr(blobs.BlobStore, "put", lambda store, data: order.append("blob") or put(store, data))
    sa.event.listen(Session, "before_flush", lambda *_: order.append("row"))
    post(client, form(("email", letter())))
    assert order[:2] == ["blob", "row"]


KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()


def test_where_a_signature_is_asked_for_only_what_is_signed_is_kept(client, config, session):  # T13
    config.sendgrid_inbound_key = PUBLIC
    body = form(("email", letter().replace(b"Hello", b"caff\xe8")), ("envelope", ENVELOPE))
    signature = KEY.sign(b"1795167000" + body, ec.ECDSA(hashes.SHA256()))
    good = {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: "1795167000"}

    def posted(headers: dict[str, str], data: bytes = body) -> int:
        return client.post(URL, data=data, content_type=TYPE, headers=headers).status_code

    stranger = ec.generate_private_key(ec.SECP256R1()).sign(b"1795167000" + body, ec.ECDSA(hashes.SHA256()))
    forged = {**good, SIGNATURE: base64.b64encode(stranger).decode()}
    for headers in ({}, forged, {**good, TIMESTAMP: "1795167001"}, {**good, SIGNATURE: "no base64 è"}):
        assert posted(headers) == 503  # it comes again, should the key be what is wrong
    assert posted(good, body.replace(b"caff", b"eaff")) == 503
    assert session.scalars(sa.select(InboundMail)).all() == []
    session.commit()
    assert posted(good) == 200
    assert only_mail(session).state is InboundState.RECEIVED
