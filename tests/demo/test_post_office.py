import email
from datetime import timedelta

import pytest
import sqlalchemy as sa

from concierge.accounts.models import Mailbox, Role
from concierge.accounts.queries import find_editor_by_email
from concierge.addresses import Address
from concierge.app import create_app
from concierge.demo.mailroom import read_source
from concierge.inbound.models import InboundMail
from concierge.mailing import commands, jobs
from concierge.mailing.mail import MailFile
from concierge.mailing.models import Delivery, DeliveryState
from concierge.mailing.providers.folder import FolderProvider
from tests.factories import DAY, make_customer, make_editor, make_mailbox, sign_in
from tests.mailing.samples import BLOBS, NOW, make_mail, read_mail

HTML = (
    '<html><head><title>x</title><style>.a{color:red}</style></head><body><table class="a"><tr><td>'
    '<p>Dear Barbara, <a href="https://shop.example/lido">the Lido</a></p><img src="cid:photo" alt="Nadia">'
    '<img src="https://evil.example/pixel.png"><script>alert(1)</script><a href="javascript:alert(1)">x</a>'
    "</td></tr></table></body></html>"
)


@pytest.fixture
def barbaras_mail(session, sessions, store, config) -> int:
    """Nadia's answer, as it left."""
    make_mailbox(session)
    nadia = make_editor(session)
    make_customer(session, "Barbara Weiss", "barbara@example.com")
    keys = {name: store.put(data) for name, data in BLOBS.items()}
    mail = make_mail(
        html=HTML,
        in_reply_to="<q1@example.com>",
        pictures=(MailFile("nadia.png", "image/png", keys["pixel"], "photo"),),
        attachments=(MailFile("care.html", "text/html", keys["letter"]),),
    )
    delivery = commands.queue_delivery(session, mail, key="reply:1", purpose="reply", now=NOW)
    session.commit()
    jobs.deliver_due(config, sessions)
    session.refresh(delivery)
    assert (delivery.state, nadia.name) == (DeliveryState.SENT, "Nadia Ferrant")
    session.commit()
    return delivery.id


@pytest.fixture
def nadia(client, barbaras_mail, session):
    """A browser in which Nadia is signed in."""
    editor = find_editor_by_email(session, "nadia@maison-solenne.example")
    session.commit()
    sign_in(client, editor)
    return client


def arrived(session, store) -> list[bytes]:
    return [store.get(key) for key in session.scalars(sa.select(InboundMail.blob_key).order_by(InboundMail.id))]


def test_every_mailbox_is_here_and_the_newest_is_open(nadia, session):
    make_customer(session, "Chloé Marchand", "chloe@example.com")
    session.commit()
    page = nadia.get("/post-office/").text
    assert "Barbara Weiss" in page and "Chloé Marchand" in page
    assert "Re: The turquoise sandals in 36" in page
    assert "No mail yet" in nadia.get("/post-office/of/chloe@example.com").text


def test_mails_lie_in_the_order_in_which_they_left_whenever_they_were_written_down(nadia, barbaras_mail, session):
    rows = (("chloe@example.com", 1, "At sea"), ("barbara@example.com", 5, "Before the rain"))
    for number, (address, days, subject) in enumerate(rows, 2):
        mail = make_mail(to=Address("", address), subject=subject)
        each = commands.queue_delivery(session, mail, key=f"reply:{number}", purpose="reply", now=NOW)
        each.state, each.sent_at = DeliveryState.SENT, NOW - days * DAY
    session.commit()
    page = nadia.get("/post-office/").text
    newest, older = page.index("Re: The turquoise sandals in 36"), page.index("Before the rain")
    assert newest < older
    assert page.index("/of/barbara@example.com") < page.index("/of/chloe@example.com")


def test_a_mail_is_read_as_a_letter_as_text_and_as_source(nadia, barbaras_mail):
    here = f"/post-office/mails/{barbaras_mail}"
    assert f'src="{here}/page"' in nadia.get(here).text
    assert "they are yours." in nadia.get(f"{here}?as=text").text
    source = nadia.get(f"{here}?as=source").text
    assert "Message-ID: &lt;abc.1@maison-solenne.example&gt;" in source
    assert "multipart/related" in source


def test_the_letter_stands_on_a_page_that_can_do_nothing(nadia, barbaras_mail):  # T15, T17
    answer = nadia.get(f"/post-office/mails/{barbaras_mail}/page")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "default-src 'none'" in policy and "allow-scripts" not in policy and "same-origin" not in policy
    assert 'src="data:image/png;base64,' in answer.text
    assert 'href="https://shop.example/lido"' in answer.text
    assert ".a{color:red}" in answer.text
    for bad in ("script", "javascript", "evil.example", "<title"):
        assert bad not in answer.text.lower().replace("allow-scripts", "")


def test_an_attachment_is_saved_never_shown(nadia, barbaras_mail):  # T19
    answer = nadia.get(f"/post-office/mails/{barbaras_mail}/files/0")
    assert answer.data == BLOBS["letter"]
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert nadia.get(f"/post-office/mails/{barbaras_mail}/files/1").status_code == 404


def test_an_answer_goes_to_the_signed_address_with_everything_a_mail_program_adds(nadia, barbaras_mail, session, store):
    answer = nadia.post(f"/post-office/mails/{barbaras_mail}/answer", data={"words": "Yes please!\n\nBarbara"})
    assert answer.status_code == 302
    (raw,) = arrived(session, store)
    seen = read_mail(raw)
    assert (seen.sender_name, seen.sender) == ("Barbara Weiss", "barbara@example.com")
    assert seen.to == "care+k3y@maison-solenne.example"
    assert seen.subject == "Re: The turquoise sandals in 36"
    assert seen.in_reply_to == "<abc.1@maison-solenne.example>"
    assert seen.references == ("<q1@example.com>", "<abc.1@maison-solenne.example>")
    assert seen.text.startswith("Yes please!\n\nBarbara\n\nOn ")
    assert "Nadia Ferrant wrote:\n> Dear Barbara,\n>\n> they are yours." in seen.text
    assert "gmail_quote" in seen.html
    inbound = session.scalar(sa.select(InboundMail))
    assert (inbound.source, inbound.envelope_from) == ("post office", "barbara@example.com")
    assert inbound.recipients == ["care+k3y@maison-solenne.example"]


def test_anybody_can_write_to_the_house(nadia, session, store):
    house = session.scalar(sa.select(Mailbox.id))
    session.commit()
    form = {"name": "Élise", "address": "elise@example.org", "mailbox": house, "subject": "Bonjour", "words": "Hi\n<b>"}
    assert "Write to the house" in nadia.get("/post-office/write?as=barbara@example.com").text
    assert nadia.post("/post-office/write", data=form).status_code == 302
    seen = read_mail(arrived(session, store)[0])
    assert (seen.sender_name, seen.to, seen.text) == ("Élise", "care@maison-solenne.example", "Hi\n<b>")
    assert "&lt;b&gt;" in seen.html


@pytest.mark.parametrize("missing", ["address", "subject", "words"])
def test_an_empty_sheet_is_not_posted(nadia, session, missing):
    form = {"name": "É", "address": "elise@example.org", "mailbox": 1, "subject": "Bonjour", "words": "Hi"}
    assert nadia.post("/post-office/write", data=form | {missing: " "}).status_code == 422
    assert session.scalar(sa.select(InboundMail)) is None


def test_a_forged_header_is_refused_here_too(nadia, session):  # T07
    form = {
        "name": "É",
        "address": "elise@example.org",
        "mailbox": 1,
        "subject": "a\r\nBcc: x@y.example",
        "words": "Hi",
    }
    assert nadia.post("/post-office/write", data=form).status_code == 409
    assert session.scalar(sa.select(InboundMail)) is None


def test_what_has_not_left_is_in_no_mailbox(nadia, session):
    waiting = commands.queue_delivery(
        session, make_mail(to=Address("", "c@d.example")), key="r:2", purpose="reply", now=NOW + timedelta(days=9)
    )
    session.commit()
    assert nadia.get(f"/post-office/mails/{waiting.id}").status_code == 404


def test_the_source_is_the_file_in_the_outbox(config, session, sessions, tmp_path):
    outbox = tmp_path / "outbox"
    commands.queue_delivery(session, make_mail(), key="reply:1", purpose="reply", now=NOW)
    session.commit()
    jobs.deliver_due(config, sessions, FolderProvider(outbox))
    delivery = session.scalar(sa.select(Delivery).execution_options(populate_existing=True))
    raw = (outbox / delivery.provider_id).read_bytes()
    assert read_source(delivery, outbox, BLOBS.__getitem__) == raw
    assert email.message_from_bytes(raw)["Message-ID"] == "<abc.1@maison-solenne.example>"


def test_a_letter_to_the_staff_is_read_by_the_admin_only(nadia, session, sessions, config):  # T35
    chiara = make_editor(session, "Chiara Bellini")
    to = Address(chiara.name, chiara.email)
    letter = commands.queue_delivery(session, make_mail(to=to), key="staff:1", purpose="staff", now=NOW)
    omar = make_editor(session, "Omar Haddad", role=Role.ADMIN)
    session.commit()
    jobs.deliver_due(config, sessions)
    places = ("", "/page", "?as=source")
    assert [nadia.get(f"/post-office/mails/{letter.id}{place}").status_code for place in places] == [404] * 3
    assert nadia.post(f"/post-office/mails/{letter.id}/answer", data={"words": "x"}).status_code == 404
    page = nadia.get(f"/post-office/of/{chiara.email}").text
    assert f"mails/{letter.id}" not in page
    assert chiara.name not in page
    assert "shown to the admin only" in page
    admin = nadia.application.test_client()
    sign_in(admin, omar)
    assert admin.get(f"/post-office/mails/{letter.id}").status_code == 200
    assert f"mails/{letter.id}" in admin.get(f"/post-office/of/{chiara.email}").text


def test_outside_a_demo_there_is_no_post_office(config, session, barbaras_mail):
    app = create_app(config.model_copy(update={"demo": False}))
    app.config.update(WTF_CSRF_ENABLED=False)
    client = app.test_client()
    editor = find_editor_by_email(session, "nadia@maison-solenne.example")
    session.commit()
    sign_in(client, editor)
    for path in (
        "/styleguide",
        "/post-office/",
        f"/post-office/mails/{barbaras_mail}",
        f"/post-office/mails/{barbaras_mail}/page",
    ):
        assert client.get(path).status_code == 404
    assert client.post(f"/post-office/mails/{barbaras_mail}/answer", data={"words": "x"}).status_code == 404
