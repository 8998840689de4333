"""The replay of a restock: played with the house's own past, and drawn as what it is."""

import re
from typing import NamedTuple

import lxml.html
import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.catalogue.stock_models import Restock
from concierge.db import Sessions
from concierge.reports import jobs, plots, replaying
from concierge.reports.chances import Answers, Prior
from concierge.reports.figures import HouseCount
from concierge.reports.plots import Bar
from concierge.wishes.offer_models import WavePolicy
from concierge.wishes.simulation import ASSUMED_DELAYS, Manner, Situation, Terms, forecast
from tests.factories import DAY, NOW
from tests.reports.furnished import House, furnish
from tests.reports.test_policy import FORM
from tests.wishes.builders import sandals, share_out, wish_for

# Of the house's answered offers four were taken and two were not, and its prior is one in four.
CHANCE = (4 + 1) / (6 + 4)


class Shown(NamedTuple):
    """A row of the replay as the page says it."""

    hours: str
    told: str
    disappointed_per_unit: str


@pytest.fixture
def furnished(session: Session, sessions: Sessions, config, at) -> House:
    at(NOW)
    house = furnish(session)
    jobs.count_demand(config, sessions)
    return house


def replay(marta: FlaskClient, **change: str) -> lxml.html.HtmlElement:
    """What the page shows of a replay."""
    answer = marta.post("/wishes/policy/replay", data=FORM | change)
    assert answer.status_code == 200
    return lxml.html.document_fromstring(answer.text)


def rows(page: lxml.html.HtmlElement) -> dict[str, Shown]:
    """The table by policy."""
    found = {}
    for row in page.xpath("//section[@aria-labelledby='replay']//tbody/tr"):
        cells = [each.text_content().strip() for each in row.xpath("td")]
        found[row.xpath("string(th)").strip()] = Shown(cells[0], cells[3], cells[5])
    return found


def words(page: lxml.html.HtmlElement) -> str:
    return " ".join(page.xpath("string(//section[@aria-labelledby='replay']/p)").split())


def reckoned(situation: Situation, terms: Terms) -> Shown:
    """The same, played here."""
    found = forecast(situation, terms)
    hours = "never sold out" if found.hours is None else f"{found.hours:.1f}"
    return Shown(hours, f"{found.told:.0f}", f"{found.disappointed_per_unit:.2f}")


def test_a_replay_is_played_by_the_houses_own_takers_delays_and_history(marta: FlaskClient, furnished: House) -> None:
    page = replay(marta, units="4", waiting="40", alpha="20")
    # one of the two who did not take it said so; nobody's delay is known, so the assumed ones fill in
    restock = Situation(units=4, waiting=40, chance=CHANCE, delays=ASSUMED_DELAYS, spoken=0.5)
    bold = Terms(Manner.BOUNDED, alpha=0.2, taken=4, passed=2, hold_hours=24.0, awake=14.0)
    plain = Terms(Manner.ONE_PER_UNIT, taken=4, passed=2, hold_hours=24.0, awake=14.0)
    assert rows(page) == {
        "Present policy": reckoned(restock, plain),
        "This policy": reckoned(restock, bold),
        "Everybody at once": reckoned(restock, Terms(Manner.EVERYONE, awake=14.0)),
    }
    timid = Terms(Manner.BOUNDED, alpha=0.2, taken=900, hold_hours=24.0, awake=14.0)
    assert reckoned(restock, timid) != reckoned(restock, bold), "or the history would not matter here"
    assert "4 units for 40 waiting, of whom 50 % would take one" in words(page)
    assert page.xpath("//section[@aria-labelledby='replay']/p/a[contains(@href, 'became=answered')]")


def test_another_past_is_another_replay() -> None:
    """The control to the one before: where all take, hardly more are told than there are units; else nearly all."""
    eager = HouseCount(ages=[Answers(900, 0)] * 5, prior=Prior(1, 3))
    shy = HouseCount(ages=[Answers(0, 900)] * 5, prior=Prior(1, 3))
    policy = WavePolicy(
        rule="bounded", alpha=0.05, prior_taken=1.0, prior_passed=3.0, hold_hours=24.0, wakes_at=8, sleeps_at=22,
        desk_minutes=0,
    )  # fmt: skip
    played = [
        replaying.compare(replaying.situation(4, 40, house), [("tried", replaying.terms(policy, house))])[0].forecast
        for house in (eager, shy)
    ]
    assert played[0].told < 5
    assert played[1].told > 35
    assert played[0].hours is not None and played[1].sold_out < 0.2


def test_the_past_restock_that_was_chosen_is_the_one_that_is_played(marta: FlaskClient, session: Session, at) -> None:
    at(NOW)
    (size,) = sandals(session, s36=3)
    session.add(restock := Restock(variant=size, units=3, at=NOW, flapped=False))
    for number in range(5):
        wish_for(session, size, name=f"N{number}", now=NOW - DAY)
    share_out(session, size, now=NOW)
    chosen = str(restock.id)
    session.commit()
    page = replay(marta, units="400", waiting="4000", restock=chosen)
    assert "3 units for 5 waiting" in words(page)
    assert [page.xpath(f"string(//input[@name='{name}']/@value)") for name in ("units", "waiting")] == ["3", "5"]
    # the control: with none chosen, the numbers that were written count
    assert "400 units for 4000 waiting" in words(replay(marta, units="400", waiting="4000"))


def widths(plot: lxml.html.HtmlElement) -> list[float]:
    """How long each bar is, in percent of the plot."""
    return [float(each.get("width").rstrip("%")) for each in plot.xpath(".//rect")]


def test_the_bars_are_as_long_as_the_numbers_below_them(marta: FlaskClient, furnished: House) -> None:
    page = replay(marta, units="2", waiting="40")
    found = rows(page)
    hours, sad = page.xpath("//section[@aria-labelledby='replay']//*[@class='plots']/*")
    for plot, numbers in (
        (hours, [each.hours for each in found.values()]),
        (sad, [each[2] for each in found.values()]),
    ):
        assert [float(each) for each in numbers if float(each)], "or there would be nothing to see"
        said = [each.text for each in plot.xpath(".//text[@dx]")]
        assert said == numbers
        longest = max(map(float, numbers))
        drawn = [each / max(widths(plot)) for each in widths(plot)]
        assert drawn == pytest.approx([float(each) / longest for each in numbers], abs=0.01)
        assert all(name in plot.text_content() for name in found)


def test_what_never_sells_out_is_said_and_has_no_bar(marta: FlaskClient, furnished: House) -> None:
    """Ten units for three people: no policy sells them all, and the best there is would have no hours at all."""
    page = replay(marta, units="10", waiting="3")
    hours, _sad = page.xpath("//section[@aria-labelledby='replay']//*[@class='plots']/*")
    assert [each.text for each in hours.xpath(".//text[@dx]")] == ["never sold out"] * 3
    assert widths(hours) == []
    assert {each.hours for each in rows(page).values()} == {"never sold out"}


def test_a_bar_of_nothing_is_no_bar_and_all_of_it_lies_within_the_frame() -> None:
    svg = plots.bars([Bar("A", 200.0, "200"), Bar("B", 0.0, "0"), Bar("C", None, "never")], title="T", unit="hours")
    plot = lxml.html.fragment_fromstring(svg)
    assert widths(plot) == [pytest.approx(84), 0]
    places = [float(each.rstrip("%")) for each in re.findall(r' (?:x|x1|x2|width)="([\d.]+)%', svg)]
    assert max(places) <= 100
    assert plot.get("width") == "100%"
