"""A mail's HTML on a page that can do nothing, and files that are only ever saved."""

import pytest

from concierge import tokens
from concierge.conversations.commands import FileIn
from tests.conversations.stories import SECRET, receive
from tests.factories import make_editor, sign_in

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


@pytest.fixture
def desk(client, session):
    nadia = make_editor(session)
    session.commit()
    sign_in(client, nadia)
    return client


def mail(session, store, html, *, data=PNG, named=("heel.png", "image/png"), cid="heel@shop"):
    file = FileIn(*named, len(data), store.put(data), cid, inline=cid is not None)
    message = receive(session, html=html, attachments=(file,))
    session.commit()
    return message


@pytest.fixture
def saved(session, store, desk):
    """Saves a file that came with a mail, as a browser does."""

    def save(data, named):
        message = mail(session, store, "x", data=data, named=named, cid=None)
        return desk.get(f"/attachments/{message.attachments[0].id}")

    return save


def test_the_html_stands_on_a_page_that_can_do_nothing(session, store, desk):  # T15–T18
    message = mail(session, store, "<p>Hello<script>alert(1)</script><img src='https://evil.example/p.png'></p>")
    response = desk.get(f"/messages/{message.id}/body")
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src 'self';")
    assert "script" not in policy and "same-origin" not in policy and "https:" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    text = response.get_data(as_text=True)
    assert "<script" not in text and "evil.example" not in text and "Hello" in text


def test_pictures_from_elsewhere_come_after_a_click(session, store, desk):  # T17
    message = mail(session, store, "<img src='https://shop.example/p.png'>")
    response = desk.get(f"/messages/{message.id}/body?pictures=1")
    assert "img-src 'self' https: http:;" in response.headers["Content-Security-Policy"]
    assert "https://shop.example/p.png" in response.get_data(as_text=True)
    page = desk.get(f"/conversations/{message.conversation_id}").get_data(as_text=True)
    assert "Show the pictures" in page
    assert "shop.example" not in page


def test_in_words_only_her_picture_is_among_the_files(session, store, desk):
    message = mail(session, store, "<p>These: <img src='cid:heel@shop'></p>")
    where = f"/conversations/{message.conversation_id}"
    framed, plain = (desk.get(f"{where}{query}").get_data(as_text=True) for query in ("", f"?plain={message.id}"))
    assert "<iframe" in framed and "heel.png" not in framed
    assert "<iframe" not in plain and "heel.png" in plain


def test_a_reply_that_quotes_our_letter_is_read_as_words(session, store, desk):
    quoted = "<img src='cid:heel@shop'><a href='https://shop.example'>See it</a>"
    message = mail(session, store, f"<p>Yes please!</p><details data-fold><summary>…</summary>{quoted}</details>")
    where = f"/conversations/{message.conversation_id}"
    page = desk.get(where).get_data(as_text=True)
    assert "<iframe" not in page and "heel.png" not in page and "Show the pictures" not in page
    framed = desk.get(f"{where}?framed={message.id}").get_data(as_text=True)
    assert "<iframe" in framed and "Words only" in framed


def test_the_frame_has_neither_script_nor_our_origin(session, store, desk):
    message = mail(session, store, "<img src='cid:heel@shop'>")
    page = desk.get(f"/conversations/{message.conversation_id}").get_data(as_text=True)
    frame = page.split("<iframe")[1].split(">")[0]
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame


def test_an_inline_picture_needs_no_cookie_but_a_signed_address(session, store, desk, app):
    message = mail(session, store, "<img src='cid:heel@shop'>")
    text = desk.get(f"/messages/{message.id}/body").get_data(as_text=True)
    address = text.split('<img src="')[1].split('"')[0]
    stranger = app.test_client()
    response = stranger.get(address)
    assert (response.status_code, response.mimetype, response.data) == (200, "image/png", PNG)
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert stranger.get(address[:-2] + ("A" if address[-2] != "A" else "B") + address[-1]).status_code == 403
    assert stranger.get(address.replace(f"/{message.id}/", f"/{message.id + 1}/")).status_code == 404
    forged = tokens.sign(SECRET, "reset", f"{message.id}:1")
    assert stranger.get(f"/messages/{message.id}/pictures/{forged}").status_code == 403


def test_an_svg_that_calls_itself_a_picture_is_not_shown(session, store, desk):  # T19
    message = mail(session, store, "<img src='cid:heel@shop'>", data=SVG)
    text = desk.get(f"/messages/{message.id}/body").get_data(as_text=True)
    assert desk.get(text.split('<img src="')[1].split('"')[0]).status_code == 404


@pytest.mark.parametrize(
    ("data", "named", "told"),
    [
        (SVG, ("x.svg", "image/svg+xml"), "application/octet-stream"),
        (b"<script>alert(1)</script>", ("x.html", "text/html"), "application/octet-stream"),
        (b"<?xml version='1.0'?>", ("x.xml", "text/xml"), "application/octet-stream"),
        (b"alert(1)", ("x.js", "text/javascript"), "application/octet-stream"),
        (b"%PDF-1.4", ("bill.pdf", "application/pdf"), "application/pdf"),
    ],
)
def test_a_file_is_saved_and_never_opened(saved, data, named, told):  # T19
    response = saved(data, named)
    assert response.data == data
    assert response.mimetype == told
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "name", ["a\r\nSet-Cookie: x=1.txt", "../../etc/passwd", "exe\u202egnp.scr", 'a";b=".pdf', "città.pdf"]
)
def test_a_files_name_can_not_break_out(saved, name):  # T20
    response = saved(b"data", (name, "text/plain"))
    disposition = response.headers["Content-Disposition"]
    assert response.status_code == 200
    assert not set("\r\n/\u202e") & set(disposition)
    assert "Set-Cookie" not in response.headers or "x=1" not in response.headers["Set-Cookie"]


def test_the_mail_as_it_came_can_be_saved(session, store, desk):
    message = receive(session, raw_key=store.put(b"Subject: x\r\n\r\nraw"))
    other = receive(session)
    session.commit()
    response = desk.get(f"/messages/{message.id}/raw")
    assert response.data == b"Subject: x\r\n\r\nraw"
    assert response.headers["Content-Disposition"] == f"attachment; filename=mail-{message.id}.eml"
    assert desk.get(f"/messages/{other.id}/raw").status_code == 404


def test_html_made_to_be_slow_is_shown_as_text(session, store, desk):  # T08
    message = mail(session, store, "<ul><li>" * 10_000)
    text = desk.get(f"/messages/{message.id}/body").get_data(as_text=True)
    assert "is there a pair left" in text and "<ul>" not in text


def test_a_stranger_sees_neither_mail_nor_file(session, store, client):  # T35
    message = mail(session, store, "<p>x</p>")
    for address in (
        f"/messages/{message.id}/body",
        f"/messages/{message.id}/raw",
        f"/attachments/{message.attachments[0].id}",
    ):
        assert client.get(address).status_code == 302
