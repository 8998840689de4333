"""The merchandiser's pages: the board, the rows behind its numbers, demand, restocks, files, and who may see them."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.accounts.models import Role
from tests.factories import make_editor, sign_in

BUYERS_ONLY = ["/wishes/demand", "/wishes/restocks", "/wishes/offers", "/wishes/policy", "/wishes/offers.csv"]


@pytest.fixture
def marta(session: Session, client: FlaskClient) -> FlaskClient:
    editor = make_editor(session, "Marta Lindqvist", role=Role.MERCHANDISER)
    session.commit()
    sign_in(client, editor)
    return client


@pytest.mark.parametrize("path", ["/wishes", "/wishes/rows", *BUYERS_ONLY])
def test_an_empty_house_says_so_kindly(marta: FlaskClient, path: str) -> None:
    answer = marta.get(path)
    assert answer.status_code == 200
