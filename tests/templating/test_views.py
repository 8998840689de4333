"""The desk: what is kept, what is refused beside its field, and that nothing typed is lost."""

import json
import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

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
    answer = nadia.post(address, data=LETTER | {"subject_en": "New words"})
    assert answer.status_code == 303
    page = nadia.get(address).get_data(as_text=True)
    assert "English 2" in page
    assert "English 1" in page
    assert nadia.post(address, data=LETTER | {"subject_en": "{{ nobody }}"}).status_code == 422
    assert len(queries.list_templates(session)[0].versions) == 2


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
    assert queries.list_templates(session) == []
