"""The merchandiser's pages: the board, the rows behind its numbers, demand, restocks, files, and who may see them."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.accounts.models import Role
from concierge.catalogue.returns import ReturnReport, report_return
from concierge.catalogue.stock_models import Restock, ReturnState
from concierge.config import Policy
from concierge.reports import chances, jobs
from concierge.wishes import offering
from tests.factories import DAY, NOW, make_editor, sign_in
from tests.wishes.builders import offers, sandals, share_out, wish_for

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


def test_two_sizes_that_came_back_together_each_say_her_place_in_its_own_queue(
    marta: FlaskClient, session: Session
) -> None:
    small, large = sandals(session, s36=1, s36_5=2)
    for number in range(3):
        wish_for(session, small, name=f"N{number}", now=NOW - (9 - number) * DAY)
    for number in range(2):
        wish_for(session, large, name=f"M{number}", now=NOW - (5 - number) * DAY)
    share_out(session, small, now=NOW)
    session.commit()
    page = marta.get("/wishes/offers").text
    assert "first of three" in page and "second of two" in page and "third of" not in page
    assert "Calanque sandals, Turquoise, EU 36<br>" in page and "Calanque sandals, Turquoise, EU 36.5<br>" in page
    file = marta.get("/wishes/offers.csv").text
    assert "first of three" in file and "second of two" in file and "third of" not in file


def test_what_is_listed_or_taken_away_as_a_file_names_its_colour(marta, session, sessions, config) -> None:
    turquoise, coral = sandals(session, s36=0, s37=0)
    coral.colour, coral.size = "Coral", turquoise.size
    wish_for(session, coral)
    session.commit()
    jobs.count_demand(config, sessions)
    listed = marta.get("/wishes/rows").text
    assert "Coral, EU 36" in listed and "Turquoise, EU 36" not in listed
    assert '"Coral, EU 36"' in marta.get("/wishes/rows.csv").text
    assert "Calanque sandals,Sandals,Coral,EU 36," in marta.get("/wishes/board.csv").text


def test_who_said_nothing_is_not_said_to_have_refused(marta: FlaskClient, session: Session) -> None:
    (size,) = sandals(session, s36=3)
    session.add(Restock(variant=size, units=3, at=NOW, flapped=False))
    for name in ("Passed", "Silent", "Open"):
        wish_for(session, size, name=name)
    share_out(session, size, now=NOW)
    passed, silent, _open = offers(session)
    offering.pass_offer(session, passed, now=NOW)
    offering.lapse_offer(session, silent, now=NOW)
    session.commit()
    for path in ("/wishes/restocks", "/wishes/restocks/1"):
        page = marta.get(path).text
        assert "Did not take it" in page and "Refused" not in page
    page = marta.get("/wishes/offers?became=not_taken").text
    assert "passed on or put off, and those nobody answered in time" in page
    assert {"Passed", "Silent", "Open"} & set(re.findall(r">(\w+)</a>", page)) == {"Passed", "Silent"}
    assert "lapsed" in page


def test_the_board_and_the_product_page_say_what_each_counts(marta, session, sessions, config):
    """Two wish for 36, one of whom would take 36.5 too: the board counts her once, her product's page in each queue."""
    small, large = sandals(session, s36=0, s36_5=0)
    wish_for(session, small, large, name="Either")
    wish_for(session, small, name="Only")
    wish_for(session, large, name="Other")
    session.commit()
    jobs.count_demand(config, sessions)
    board = marta.get("/wishes").text
    found = re.findall(r'choice=(first|also)">(?:36(?:\.5)?<b>)?(\+?\d+)', board)
    assert found == [("first", "2"), ("first", "1"), ("also", "+1")]
    assert "counted once, at the size she named first" in board and "Turquoise" in board
    page = marta.get("/wishes/of/CAL-TUR").text
    assert "2 wait" in page and page.count("2 wait") == 2 and "waits in the queue of each" in page
    for choice, count in (("first", 1), ("also", 1)):
        rows = marta.get(f"/wishes/rows?sku={large.sku}&choice={choice}").text
        assert "Calanque sandals, Turquoise, EU 36.5" in rows and rows.count("/customers/") == count
    by_age = [marta.get(f"/wishes?age={age}").text for age in range(chances.COUNT)]
    assert "choice=first" in "".join(by_age) and "choice=also" not in "".join(by_age), "nobody counted those by age"


def test_a_restock_that_nobody_was_offered_yet_says_why(marta, session, at):
    (size,) = sandals(session, s36=3)
    session.add(restock := Restock(variant=size, units=3, at=NOW, flapped=False))
    session.commit()
    page = f"/wishes/restocks/{restock.id}"
    at(NOW + timedelta(minutes=1))
    assert "Nobody waited for it." in marta.get(page).text
    wish_for(session, size, ceiling_cents=100)
    session.commit()
    young = marta.get(page).text
    assert "1 waits for it." in young and "Offers are made once it has been there for a while" in young
    assert f'href="/wishes/rows?sku={size.sku}"' in young and "Nobody waited" not in young
    at(NOW + timedelta(minutes=6))
    assert "Nobody of them can be offered one just now" in marta.get(page).text
    restock.flapped, restock.ended_at = True, NOW + timedelta(minutes=2)
    session.commit()
    assert "gone again at once" in marta.get(page).text


def test_the_product_page_says_whose_a_pair_on_its_way_back_would_be(marta, session):
    (size,) = sandals(session, s36=0)
    wish_for(session, size, name="Pair", quantity=2, now=NOW - 3 * DAY)
    wish_for(session, size, name="Chloé", now=NOW - 2 * DAY)
    wish_for(session, size, name="Barbara", now=NOW - DAY)
    way = ReturnReport("shop", "R-1", size.sku, "online", ReturnState.IN_TRANSIT, NOW)
    report_return(session, way, now=NOW, policy=Policy())
    session.commit()
    page = marta.get("/wishes/of/CAL-TUR").text
    hers = [line for line in page.splitlines() if "on its way back" in line]
    assert len(hers) == 1 and "Chloé" in hers[0], "one comes, of which nobody who wants two is told"
    late = ReturnReport("shop", "R-1", size.sku, "online", ReturnState.FAILED, NOW + DAY)
    report_return(session, late, now=NOW + DAY, policy=Policy())
    session.commit()
    assert "on its way back" not in marta.get("/wishes/of/CAL-TUR").text
