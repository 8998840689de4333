"""Every number of the merchandiser's pages is followed to its rows: as many as it says, or as much."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import lxml.html
import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.db import Sessions
from concierge.reports import jobs
from tests.factories import NOW
from tests.reports.furnished import House, furnish

LISTS = ("/wishes/rows", "/wishes/offers", "/wishes/goods")
# What was written down when it happened, or is reckoned from the numbers beside it, which are links.
FACTS = {"Units", "Waiting", "Place"}
RECKONED = {("reorder", "Order"), ("reorder", "Worth"), ("curve", "Gap, in points of the run")}


@dataclass(frozen=True)
class Told:
    """A number that is a link, as the page says it."""

    page: str
    words: str
    link: str
    column: str

    @property
    def number(self) -> int:
        found = re.search(r"\d[\d,]*", self.words)
        assert found, self
        return int(found[0].replace(",", ""))


@pytest.fixture
def furnished(session: Session, sessions: Sessions, config, at) -> House:
    at(NOW)
    house = furnish(session)
    jobs.count_demand(config, sessions)
    return house


def pages(house: House) -> list[str]:
    restock = f"/wishes/restocks/{house.restock.id}"
    ages = [f"/wishes?age={age}" for age in range(5)]
    return ["/wishes", *ages, "/wishes/demand", "/wishes/demand?kind=boots|EU", "/wishes/restocks", restock]


def told(marta: FlaskClient, page: str) -> Iterator[Told]:
    """Every number that opens a list."""
    root = lxml.html.document_fromstring(marta.get(page).text)
    for link in root.xpath("//main//a[@href]"):
        words, href = " ".join(link.text_content().split()), link.get("href")
        if urlsplit(href).path in LISTS and re.search(r"\d", words):
            size = link.xpath("string(./b)")
            yield Told(page, size or words, href, link.xpath("string(ancestor::td[1]/@data-column)"))


def rows(marta: FlaskClient, link: str) -> list[dict[str, str]]:
    """What opens behind it, taken away as a file, since a page shows fifty."""
    path, _, query = link.partition("?")
    answer = marta.get(f"{path}.csv?{query}")
    assert answer.status_code == 200, link
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def as_said(number: Told, found: list[dict[str, str]]) -> float:
    """What the rows come to, in what the number counts: pieces, money, or rows."""
    if "/wishes/goods" in number.link:
        return sum(int(each["Units"]) for each in found)
    if "size=" in number.link or "wished for" in number.words or number.words.startswith("for "):
        return sum(int(each["Quantity"]) for each in found)
    return len(found)


def test_every_count_opens_just_the_rows_it_counts(marta: FlaskClient, furnished: House) -> None:
    seen = 0
    for page in pages(furnished):
        for number in told(marta, page):
            found = rows(marta, number.link)
            if re.search("[€$]|US|%", number.words):
                assert (number.number == 0) <= (not found), number
            elif number.column not in {"Median", "75 %", "90 %"} and not re.search(r"\d (d|min|h)\b", number.words):
                assert as_said(number, found) == number.number, (number, found)
                seen += number.number > 0
    assert seen > 80


def test_money_is_the_sum_of_the_rows_it_opens(marta: FlaskClient, furnished: House) -> None:
    """The worth of what waits or was lost is the greatest sum that opens a list: what is likely is less."""
    for page in ("/wishes", "/wishes?age=2", "/wishes/demand"):
        sums: dict[str, int] = {}
        for number in told(marta, page):
            if re.search("[€$]", number.words) and "lost" not in number.words:
                sums[number.link] = max(number.number, sums.get(number.link, 0))
        assert len(sums) >= 3
        for link, most in sums.items():
            assert sum(float(each["Value"]) for each in rows(marta, link)) == pytest.approx(most, abs=1), (page, link)


def test_no_number_of_a_table_stands_alone(marta: FlaskClient, furnished: House) -> None:
    for page in pages(furnished):
        root = lxml.html.document_fromstring(marta.get(page).text)
        for cell in root.xpath("//main//td[contains(@class, 'number')]"):
            column = cell.get("data-column") or cell.xpath("string(../th)")
            number = re.search(r"\d", cell.text_content())
            section = cell.xpath("string(ancestor::section[1]/@aria-labelledby)")
            if number and not cell.xpath(".//a"):
                if column in FACTS:
                    assert cell.xpath("../th//a"), (page, column)
                else:
                    assert (section, column) in RECKONED, (page, section, column, cell.text_content())
                    assert cell.xpath("ancestor::table//td//a"), (page, column)


def test_a_chance_and_a_rate_open_the_answers_they_are_made_of(marta: FlaskClient, furnished: House) -> None:
    shares = [each for each in told(marta, "/wishes/demand") if "%" in each.words]
    by_age = [each for each in shares if each.column == "Chance"]
    assert [each.number for each in by_age] == [43, 40, 33, 25, 25]
    for share in shares:
        assert "became=answered" in share.link
        became = [each["Became"] for each in rows(marta, share.link)]
        taken = sum(each in {"bought", "taken, not bought yet"} for each in became)
        prior = (1, 4) if share in by_age else (0, 0)
        assert round(100 * (taken + prior[0]) / (len(became) + prior[1])) == share.number, share


def test_the_times_open_the_offers_over_which_they_were_taken(marta: FlaskClient, furnished: House) -> None:
    times = [each for each in told(marta, "/wishes/demand") if "for=times" in each.link]
    assert [each.words for each in times if each.column == "Offers"] == ["5", "2", "2"]
    names = [{each["Customer"] for each in rows(marta, number.link)} for number in times]
    assert names == [{"Jana", "Mia", "Rosa", "Noa", "Ola"}] * 4 + [{"Mia", "Noa"}] * 8


def test_what_ended_with_nothing_to_offer_is_what_nobody_was_ever_offered(marta: FlaskClient, furnished: House) -> None:
    """Jana's wish grew too old as well, but she had an offer; Kim's did long ago."""
    lost = {each["Customer"] for each in rows(marta, "/wishes/rows?shelf=lost")}
    assert lost == {"Hana", "Ines"}
    assert {each["Customer"] for each in rows(marta, "/wishes/rows?shelf=lost&age=2")} == {"Hana"}
    assert {each["Customer"] for each in rows(marta, "/wishes/rows?shelf=ended")} >= {"Jana", "Kim", "Hana", "Lia"}


@pytest.mark.parametrize(
    ("asked", "who"),
    [
        ("product=LUN-BAG", {"Elsa"}),
        ("category=boots", {"Dora"}),
        ("currency=USD", {"Elsa"}),
        ("age=0", {"Anna", "Fay"}),
        ("age=1", {"Bea"}),
        ("age=2", {"Carla", "Quin"}),
        ("age=3", {"Dora", "Gaia"}),
        ("age=4", {"Elsa"}),
        ("sku=CAL-TUR-36", {"Anna", "Bea", "Fay", "Gaia", "Quin"}),
        ("sku=CAL-TUR-36&choice=also", {"Fay"}),
        ("category=sandals&system=EU&size=36&choice=first", {"Anna", "Bea", "Gaia", "Quin"}),
        ("category=sandals&system=IT&size=36&choice=first", set()),
    ],
)
def test_the_wishes_asked_for_are_those_that_are_listed(marta, furnished: House, asked: str, who: set[str]) -> None:
    assert {each["Customer"] for each in rows(marta, f"/wishes/rows?{asked}")} == who
    page = marta.get(f"/wishes/rows?{asked}").text
    assert set(re.findall(r'/customers/\d+">(\w+)</a>', page)) == who


def test_pieces_are_listed_with_where_they_come_from(marta: FlaskClient, furnished: House) -> None:
    for asked, words in (
        ("of=free&category=sandals", ["CAL-TUR-37", "On hand", "Never offered"]),
        ("of=sold&sku=CAL-TUR-36", ["S-0:1", "Sold"]),
        ("of=coming", ["R-0", "announced"]),
    ):
        page = marta.get(f"/wishes/goods?{asked}").text
        assert all(each in page for each in words), asked
    assert "No pieces here." in marta.get("/wishes/goods?of=sold&sku=LUN-BAG").text
    assert marta.get("/wishes/goods?sku=NONE").status_code == 404


def test_the_board_of_one_age_says_what_is_likely_at_that_age(marta: FlaskClient, furnished: House) -> None:
    """Gaia's nine pairs have waited a hundred days: a quarter of them is likely, and of nobody else's is spoken."""
    page = " ".join(lxml.html.document_fromstring(marta.get("/wishes?age=3").text).text_content().split())
    assert "€3,780worth €945likely" in page
