"""Days pass in the demo: a reply keeps a follow-up from leaving, and a plan goes from her delivery to how it fits."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DEMO_PASSWORD
from tests.browser.steps import GONE, SOON, answer, mails_to, open_folder, open_new, send, sent, write
from tests.browser.test_barbaras_sandals import SKU, give_the_shop_a_key
from tests.houses import RunningHouse, open_house

# Some seconds a day; a busy machine is waited for.
PASSED = 180_000


@pytest.fixture(scope="module")
def days_house(furnish: Callable[[], Path]) -> Iterator[RunningHouse]:
    """A demo of its own: its days pass, and nobody else's stories are upset by that."""
    with open_house(furnish()) as opened:
        yield opened


def walk_in(chromium: Browser, house: RunningHouse, first_name: str) -> Iterator[Page]:
    """Somebody, signed in there, in a browser of her own."""
    context = chromium.new_context(base_url=house.url)
    page = context.new_page()
    page.goto("/sign-in")
    page.locator("input[name=email]").fill(f"{first_name}@maison-solenne.example")
    page.locator("input[name=password]").fill(DEMO_PASSWORD)
    page.locator("input[name=password]").press("Enter")
    expect(page.locator(".bar")).to_be_visible()
    yield page
    context.close()


@pytest.fixture
def nadia(chromium: Browser, days_house: RunningHouse) -> Iterator[Page]:
    """Nadia is at her desk."""
    yield from walk_in(chromium, days_house, "nadia")


@pytest.fixture
def omar(chromium: Browser, days_house: RunningHouse) -> Iterator[Page]:
    """Omar writes the plans."""
    yield from walk_in(chromium, days_house, "omar")


def let_pass(page: Page, span: str) -> None:
    """Days pass; the line above every page says so until they have."""
    page.goto("/post-office/days")
    page.get_by_role("button", name=span, exact=True).click()
    expect(page.locator("#ribbon")).to_contain_text("In this demo it is", timeout=PASSED)


def test_a_follow_up_stays_unsent_once_she_has_replied_and_says_why(nadia: Page, days_house: RunningHouse):
    letter = write(days_house, "Would the ivory pair suit a garden party?")
    open_new(nadia, letter)
    answer(nadia, "Dear Barbara, the turquoise is sold out in 36; the ivory pair is as light. Shall I put one aside?")
    send(nadia)
    expect(sent(nadia)).to_have_count(1, timeout=GONE)
    nadia.locator(".conversation__subject").click()
    nadia.keyboard.press("f")
    expect(nadia.locator("#followup-when")).to_be_focused()
    nadia.keyboard.press("Enter")
    expect(nadia.locator("#followups-list .followup")).to_have_count(1, timeout=SOON)

    let_pass(nadia, "A day")
    expect(mails_to(nadia, letter.address)).to_have_count(1)
    mails_to(nadia, letter.address).first.click()
    nadia.get_by_label("Answer as").fill("Thank you, the ivory pair it is.")
    nadia.get_by_role("button", name="Send the answer").click()
    nadia.goto("/?folder=mine&order=newest")
    expect(nadia.locator("#list a.row").filter(has_text="ivory pair it is")).to_be_visible(timeout=SOON)

    let_pass(nadia, "3 days")
    unsent = nadia.locator(".followup").filter(has_text=letter.subject)
    for _look in range(20):
        nadia.goto("/followups/unsent")
        if unsent.count():
            break
        nadia.wait_for_timeout(500)
    expect(unsent).to_contain_text("She has written since.")
    expect(mails_to(nadia, letter.address)).to_have_count(1)

    nadia.goto("/post-office/days")
    nadia.locator("#main").get_by_role("button", name="Back to today").click()
    expect(nadia.locator("#ribbon")).to_have_count(0)


def test_a_plan_goes_from_her_delivery_to_how_it_fits(nadia: Page, omar: Page, days_house: RunningHouse):
    """The demo's own plan "After a purchase": thanks a day after she has it, "how does it fit?" six days later."""
    letter = write(days_house, "Which size of the Calanque would fit?")
    open_new(nadia, letter)
    answer(nadia, "Dear Barbara, take the 35½: it runs a little large.")
    send(nadia)
    expect(sent(nadia)).to_have_count(1, timeout=GONE)
    shop = give_the_shop_a_key(days_house, omar)
    now, line = datetime.now(UTC).isoformat(), {"id": "1", "sku": SKU, "units": 1, "price_cents": 42000}
    told = shop.tell("orders", address=letter.address, at=now, currency="EUR", state="delivered", lines=[line])
    assert told["lines"][0]["state"] == "delivered"
    for span, mails in (("3 days", 2), ("A week", 3)):
        let_pass(nadia, span)
        expect(mails_to(nadia, letter.address)).to_have_count(mails)
    open_folder(nadia, "mine", letter.subject)
    expect(sent(nadia)).to_have_count(3)
    expect(sent(nadia).last).to_contain_text("By now you have worn it")
