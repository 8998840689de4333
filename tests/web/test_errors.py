"""What a person reads when an address leads nowhere."""

import pytest
from sqlalchemy.exc import OperationalError

from concierge.web.security import public
from tests.factories import make_editor, sign_in

BEYOND = "9" * 23


@pytest.mark.parametrize(
    "path",
    [
        f"/conversations/{BEYOND}",
        f"/messages/{BEYOND}/body",
        f"/editors/{BEYOND}/photo",
        f"/customers?number={BEYOND}",
        f"/mail-in?before={BEYOND}",
    ],
)
def test_a_number_no_row_can_have_leads_nowhere(client, session, path):  # T35
    nadia = make_editor(session)
    session.commit()
    sign_in(client, nadia)
    assert client.get(path).status_code == 404


def test_a_database_too_busy_to_write_asks_to_try_again(app, session):
    def locked():
        raise OperationalError("UPDATE conversation", {}, Exception("database is locked"))

    app.add_url_rule("/too-busy", "too_busy", public(locked))
    answer = app.test_client().get("/too-busy")
    assert answer.status_code == 503
    assert "try again" in answer.get_data(as_text=True)
