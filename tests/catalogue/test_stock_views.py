"""The merchandiser's pages: a file shown before it counts, a jump approved, a minimum kept; editors only look."""

from io import BytesIO

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.accounts.models import Role
from concierge.blobs import BlobStore
from concierge.catalogue import imports, stock
from concierge.catalogue.levels import Report
from concierge.catalogue.models import Product, Variant
from concierge.catalogue.returns import ReturnReport, report_return
from concierge.catalogue.stock_models import Restock, ReturnState, StockEvent, StockEventState, StockReport
from concierge.config import Policy
from tests.catalogue.builders import make_product, make_variant
from tests.factories import HOUR, NOW, make_editor, sign_in

FILE = b"sku;units\nCAL-TUR-36;2\nNOBODY;1\nCAL-TUR-37;lots\n"


@pytest.fixture
def marta(session: Session, client: FlaskClient) -> FlaskClient:
    editor = make_editor(session, "Marta Conti", role=Role.MERCHANDISER)
    make_product(session)
    session.commit()
    sign_in(client, editor)
    return client


def upload(client: FlaskClient, data: bytes = FILE, **fields: str) -> str:
    form = {"file": (BytesIO(data), "stock.csv"), "location": "online"} | fields
    return client.post("/catalogue/stock/imports", data=form).headers.get("Location", "")


def on_hand(session: Session, sku: str = "CAL-TUR-36") -> int:
    session.rollback()
    found = session.scalar(sa.select(Variant.on_hand).where(Variant.sku == sku))
    session.rollback()
    return found or 0


def report(session: Session, units: int) -> None:
    sent = Report("shop", f"{units}", "CAL-TUR-36", "online", StockReport.SNAPSHOT, units, NOW + HOUR)
    stock.report_stock(session, sent, now=NOW + HOUR, policy=Policy())
    session.commit()


def test_a_file_is_shown_then_applied(marta: FlaskClient, session: Session) -> None:
    address = upload(marta)
    page = marta.get(address).get_data(as_text=True)
    for words in ("CAL-TUR-36", "NOBODY", "Line 4", "not a whole number", "Apply exactly this"):
        assert words in page
    assert on_hand(session) == 0
    assert marta.post(f"{address}/apply").status_code == 303
    assert on_hand(session) == 2
    assert "Apply exactly this" not in marta.get(address).get_data(as_text=True)
    assert marta.post(f"{address}/apply").status_code == 409


def test_when_the_world_changed_the_difference_is_shown_anew(marta: FlaskClient, session: Session) -> None:
    address = upload(marta)
    report(session, 1)
    page = marta.post(f"{address}/apply", follow_redirects=True).get_data(as_text=True)
    assert "has changed since" in page
    assert on_hand(session) == 1
    marta.post(f"{address}/apply")
    assert on_hand(session) == 2


def test_a_file_that_is_none_is_refused_on_the_page(marta: FlaskClient) -> None:
    form = {"file": (BytesIO(b"hello"), "x.csv"), "location": "online"}
    answer = marta.post("/catalogue/stock/imports", data=form)
    assert answer.status_code == 422
    assert "not a stock file" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("answer", "became"), [("", (1, "1 waits for a yes")), ("approve", (2, "")), ("refuse", (1, "1 was refused"))]
)
def test_of_an_applied_count_only_what_counts_is_a_change(
    marta: FlaskClient, session: Session, store: BlobStore, answer: str, became: tuple[int, str]
) -> None:
    """Brought by the folder, where nobody looked at it: the jump in it waits."""
    data = b"sku,units\nCAL-TUR-36,2\nCAL-TUR-37,999\n"
    run = imports.propose_import(
        session, store, data, source="folder", name="stock.csv", location="online", zone=Policy().zone,
        as_of=NOW, is_complete=False, by=None, now=NOW,
    )  # fmt: skip
    session.flush()
    imports.apply_import(session, store, run, by=None, now=NOW, policy=Policy(), approved=False)
    session.commit()
    if answer:
        event = session.scalars(sa.select(StockEvent).where(StockEvent.state == StockEventState.WAITING)).one()
        session.commit()
        assert marta.post(f"/catalogue/stock/events/{event.id}/{answer}").status_code == 303
    changes, said = became
    for address in ("/catalogue/stock", f"/catalogue/stock/imports/{run.id}"):
        page = marta.get(address).get_data(as_text=True)
        for words in ("1 waits for a yes", "1 was refused"):
            assert (words in page) is (words == said), (address, words)
    row = marta.get("/catalogue/stock").get_data(as_text=True).partition(f"/imports/{run.id}")[2]
    assert f'data-column="Lines">2</td><td class="number" data-column="Changes">{changes}<' in row.replace(
        "\n", ""
    ).replace("  ", "")


def test_a_jump_waits_for_her(marta: FlaskClient, session: Session) -> None:
    report(session, 900)
    assert "900" in marta.get("/catalogue/stock").get_data(as_text=True)
    assert marta.post("/catalogue/stock/events/1/approve").status_code == 303
    assert on_hand(session) == 900
    assert marta.post("/catalogue/stock/events/1/refuse").status_code == 409


def test_a_minimum_is_never_offered(marta: FlaskClient, session: Session) -> None:
    marta.post("/catalogue/safety/CAL-TUR-38", data={"units": "3"})
    assert "the last one" in marta.get("/catalogue/CAL-TUR").get_data(as_text=True)
    marta.post("/catalogue/safety/CAL-TUR-38", data={"units": "-1"})
    assert session.scalar(sa.select(Variant.safety_minimum).where(Variant.sku == "CAL-TUR-38")) == 3


def test_a_product_shows_its_sizes_abroad_its_history_and_what_comes_back(marta: FlaskClient, session: Session) -> None:
    report(session, 2)
    sent = ReturnReport("shop", "R1", "CAL-TUR-37", "Milano", ReturnState.IN_TRANSIT, NOW)
    report_return(session, sent, now=NOW, policy=Policy())
    session.commit()
    page = marta.get("/catalogue/CAL-TUR").get_data(as_text=True)
    for words in ("UK 3 · US 6", "2 counted", "in transit", "When it came back"):
        assert words in page
    assert "CAL-TUR" in marta.get("/catalogue?stock=coming").get_data(as_text=True)


@pytest.mark.parametrize(
    ("query", "found"),
    [("stock=in", True), ("stock=out", True), ("stock=wished", False), ("stock=coming", False),
     ("designer=Nobody", False),
     ("designer=Atelier+Mirelle", True), ("season=Summer", False), ("in_stock=1", True), ("stock=nonsense", True)],
)  # fmt: skip
def test_the_catalogue_is_filtered(marta: FlaskClient, query: str, found: bool) -> None:
    assert ("Calanque" in marta.get(f"/catalogue?{query}").get_data(as_text=True)) is found


def test_an_editor_looks_and_leaves_it_alone(client: FlaskClient, session: Session) -> None:  # T35
    nadia = make_editor(session)
    make_product(session)
    session.commit()
    report(session, 900)
    sign_in(client, nadia)
    page = client.get("/catalogue/stock").get_data(as_text=True)
    assert "It is right" not in page
    assert "Show what it would change" not in page
    for path in ("/stock/imports", "/stock/imports/1/apply", "/stock/imports/1/discard", "/stock/events/1/approve",
                 "/stock/events/1/refuse", "/safety/CAL-TUR-38"):  # fmt: skip
        assert client.post(f"/catalogue{path}").status_code == 403


def test_of_a_piece_in_one_colour_the_page_says_which(marta: FlaskClient, session: Session) -> None:
    assert "<dt>Colour</dt><dd>Turquoise</dd>" in marta.get("/catalogue/CAL-TUR").text
    make_variant(session, session.scalars(sa.select(Product)).one(), sku="CAL-COR-36", size="36", colour="Coral")
    session.commit()
    assert "<dt>Colour</dt>" not in marta.get("/catalogue/CAL-TUR").text, "its sizes say it, one by one"


def test_of_a_piece_in_two_colours_every_line_says_which(marta: FlaskClient, session: Session) -> None:
    product = session.scalars(sa.select(Product)).one()
    coral = make_variant(session, product, sku="CAL-COR-36", size="36", colour="Coral")
    way = ReturnReport("shop", "R-1", coral.sku, "online", ReturnState.ANNOUNCED, NOW)
    report_return(session, way, now=NOW, policy=Policy())
    for units in (1, 80):
        sent = Report("shop", f"C{units}", coral.sku, "online", StockReport.SNAPSHOT, units, NOW + units * HOUR)
        stock.report_stock(session, sent, now=NOW + units * HOUR, policy=Policy())
    session.commit()
    said = marta.get("/catalogue/stock").text
    assert said.count("Coral · EU 36 · CAL-COR-36") == 2, "the jump that waits, and the return"
    page = marta.get("/catalogue/CAL-TUR").text
    assert page.count("<strong>Coral, EU 36</strong>") == 1 and ">Coral, EU 36</td>" in page
    [restock] = session.scalars(sa.select(Restock))
    assert f'<a href="/wishes/restocks/{restock.id}">Coral, EU 36</a>' in page
