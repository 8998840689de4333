"""Two conversations of one customer brought together and parted again, by keys alone."""

from playwright.sync_api import Page, expect

from tests.browser.steps import Letter, open_new, post


def test_by_keys_alone_two_are_brought_together_and_parted(page: Page, sign_in, house):
    first = Letter("The ivory gloves", "Barbara Handschuh", "Do the ivory gloves come in seven?")
    second = Letter("And a hat", first.name, "And is there a hat to go with them?", first.address)
    for each in (first, second):
        post(house, each.as_message())
    sign_in(page, "nadia")
    open_new(page, second)
    page.keyboard.press("c")
    expect(page.get_by_role("heading", name="Bring together")).to_be_visible()
    expect(page.locator(".choices__one")).to_contain_text(first.subject)
    page.keyboard.press("1")
    mails = page.locator(".message__body")
    expect(mails).to_have_count(2)
    expect(mails.first).to_contain_text(first.text)
    page.keyboard.press("x")
    expect(page.get_by_role("heading", name="Move this mail")).to_be_visible()
    page.keyboard.press("s")
    expect(mails).to_have_count(1)
    expect(mails).to_contain_text(second.text)


def test_by_a_key_the_stranger_who_is_proposed_is_said_to_be_another(page: Page, sign_in, house):
    """She named that address herself and the name is hers, so `c` would join the two; `d` keeps them apart for good."""
    stranger = Letter("From the atelier", "Barbara Doppelmann", "And is there a pair in seven and a half?")
    first = Letter("The grey gloves", stranger.name, f"You can write to me at {stranger.address} as well.")
    asked = post(house, first.as_message())
    sign_in(page, "nadia")
    open_new(page, first)
    mail = stranger.as_message()
    mail["In-Reply-To"] = asked
    post(house, mail)
    open_new(page, stranger)
    proposal = page.locator(".banner").filter(has_text="seems to write from another address of hers")
    expect(proposal).to_contain_text("she told us this address herself")
    page.keyboard.press("d")
    expect(page.get_by_text("Kept apart: two people.")).to_be_visible()
    expect(page.locator(".conversation__subject")).to_contain_text(stranger.subject)
    expect(proposal).to_have_count(0)
    expect(page.get_by_role("button", name="It belongs there")).to_be_visible()
