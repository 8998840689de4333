"""The main job, as a stranger walks it: Barbara waits, Nadia answers with a template, Barbara answers back."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import SignIn
from tests.browser.steps import (
    GONE,
    SOON,
    conversation_id,
    editor_of,
    leaving,
    mails_to,
    open_folder,
    row,
    send,
    sent,
)

BARBARA = "barbara.ashdown@example.com"
PROMISED = "I’ll look for it in navy by the end of the month."
PERSONAL = f"Blue on blue, above a harbour: I can see it. {PROMISED} "


def choose_the_sold_out_template(page: Page) -> None:
    """t, a word, Enter; some of the product's words, Enter twice; Enter for what stands first in her size."""
    expect(editor_of(page)).to_be_visible()
    page.keyboard.press("t")
    expect(page.locator("#templates")).to_be_visible()
    page.keyboard.type("sold")
    page.keyboard.press("Enter")
    expect(page.locator("#product-title")).to_contain_text("Which one?")
    page.locator("#draft input[name=q]").fill("calanque turquoise 36")
    page.keyboard.press("Enter")
    option = page.locator("#draft .picker__option--product")
    expect(option).to_have_count(1)
    expect(option).to_contain_text("Turquoise · EU 36 · sold out")
    expect(option).to_be_focused()
    page.keyboard.press("Enter")
    title = page.locator("#product-title")
    expect(title).to_have_text("Beside the Calanque sandals: something that is here?")
    expect(page.locator("#draft .picker__option--product").first).to_be_focused()
    expect(page.locator("#draft .picker__option--product").first).to_contain_text("EU 36")
    page.keyboard.press("Enter")


def finished_draft(page: Page) -> None:
    """The draft reads like a letter: her name, her shoe, no hole and no field left."""
    draft = editor_of(page)
    expect(draft).to_contain_text("Dear Barbara,")
    expect(draft).to_contain_text("in the Calanque sandals your size, 36, has sold out for now.")
    expect(draft.locator("figure")).to_have_count(2)
    expect(draft.locator("figure").first).to_contain_text("Turquoise")
    expect(draft.locator("figure").last).not_to_contain_text("Turquoise")
    expect(draft.locator("figure img").last).to_have_js_property("complete", True)
    expect(draft).to_contain_text("Nadia")
    expect(draft).not_to_contain_text(re.compile(r"[{}\[\]]|None"))


def read_in_her_mailbox(page: Page) -> None:
    """The mail as Barbara sees it: her name, the sandals, and the face and name of who wrote it."""
    (mail,) = mails_to(page, BARBARA).filter(has_text="Blue on blue").all()
    mail.click()
    expect(page.locator(".conversation__facts")).to_contain_text("From Nadia Ferrant <care@maison-solenne.example>")
    letter = page.frame_locator(".mail-frame")
    expect(letter.locator("body")).to_contain_text("Dear Barbara,")
    expect(letter.locator("body")).to_contain_text("Nadia Ferrant")
    expect(letter.locator("body")).to_contain_text("Fashion Editor")
    for picture in ("Calanque sandals", "Nadia Ferrant"):
        shown = letter.get_by_role("img", name=picture).first
        expect(shown).to_be_visible()
        expect(shown).to_have_js_property("complete", True)
        assert shown.evaluate("picture => picture.naturalWidth") > 0


def accept_what_was_promised(page: Page) -> None:
    """h, and it stands beside the talk until it is kept."""
    beside = page.locator("#followups")
    expect(beside.locator("[data-key=h]")).to_have_count(1, timeout=SOON)
    expect(beside).to_contain_text(f"“{PROMISED}”")
    page.keyboard.press("h")
    expect(beside).to_contain_text("Promised for", timeout=SOON)
    expect(beside.locator("[data-key=h]")).to_have_count(0)


def test_barbara_is_answered_and_answers_back(page: Page, sign_in: SignIn):
    sign_in(page, "nadia").goto("/")
    expect(page.locator("#list a.row").first).to_contain_text("Barbara Ashdown")
    page.locator("#list a.row").first.click()
    expect(page.locator("h1.conversation__subject")).to_have_text("The turquoise sandals in 36")
    number = conversation_id(page)

    choose_the_sold_out_template(page)
    finished_draft(page)
    page.locator("#draft trix-editor").press("Control+Home")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.keyboard.type(PERSONAL)

    send(page)
    expect(leaving(page)).to_contain_text("Your answer to Barbara is on its way.")
    page.locator("[data-undo-seconds]").get_by_role("button", name="Undo").click()
    expect(editor_of(page)).to_contain_text(PERSONAL.strip())
    finished_draft(page)
    expect(sent(page)).to_have_count(0)

    send(page)
    expect(leaving(page)).to_be_visible()
    expect(sent(page)).to_have_count(1, timeout=GONE)
    expect(page.locator(".conversation__facts").first).to_contain_text("with Nadia Ferrant")
    accept_what_was_promised(page)

    hers = page.context.new_page()
    read_in_her_mailbox(hers)
    hers.get_by_label("Answer as Barbara Ashdown").fill("You are an angel. I shall wait by the window.")
    hers.get_by_role("button", name="Send the answer").click()
    expect(hers.locator("#toasts")).to_contain_text("The mail is in the house")

    # Live, without reloading, in the page that was open all the while.
    expect(page.locator("#messages .message--in").last).to_contain_text("You are an angel.", timeout=SOON)
    assert conversation_id(page) == number
    open_folder(page, "mine", "The turquoise sandals in 36")
    assert conversation_id(page) == number
    expect(row(page, "The turquoise sandals in 36")).to_contain_text("You are an angel.")


PASTE = """html => {
    const data = new DataTransfer();
    data.setData("text/html", html);
    const paste = new InputEvent("beforeinput", {
        inputType: "insertFromPaste", dataTransfer: data, bubbles: true, cancelable: true,
    });
    document.querySelector("trix-editor").dispatchEvent(paste);
}"""


def test_a_quote_of_two_paragraphs_keeps_them_pasted_and_opened_again(page: Page, sign_in: SignIn):
    sign_in(page)
    page.goto("/?folder=open&order=newest")
    page.locator("#list a.row").last.click()
    quote = editor_of(page).locator("blockquote")
    expect(editor_of(page)).to_be_visible()
    page.evaluate(PASTE, "<blockquote><p>Is there a 36?</p><p>I would wait for it.</p></blockquote><p>There is.</p>")
    expect(quote).to_have_text(re.compile(r"36\?\s*\n\s*\n\s*I would"), use_inner_text=True)
    expect(page.locator("[data-autosave-status]")).to_have_attribute("data-state", "saved")
    page.reload()
    expect(quote).to_have_text(re.compile(r"36\?\s*\n\s*\n\s*I would"), use_inner_text=True)
