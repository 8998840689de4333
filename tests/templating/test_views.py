"""The desk: what is kept, what is refused beside its field, and that nothing typed is lost."""

import json
import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from concierge.accounts.models import Role
from concierge.templating import queries
from tests.factories import make_editor, sign_in

LETTER = {
    "name": "Sold out",
    "when_to_use": "She asks for what is gone.",
    "subject_en": "Your {{ product.name }}",
    "body_en": 'Dear {{ customer.first_name | fallback("friend") }},\r\n\r\n{{ product.card }}',
    "subject_it": "",
    "body_it": "",
}


@pytest.fixture
def nadia(session: Session, client: FlaskClient) -> FlaskClient:
    editor = make_editor(session)
    session.commit()
    sign_in(client, editor)
    return client


def test_a_template_is_written_kept_and_listed(nadia: FlaskClient, session: Session) -> None:
    assert nadia.get("/templates/new").status_code == 200
    answer = nadia.post("/templates", data=LETTER)
    assert answer.status_code == 303
    (template,) = queries.list_templates(session)
    version = template.current("en")
    assert version is not None
    assert version.body == 'Dear {{ customer.first_name | fallback("friend") }},\n\n{{ product.card }}'
    page = nadia.get("/templates").get_data(as_text=True)
    assert "Sold out" in page
    assert "She asks for what is gone." in page
    shown = nadia.get(answer.headers["Location"]).get_data(as_text=True)
    assert "Reads well for everybody" in shown
    assert "Nadia Ferrant" in shown


def test_a_fault_is_told_beside_its_field_and_nothing_typed_is_lost(nadia: FlaskClient, session: Session) -> None:
    faulty = LETTER | {
        "body_en": "Hello\r\n\r\nDear {{ customer.first_name }},",
        "subject_it": "Ciao <b>",
        "body_it": "x",
    }
    answer = nadia.post("/templates", data=faulty)
    assert answer.status_code == 422
    page = unescape(answer.get_data(as_text=True))
    beside = re.search(r'id="faults-body_en".*?</ul>', page, re.DOTALL)
    assert beside
    assert "Line 3" in beside[0]
    assert "then this reads “Dear ,”" in beside[0]
    assert "fallback" in beside[0]
    for typed in ("Dear {{ customer.first_name }},", "Ciao <b>", "She asks for what is gone."):
        assert typed in page
    assert queries.list_templates(session) == []


def test_a_template_with_no_words_or_half_of_them_is_refused(nadia: FlaskClient) -> None:
    empty = nadia.post("/templates", data=LETTER | {"subject_en": "", "body_en": ""})
    assert empty.status_code == 422
    assert "at least one language" in empty.get_data(as_text=True)
    half = nadia.post("/templates", data=LETTER | {"subject_en": ""})
    assert half.status_code == 422
    assert "There are no words here" in half.get_data(as_text=True)
    assert nadia.post("/templates", data=LETTER | {"name": ""}).status_code == 422


def test_a_name_taken_is_said_and_nothing_typed_is_lost(nadia: FlaskClient) -> None:
    nadia.post("/templates", data=LETTER)
    again = nadia.post("/templates", data=LETTER | {"name": "sold out", "subject_en": "Other words"})
    assert again.status_code == 409
    assert "has this name already" in again.get_data(as_text=True)
    assert "Other words" in again.get_data(as_text=True)


def test_changing_makes_a_new_version_and_shows_the_one_before(nadia: FlaskClient, session: Session) -> None:
    address = nadia.post("/templates", data=LETTER).headers["Location"]
    assert Desk(nadia, address).press(subject_en="New words") == 303
    page = nadia.get(address).get_data(as_text=True)
    assert "English 2" in page
    assert "English 1" in page
    assert nadia.post(address, data=LETTER | {"subject_en": "{{ nobody }}"}).status_code == 422
    assert len(queries.list_templates(session)[0].versions) == 2


class Desk:
    """A window with a template on the desk: it sends what its form holds, as a browser does."""

    def __init__(self, client: FlaskClient, address: str) -> None:
        self.client, self.address = client, address
        self.read(client.get(address))

    def read(self, answer: TestResponse) -> int:
        self.page = unescape(answer.get_data(as_text=True))
        names = ("began_name", "began_when_to_use", "number_en", "number_it")
        self.fields = {name: re.findall(rf'name="{name}"[^>]* value="([^"]*)"', self.page)[0] for name in names}
        return answer.status_code

    def press(self, path: str = "", **words: str) -> int:
        answer = self.client.post(self.address + path, data=LETTER | self.fields | words)
        return answer.status_code if answer.status_code == 303 else self.read(answer)


def test_two_windows_at_one_template_lose_nothing(nadia: FlaskClient, session: Session) -> None:
    address = nadia.post("/templates", data=LETTER).headers["Location"]
    first, second = Desk(nadia, address), Desk(nadia, address)
    assert first.press(subject_en="From the first") == 303
    assert second.press(subject_en="From the second", name="Gone", when_to_use="Hers <b>") == 409
    assert "both stand beside each other" in second.page
    assert "You kept this in another window" in second.page
    theirs = re.search(r'class="desk__theirs".*?</section>', second.page, re.DOTALL)
    assert theirs
    assert "From the first" in theirs[0]
    assert 'value="From the second"' in second.page
    session.expire_all()
    assert queries.list_templates(session)[0].name == "Sold out"
    session.rollback()
    assert second.press(subject_en="From the second", name="Gone") == 303
    page = nadia.get(address).get_data(as_text=True)
    assert all(f"English {number}" in page for number in (1, 2, 3))
    assert "From the first" in page


def test_a_name_changed_twice_is_shown_both_ways(nadia: FlaskClient, session: Session) -> None:
    address = nadia.post("/templates", data=LETTER).headers["Location"]
    first, second = Desk(nadia, address), Desk(nadia, address)
    assert first.press(name="All gone", when_to_use="") == 303
    assert second.press(name="Not there", when_to_use="Sometimes") == 409
    assert "Kept meanwhile: “All gone”" in second.page
    assert "Emptied meanwhile" in second.page
    assert 'value="Not there"' in second.page


def test_an_earlier_version_is_written_on_from_and_what_else_is_typed_stays(
    nadia: FlaskClient, session: Session
) -> None:
    address = nadia.post("/templates", data=LETTER).headers["Location"]
    desk = Desk(nadia, address)
    desk.press(subject_en="The second")
    desk.read(nadia.get(address))
    ids = re.findall(r'formaction="([^"]+)/write-on"[^>]* name="version_id" value="(\d+)"', desk.page)
    assert [each for each, _id in ids] == [address, address]
    earliest = ids[-1][1]
    assert (
        desk.press("/write-on", version_id=earliest, subject_en="Half typed", subject_it="Ciao", body_it="Parole")
        == 200
    )
    assert 'value="Your {{ product.name }}"' in desk.page
    assert 'value="Ciao"' in desk.page
    assert "the words of an earlier version" in desk.page
    assert len(queries.list_templates(session)[0].versions) == 2
    session.rollback()
    assert desk.press(subject_it="Ciao", body_it="Parole") == 303
    versions = queries.list_templates(session)[0].versions
    assert [(each.language, each.number, each.subject) for each in versions[2:]] == [
        ("en", 3, "Your {{ product.name }}"),
        ("it", 1, "Ciao"),
    ]
    session.rollback()
    assert nadia.post(f"{address}/write-on", data=LETTER | {"version_id": "999"}).status_code == 404
    assert nadia.post(f"{address}/write-on", data=LETTER).status_code == 404


def test_the_checker_answers_while_one_types(nadia: FlaskClient, session: Session) -> None:
    answer = nadia.post("/templates/check", data=LETTER | {"body_it": "Cara {{ customer.first_name }},"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "<html" not in page
    assert "2 things to put right" in page  # the Italian letter, and its missing subject
    assert 'id="faults-body_it" hx-swap-oob="true"' in page
    assert queries.list_templates(session) == []


def test_the_fields_are_offered_with_and_without_a_script(nadia: FlaskClient) -> None:
    page = unescape(nadia.get("/templates/new").get_data(as_text=True))
    offered = json.loads(re.findall(r"data-complete=['\"](\[.*?\])['\"] data-complete-label", page)[0])
    assert {"field": "editor.name", "words": "your full name", "insert": "{{ editor.name }}"} in offered
    assert any(each["insert"] == '{{ customer.first_name | fallback("…") }}' for each in offered)
    assert "<code>{{ product.card }}</code>" in page


def test_retiring_and_reinstating_are_buttons(nadia: FlaskClient, session: Session) -> None:
    address = nadia.post("/templates", data=LETTER).headers["Location"]
    assert nadia.post(f"{address}/retire").status_code == 303
    assert queries.list_templates(session) == []
    session.rollback()  # lets go of the database for the next writer
    assert "Put back into use" in nadia.get(address).get_data(as_text=True)
    assert "Sold out" in nadia.get("/templates?retired=1").get_data(as_text=True)
    assert nadia.post(f"{address}/reinstate").status_code == 303
    assert nadia.post(f"{address}/reinstate").status_code == 409


def test_the_list_is_searched_by_block(nadia: FlaskClient) -> None:
    nadia.post("/templates", data=LETTER)
    block = nadia.get("/templates?q=gone", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "Sold out" in block
    assert "<html" not in block
    nothing = nadia.get("/templates?q=nothing&language=xx").get_data(as_text=True)
    assert "Nothing answers to that" in nothing


def test_a_merchandiser_reads_templates_and_writes_none(session: Session, client: FlaskClient) -> None:  # T35
    marta = make_editor(session, "Marta Lindqvist", role=Role.MERCHANDISER)
    session.commit()
    sign_in(client, marta)
    assert client.get("/templates").status_code == 200
    assert client.get("/templates/new").status_code == 403
    assert client.post("/templates", data=LETTER).status_code == 403
    assert client.post("/templates/1/write-on", data=LETTER).status_code == 403
    assert queries.list_templates(session) == []
