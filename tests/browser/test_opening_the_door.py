"""The door in a real browser: it opens to Nadia, and tells Mallory nothing."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import DEMO_PASSWORD


def test_the_right_password_leads_to_the_page_one_came_for(page: Page):
    page.goto("/customers")
    page.locator("input[name=email]").fill("nadia@maison-solenne.example")
    page.locator("input[name=password]").fill(DEMO_PASSWORD)
    page.locator("main button[type=submit]").click()
    expect(page).to_have_title("Customers · Maison Solenne")


def test_a_wrong_password_is_told_without_saying_which_part_was_wrong(page: Page):  # T32
    said = set()
    for address in ("nadia@maison-solenne.example", "nobody@maison-solenne.example"):
        page.goto("/sign-in")
        page.locator("input[name=email]").fill(address)
        page.locator("input[name=password]").fill("not her password")
        page.locator("main button[type=submit]").click()
        said.add(page.locator("main form").inner_text())
    assert len(said) == 1
    assert "/sign-in" in page.url
