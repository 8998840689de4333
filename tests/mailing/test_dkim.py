"""DKIM: what we sign, another's program verifies; one letter changed, and it does not."""

import re
from datetime import timedelta

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from concierge.addresses import Address
from concierge.config import read_config
from concierge.mailing.dkim import NoSigningKey, Signer, read_signer, relaxed_body
from concierge.mailing.mail import build, unsubscribe_headers
from concierge.mailing.providers.base import pack
from concierge.mailing.providers.smtp import SmtpProvider
from tests.mailing.doubles import smtp_relay
from tests.mailing.samples import BLOBS, NOW, make_full_mail, make_mail

RSA = rsa.generate_private_key(65537, 1024)
DOMAIN = "maison-solenne.example"


@pytest.fixture
def signer() -> Signer:
    return Signer(RSA, "concierge")


def is_genuine(raw: bytes, signer: Signer) -> bool:
    records = {f"{signer.place(DOMAIN)}.".encode(): signer.record.encode()}
    return bool(dkim.verify(raw, minkey=1024, dnsfunc=lambda name, timeout=5: records.get(name)))


MAILS = {
    "a plain one": {},
    "any script": {
        "subject": "Ré: 新しい靴が入荷しました — «Ваши» 👡 " * 6,
        "text": "Chère Chloé,\n\n\n  新しい靴  \n\n\n",
    },
    "a letter": {"headers": unsubscribe_headers("https://house.example/u/" + "t" * 300)},
    "a long ancestry": {"references": tuple(f"<{n}.{'x' * 60}@example.com>" for n in range(30))},
}


@pytest.mark.parametrize("name", MAILS)
def test_what_we_sign_is_verified_by_others(name, signer):
    raw = build(make_mail(**MAILS[name]), BLOBS.__getitem__, now=NOW)
    signed = signer.sign(raw, DOMAIN, at=NOW)
    assert signed.endswith(raw)
    assert is_genuine(signed, signer)
    assert max(map(len, signed.split(b"\r\n"))) <= 998


def test_a_mail_with_pictures_and_files_is_too(signer):
    assert is_genuine(signer.sign(build(make_full_mail(), BLOBS.__getitem__, now=NOW), DOMAIN, at=NOW), signer)


def test_one_letter_changed_or_a_header_added_and_it_is_genuine_no_more(signer):
    """The negative control."""
    signed = signer.sign(build(make_mail(), BLOBS.__getitem__, now=NOW), DOMAIN, at=NOW)
    changes = [
        signed.replace(b"turquoise", b"turquoize"),
        signed.replace(b"they are yours", b"they are theirs"),
        b"From: Mallory <mallory@example.com>\r\n" + signed,
        b"Subject: Another\r\n" + signed,
    ]
    assert [is_genuine(each, signer) for each in changes] == [False] * 4
    assert not is_genuine(signed, Signer(rsa.generate_private_key(65537, 1024), "concierge"))


@pytest.mark.parametrize("field", [b"Reply-To", b"Message-ID", b"In-Reply-To", b"References", b"MIME-Version",
    b"Content-Type", b"Content-Transfer-Encoding", b"Auto-Submitted", b"List-Unsubscribe", b"List-Unsubscribe-Post",
])  # fmt: skip
def test_each_field_that_steers_a_mail_program_is_signed_over(field, signer):
    """Changed, or taken away, and another's program says so."""
    values = {"reply_to": Address("", "care@maison-solenne.example"), "in_reply_to": "<first@example.com>"}
    headers = unsubscribe_headers("https://house.example/u/t") | {"Auto-Submitted": "auto-generated"}
    mail = make_mail(references=("<first@example.com>",), headers=headers, **values)
    signed = signer.sign(build(mail, BLOBS.__getitem__, now=NOW), DOMAIN, at=NOW)
    assert is_genuine(signed, signer)
    line = re.compile(rb"(?mi)^" + field + rb": (.+\r\n(?:[ \t].+\r\n)*)")
    head, _, body = signed.partition(b"\r\n\r\n")
    assert len(line.findall(head + b"\r\n")) == 1
    for other in (b"", field + b": <another@example.com>\r\n"):
        changed = line.sub(other, head + b"\r\n") + b"\r\n" + body
        assert changed != signed
        assert not is_genuine(changed, signer)


def test_an_ed25519_key_makes_the_record_of_its_rfc():
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    signer = Signer(ed25519.Ed25519PrivateKey.from_private_bytes(seed), "brisbane")
    # RFC 8463, appendix A.2
    assert signer.record == "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    assert b"a=ed25519-sha256" in signer.sign(b"From: a@b.example\r\n\r\nhi\r\n", "b.example", at=NOW)


def test_a_body_is_relaxed_as_the_rfc_says():
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"  # RFC 6376, 3.4.5
    assert relaxed_body(b"\r\n\r\n") == b""


def test_what_leaves_by_smtp_is_signed(tmp_path, signer):
    with smtp_relay(tmp_path) as relay:
        provider = SmtpProvider(f"smtp://127.0.0.1:{relay.port}", signer=signer)
        provider.send(pack("reply:1", make_mail(), BLOBS.__getitem__, now=NOW + timedelta(seconds=1)))
        provider.close()
        [(_sender, _recipients, taken)] = relay.mails
    assert is_genuine(taken, signer)


def test_a_key_that_is_none_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "dkim.pem"
    with pytest.raises(NoSigningKey, match="can't be read"):
        read_signer(path, "concierge")
    path.write_text("hello")
    with pytest.raises(NoSigningKey, match="no private key"):
        read_signer(path, "concierge")
    kind = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(RSA.private_bytes(*kind))
    assert read_signer(path, "concierge").record.startswith("v=DKIM1; k=rsa; p=")
    assert read_config(dkim_key=path, demo=True).dkim_selector == "concierge"
