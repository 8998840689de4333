"""Profile, colleagues and mailboxes as staff use them."""

from io import BytesIO

import pytest
import sqlalchemy as sa
from PIL import Image

from concierge.accounts.hours import read_hours, write_hours
from concierge.accounts.models import Editor, Mailbox, Role
from concierge.accounts.photos import SIDE, NotAPhoto, square
from tests.factories import make_editor, sign_in

PROFILE = {"name": "Nadia Ferrant", "title": "Fashion Editor", "language": "it", "timezone": "Europe/Paris"}


@pytest.fixture
def nadia(session):
    nadia = make_editor(session)
    session.commit()
    return nadia


@pytest.fixture
def omar(session):
    omar = make_editor(session, "Omar Haddad", role=Role.ADMIN)
    session.commit()
    return omar


def _photo() -> BytesIO:
    out = BytesIO()
    Image.new("RGB", (900, 600), "teal").save(out, "PNG")
    return BytesIO(out.getvalue())


def test_she_changes_her_words_face_and_hours(client, session, nadia):
    sign_in(client, nadia)
    data = PROFILE | {"sign_off_en": "Yours,\nNadia", "sign_off_it": "", "hours_0": "9.00–13.00, 14:00-18:00"}
    answer = client.post("/profile", data=data | {"photo": (_photo(), "me.png")})
    assert answer.status_code == 303
    session.expire_all()
    assert (nadia.language, nadia.timezone, nadia.sign_off("it")) == ("it", "Europe/Paris", "Yours,\nNadia")
    assert nadia.working_hours == {"0": [["09:00", "13:00"], ["14:00", "18:00"]]}
    assert client.get(f"/editors/{nadia.id}/photo").mimetype == "image/jpeg"


@pytest.mark.parametrize(("field", "value"), [("hours_1", "nine to five"), ("hours_1", "18:00-09:00"), ("name", "")])
def test_a_mistake_is_shown_and_nothing_changes(client, session, nadia, field, value):
    sign_in(client, nadia)
    assert client.post("/profile", data=PROFILE | {field: value}).status_code == 422
    session.expire_all()
    assert nadia.timezone == "Europe/Rome"


def test_a_text_called_photo_is_refused(client, session, nadia):
    sign_in(client, nadia)
    answer = client.post("/profile", data=PROFILE | {"photo": (BytesIO(b"<svg onload=alert(1)>"), "me.png")})
    assert answer.status_code == 422
    assert "JPEG, PNG" in answer.get_data(as_text=True)


def test_a_photo_becomes_a_small_square_without_metadata():
    with Image.open(BytesIO(square(_photo().getvalue()))) as picture:
        assert (picture.size, picture.format, dict(picture.getexif())) == ((SIDE, SIDE), "JPEG", {})


def test_a_flood_of_pixels_is_refused_before_it_is_decoded():  # T14
    out = BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    with pytest.raises(NotAPhoto):
        square(out.getvalue())


@pytest.mark.parametrize("text", ["09:00-13:00, 14:00-18:00", "", "00:00-24:00"])
def test_hours_are_written_as_they_are_read(text):
    assert write_hours(read_hours(text) or []) == text


@pytest.mark.parametrize("text", ["25:00-26:00", "09:00", "09:00-09:00", "10:00-12:00, 11:00-13:00"])
def test_impossible_hours_are_not_read(text):
    assert read_hours(text) is None


def test_omar_adds_a_colleague_and_a_mailbox(client, session, omar):
    sign_in(client, omar)
    colleague = {"name": "Chiara Bellini", "email": "Chiara@maison-solenne.example", "role": "editor", "language": "it"}
    assert client.post("/staff", data=colleague).status_code == 303
    assert client.post("/staff", data=colleague).status_code == 422
    mailbox = {"address": "ciao@maison-solenne.example", "brand": "Maison Solenne", "language": "it"}
    assert client.post("/mailboxes", data=mailbox).status_code == 303
    assert (
        session.scalar(sa.select(Editor.email).where(Editor.name == "Chiara Bellini"))
        == "chiara@maison-solenne.example"
    )
    assert session.scalars(sa.select(Mailbox.address)).all() == ["ciao@maison-solenne.example"]


@pytest.mark.parametrize("path", ["/staff", "/mailboxes", "/staff/1/role", "/staff/1/deactivate", "/mailboxes/1/close"])
def test_nadia_may_not_rule_the_staff(client, nadia, path):  # T35
    sign_in(client, nadia)
    assert client.post(path).status_code == 403


def test_the_last_admin_stays(client, session, omar):
    sign_in(client, omar)
    assert client.post(f"/staff/{omar.id}/deactivate").status_code == 409
    assert client.post(f"/staff/{omar.id}/role", data={"role": "editor"}).status_code == 409
    session.expire_all()
    assert (omar.active, omar.role) == (True, Role.ADMIN)


def test_a_deactivated_colleague_is_out_at_once(app, session, omar, nadia):  # T37
    hers, his = app.test_client(), app.test_client()
    sign_in(hers, nadia)
    sign_in(his, omar)
    assert hers.get("/profile").status_code == 200
    his.post(f"/staff/{nadia.id}/deactivate")
    assert hers.get("/profile").status_code == 302


def test_the_language_changes_and_leads_back_to_a_page_of_ours_only(client, session, nadia):  # T33
    sign_in(client, nadia)
    for page in ("https://evil.example", "//evil.example", "/\\evil.example"):
        assert client.post("/language", data={"language": "it", "page": page}).headers["Location"] == "/"
    assert client.post("/language", data={"language": "it", "page": "/profile"}).headers["Location"] == "/profile"
    session.expire_all()
    assert nadia.language == "it"
