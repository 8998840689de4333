"""Two people at one conversation: each sees the other, nobody answers over a mail not yet read, twice is once."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.steps import (
    GONE,
    SOON,
    answer,
    conversation_id,
    editor_of,
    leaving,
    mails_to,
    open_new,
    post,
    send,
    sent,
    write,
)


def test_a_colleague_sees_who_is_writing_and_that_an_answer_leaves(new_context, sign_in, house):
    letter = write(house, "A hat for Ascot")
    nadia, chiara = (sign_in(new_context().new_page(), name) for name in ("nadia", "chiara"))
    open_new(nadia, letter)
    open_new(chiara, letter)
    answer(nadia, "Dear Barbara, a hat it is.")
    presence = chiara.locator("#draft .presence")
    expect(presence).to_contain_text("Nadia Ferrant ha una bozza qui.", timeout=SOON)
    send(nadia)
    expect(presence).to_contain_text("Nadia Ferrant ha una risposta in partenza qui.", timeout=SOON)
    nadia.locator("[data-undo-seconds]").get_by_role("button", name="Undo").click()
    expect(presence).to_contain_text("ha una bozza qui.", timeout=SOON)

    # Both send within the ten seconds: one letter leaves, and each of them reads what became of her own.
    editor_of(chiara).click()
    chiara.keyboard.type("Cara Barbara, ")
    expect(chiara.locator("[data-autosave-status]")).to_have_text("Salvata")
    send(nadia)
    send(chiara)
    expect(nadia.locator("#toasts")).to_contain_text("Sent to Barbara", timeout=GONE)
    expect(chiara.locator("#toasts")).to_contain_text("Questa risposta è tornata", timeout=GONE)
    expect(chiara.locator("#toasts")).not_to_contain_text("Inviata")


def test_news_that_come_while_she_types_keep_nothing_from_being_saved(page: Page, sign_in, house):
    letter = write(house, "A belt in tan")
    sign_in(page, "nadia")
    open_new(page, letter)
    editor_of(page).click()
    page.keyboard.type("Dear Barbara, tan it is.")
    page.evaluate("document.body.dispatchEvent(new Event('house-changed'))")
    expect(page.locator("[data-autosave-status]")).to_have_text("Saved", timeout=SOON)


def test_nothing_is_sent_over_a_mail_not_yet_read(page: Page, sign_in, house):  # F09
    letter = write(house, "Gloves in navy")
    sign_in(page, "nadia")
    open_new(page, letter)
    number = conversation_id(page)
    answer(page, "Dear Barbara, navy it is.")
    again = letter.as_message()
    first = sent_id(page)
    again.replace_header("Subject", f"Re: {letter.subject}")
    again["In-Reply-To"] = again["References"] = first
    again.set_content("Wait! Not navy: black, please.")
    post(house, again)
    # The page tells of it while she writes, and takes nothing away.
    expect(page.locator("#messages .message--in").last).to_contain_text("Not navy: black", timeout=SOON)
    expect(editor_of(page)).to_contain_text("Dear Barbara, navy it is.")
    editor_of(page).click()
    expect(page.get_by_text("Something new has arrived since you began")).to_be_in_viewport(ratio=1, timeout=SOON)

    send(page)
    expect(page.locator("#gate")).to_contain_text("Not sent yet.")
    expect(page.locator("[data-newer]")).to_contain_text("Not navy: black, please.")
    expect(editor_of(page)).to_contain_text("Dear Barbara, navy it is.")
    expect(leaving(page)).to_have_count(0)
    expect(sent(page)).to_have_count(0)

    page.get_by_role("button", name="Send anyway, I have read it").click()
    expect(leaving(page)).to_be_visible()
    assert conversation_id(page) == number


def sent_id(page: Page) -> str:
    """The Message-ID of the mail the page shows, from the mail as it came."""
    with page.expect_download() as download:
        page.get_by_role("link", name="The mail as it came").first.click()
    raw = download.value.path().read_text()
    return next(line for line in raw.splitlines() if line.startswith("Message-ID:")).partition(":")[2].strip()


def test_two_clicks_and_two_windows_send_once(context: BrowserContext, sign_in, house):
    letter = write(house, "A clutch, silver")
    page = sign_in(context.new_page(), "nadia")
    open_new(page, letter)
    answer(page, "Dear Barbara, silver it is.")
    other = context.new_page()
    other.goto(page.url)
    expect(editor_of(other)).to_contain_text("silver it is.")
    page.locator("#composer .button--send[type=submit]").dblclick()
    expect(leaving(page)).to_be_visible()
    other.locator("#composer .button--send[type=submit], #draft .composer--leaving").first.click()
    expect(leaving(other)).to_be_visible(timeout=SOON)
    expect(sent(page)).to_have_count(1, timeout=GONE)
    expect(mails_to(page, letter.address)).to_have_count(1)
