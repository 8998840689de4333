"""What is written in the composer is planned as a follow-up: with keys, by hand on a phone, without JavaScript."""

import re

from playwright.sync_api import Page, expect

from tests.browser.steps import SOON, answer, cannot_be_pushed_sideways, conversation_id, editor_of, open_new, write
from tests.browser.test_phone_and_keys import PHONE

PROPOSED = re.compile("in 3 days if she hasn’t answered")


def phrase(page: Page):
    """Where one says when it leaves."""
    return page.locator("#answer-phrase")


def planned(page: Page):
    """What is planned in the conversation that is open."""
    return page.locator("#followups-list .followup")


def test_with_keys_alone_a_phrase_is_read_as_it_is_typed_and_what_can_not_be_read_loses_nothing(page, house, sign_in):
    letter = write(house, "A stole for the opera")
    sign_in(page, "nadia")
    open_new(page, letter)
    answer(page, "Dear Barbara, did you come to a decision?")
    page.keyboard.press("p")  # a letter, as she is writing
    page.keyboard.press("Control+Shift+Enter")
    expect(phrase(page)).to_be_focused()
    expect(phrase(page)).to_have_value(PROPOSED)
    expect(page.locator("#answer-phrase-said")).to_contain_text("her time", timeout=SOON)
    page.keyboard.type("when she likes")  # over what was proposed
    expect(page.locator("#answer-phrase-said")).to_contain_text("“in 3 days”")
    page.keyboard.press("Enter")
    expect(page.locator("#answer-phrase-said")).to_contain_text("We could not read when.")
    expect(phrase(page)).to_be_focused()
    expect(editor_of(page)).to_contain_text("did you come to a decision?p")
    expect(planned(page)).to_have_count(0)
    page.keyboard.press("Control+a")
    page.keyboard.type("in 2 weeks")
    page.keyboard.press("Enter")
    expect(planned(page)).to_contain_text("did you come to a decision?p", timeout=SOON)
    expect(page.locator("#toasts")).to_contain_text("Planned for Barbara:")
    expect(editor_of(page)).to_have_text("")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("Send as a follow-up")


def test_on_a_phone_it_is_planned_from_the_menu_beside_send(new_context, house, sign_in):
    letter = write(house, "A fan for the terrace")
    page = sign_in(new_context(**PHONE).new_page(), "nadia")
    open_new(page, letter)
    answer(page, "Dear Barbara, the rice paper one is here.")
    page.locator("#composer summary.button--send").click()
    expect(phrase(page)).to_be_visible()
    cannot_be_pushed_sideways(page)
    expect(page.locator("#composer .followups__waits")).to_contain_text("She waits for an answer")
    page.locator("#composer").get_by_role("button", name="Plan it").click()
    expect(planned(page)).to_contain_text("the rice paper one", timeout=SOON)
    expect(planned(page)).to_contain_text("As things stand it will not leave")
    cannot_be_pushed_sideways(page)


def test_without_javascript_it_is_planned_too(page, new_context, house, sign_in):
    letter = write(house, "A hat against the sun")
    sign_in(page, "nadia")
    open_new(page, letter)
    number = conversation_id(page)
    plain = sign_in(new_context(java_script_enabled=False).new_page(), "nadia")
    plain.goto(f"/conversations/{number}/draft")
    plain.locator("#answer").fill("Dear Barbara, straw, or linen?")
    plain.locator("#composer summary.button--send").click()
    phrase(plain).fill("Friday at 10")
    plain.locator("#composer").get_by_role("button", name="Plan it").click()
    expect(plain).to_have_url(re.compile(f"/conversations/{number}/followups$"))
    expect(planned(plain)).to_contain_text("straw, or linen?")
    plain.goto(f"/conversations/{number}/draft")
    expect(plain.locator("#answer")).to_have_value("")


def test_a_draft_that_went_elsewhere_is_said_to_have_gone_and_the_words_stay(page, new_context, house, sign_in):
    letter = write(house, "A glove without its sister")
    sign_in(page, "nadia")
    open_new(page, letter)
    answer(page, "Dear Barbara, the left one?")
    other = sign_in(new_context().new_page(), "nadia")
    other.goto(f"/conversations/{conversation_id(page)}/draft")
    other.get_by_role("button", name="Discard this answer").click()
    expect(editor_of(other)).to_have_text("")
    page.locator("#composer .button--send[type=submit]").click()
    expect(page.locator("#gate")).to_contain_text("This draft has left or was discarded.")
    expect(editor_of(page)).to_contain_text("the left one?")
