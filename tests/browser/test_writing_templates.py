"""Writing a template in a real browser: fields complete, faults show as one types, the letter stands beside."""

from collections.abc import Callable

from playwright.sync_api import Page, expect


def _frame(page: Page):
    return page.frame_locator("#finished iframe:not([data-coming])").locator("body")


def test_a_template_is_written_with_its_letter_in_sight(page: Page, sign_in: Callable[..., Page]):
    sign_in(page, "nadia")
    page.goto("/templates/new")
    page.get_by_label("Name", exact=True).fill("A word of thanks")
    page.locator("#subject_en").fill("Thank you")
    letter = page.locator("#body_en")
    letter.click()
    page.keyboard.type("Dear {{ first")
    expect(page.get_by_role("option").first).to_contain_text("customer.first_name")
    page.keyboard.press("Escape")
    letter.fill("Dear {{ customer.first_name }},")
    expect(page.locator("#faults-body_en")).to_contain_text("then this reads “Dear ,”")
    expect(page.locator("#verdict")).to_contain_text("One thing to put right")
    letter.fill("Dear ")
    page.get_by_role("button", name="Insert the customer’s first name").click()
    page.keyboard.type("friend")
    expect(letter).to_have_value('Dear {{ customer.first_name | fallback("friend") }}')
    expect(page.locator("#verdict")).to_contain_text("Reads well for everybody")
    expect(_frame(page)).to_contain_text("Dear Barbara")
    page.get_by_label("for somebody we know nothing about").check()
    expect(_frame(page)).to_contain_text("Dear friend")
    page.keyboard.press("Control+s")
    expect(page.locator("h1")).to_have_text("A word of thanks")


def test_the_catalogue_is_searched_as_one_types(page: Page, sign_in: Callable[..., Page]):
    sign_in(page, "nadia")
    page.goto("/catalogue")
    page.get_by_role("searchbox").fill("turchese 37")
    expect(page.locator(".tile__name")).to_have_text(["Calanque sandals"])
    assert "q=turchese" in page.url
