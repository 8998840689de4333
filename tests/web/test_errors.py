"""What a person reads when an address leads nowhere."""

import pytest

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
