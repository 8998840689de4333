"""The same work on a phone, with keys alone, and without JavaScript."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.steps import (
    SOON,
    answer,
    cannot_be_pushed_sideways,
    editor_of,
    leaving,
    open_new,
    row,
    send,
    write,
)

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_on_a_phone_one_goes_from_folder_to_list_to_mail_and_back(new_context, sign_in, house):
    letter = write(house, "Earrings for a christening")
    page = sign_in(new_context(**PHONE).new_page(), "nadia")
    page.goto("/")
    cannot_be_pushed_sideways(page)
    page.get_by_role("navigation", name="Folders").get_by_role("link", name="Unassigned").click()
    expect(page.locator("#conversation")).not_to_be_visible()
    page.goto("/?folder=unassigned&order=newest")
    row(page, letter.subject).click(timeout=SOON)
    expect(page.locator(".conversation__subject")).to_have_text(letter.subject)
    expect(page.locator("#list")).not_to_be_visible()
    cannot_be_pushed_sideways(page)
    page.get_by_role("link", name="Back to the list").click()
    expect(row(page, letter.subject)).to_be_visible()
    row(page, letter.subject).click()
    answer(page, "Dear Barbara, small pearls.")
    cannot_be_pushed_sideways(page)
    send(page)
    expect(leaving(page)).to_be_visible()
    cannot_be_pushed_sideways(page)
    page.locator("[data-undo-seconds]").get_by_role("button", name="Undo").click()
    expect(editor_of(page)).to_contain_text("small pearls.")


def focused(page: Page) -> str:
    """What has the keyboard, and whether one sees that it does."""
    return page.evaluate(
        """() => {
            const at = document.activeElement;
            const lined = (each) => each && getComputedStyle(each).outlineStyle !== "none";
            const shaded = getComputedStyle(at).boxShadow !== "none";
            const seen = lined(at) || shaded || lined(at.closest(".search, .composer, label"));
            if (at === document.body) return "";
            return (seen ? "" : "UNSEEN ") + (at.id || at.name || at.className || at.tagName);
        }"""
    )


def walk_to(page: Page, selector: str, most: int = 60) -> None:
    """Tab until the element has the keyboard; every stop on the way is seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        assert not focused(page).startswith("UNSEEN"), focused(page)
        if page.locator(selector).evaluate_all("all => all.includes(document.activeElement)"):
            return
    raise AssertionError(f"{selector} can't be reached with the keyboard")


def test_keys_alone_are_enough_from_the_door_to_the_answer(page: Page, house):
    letter = write(house, "A tie for my brother")
    page.goto("/sign-in")
    walk_to(page, "input[name=email]")
    page.keyboard.type("nadia@maison-solenne.example")
    walk_to(page, "input[name=password]")
    page.keyboard.type("turquoise")
    page.keyboard.press("Enter")
    expect(page.locator("#list")).to_be_visible()

    page.keyboard.press("?")
    sheet = page.locator("#keys")
    expect(sheet).to_be_visible()
    for words in ("Next conversation", "Search", "Go to Templates", "Unassigned"):
        expect(sheet).to_contain_text(words)
    page.keyboard.press("Escape")
    expect(sheet).not_to_be_visible()

    page.keyboard.press("/")
    page.keyboard.type(letter.address.split("@")[0])
    expect(row(page, letter.subject)).to_be_visible(timeout=SOON)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q="))
    walk_to(page, "#list a.row")
    page.keyboard.press("Enter")
    expect(page.locator(".conversation__subject")).to_have_text(letter.subject)
    expect(editor_of(page)).to_be_visible()
    page.keyboard.press("a")
    page.keyboard.press("m")
    expect(page.locator(".conversation__facts").first).to_contain_text("with Nadia Ferrant")
    page.keyboard.press("r")
    expect(editor_of(page)).to_be_focused()
    page.keyboard.type("Dear Barbara, knitted silk, in bottle green.")
    expect(page.locator("[data-autosave-status]")).to_have_text("Saved")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.keyboard.type("His size is M.")
    page.keyboard.press("Control+Enter")  # keeps the note she is in, and sends nothing
    expect(page.locator(".message--note")).to_contain_text("His size is M.")
    expect(leaving(page)).to_have_count(0)
    page.keyboard.press("r")  # the composer comes a moment later
    expect(editor_of(page)).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(leaving(page)).to_be_visible()
    page.keyboard.press("e")
    expect(page.locator("#talk-head")).to_contain_text("Closed on")


def test_nothing_is_lost_that_is_typed_faster_than_the_composer_comes(page: Page, house, sign_in):
    letter = write(house, "A kimono for the morning")
    sign_in(page, "nadia")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile(r"/draft\?seen=|/chunks/composer-"), hold)
    open_new(page, letter)
    page.keyboard.type("rDear ")  # nowhere yet: none of these letters is a verb's key
    expect(page.locator("#draft textarea")).to_have_count(0)
    held.pop().continue_()
    expect(page.locator("#draft textarea")).to_be_focused()
    page.keyboard.type("Barbara,\nas blue ")  # plain yet
    held.pop().continue_()
    expect(editor_of(page)).to_be_focused()
    page.keyboard.type("as the sea.")
    expect(editor_of(page)).to_have_text(re.compile(r"^\s*Dear Barbara,\s*as blue as the sea\.\s*$"))
    expect(page.locator("[data-autosave-status]")).to_have_text("Saved")
    late_for_the_follow_up(page, held, hold)


def late_for_the_follow_up(page: Page, held: list[Route], hold: Callable[[Route], None]) -> None:
    """A key of the follow-ups waits for them as well, with all that is typed after it; one with nothing to do goes."""
    panel, when = page.locator("#followups"), page.locator("#followup-when")
    page.unroute_all()
    page.route(re.compile(r"/followups\?seen="), hold)
    page.reload()
    expect(panel.locator("[data-keys-coming]")).to_have_count(1)
    page.keyboard.press("h")  # nothing is promised here
    page.keyboard.type("en")
    held.pop().continue_()
    expect(page.locator(".followups__new")).to_be_visible()
    page.keyboard.press("f")
    expect(when).to_be_focused()
    expect(page.locator("#talk-head")).not_to_contain_text("Closed on")

    page.reload()
    expect(panel.locator("[data-keys-coming]")).to_have_count(1)
    page.keyboard.type("fin 5 daye")  # no verb's key any more
    page.keyboard.press("Backspace")
    page.keyboard.type("s")
    held.pop().continue_()
    expect(when).to_be_focused()
    expect(when).to_have_value("in 5 days")
    expect(page.locator("#followup-when-said")).to_contain_text("her time")
    page.keyboard.press("Escape")
    expect(when).not_to_be_visible()
    page.keyboard.press("f")  # the keys are the conversation's again
    expect(when).to_be_focused()


def test_on_a_phone_every_sum_of_the_entrances_is_on_the_screen(new_context, sign_in, house):
    write(house, "A hat for the races")
    page = sign_in(new_context(viewport={"width": 390, "height": 844}).new_page(), "nadia")
    page.goto("/mail-in?show=entrances")
    table = page.locator(".table-wrap").first
    for name in ("Taken in", "Filed", "Sum"):
        cells = table.locator(f"[data-column='{name}']")
        assert cells.count() >= 2, "each entrance, and all of them"
        for cell in cells.all():
            box = cell.bounding_box()
            assert box is not None
            assert 0 <= box["x"] < box["x"] + box["width"] <= 390
            assert cell.evaluate("each => getComputedStyle(each, '::before').content") == f'"{name}"'
    assert table.evaluate("each => each.scrollWidth <= each.clientWidth"), "nothing has to be pushed sideways"
    cannot_be_pushed_sideways(page)


@pytest.fixture
def plain(new_context, sign_in) -> Page:
    """Nadia in a browser that runs no scripts."""
    return sign_in(new_context(java_script_enabled=False).new_page(), "nadia")


def test_without_scripts_everything_is_a_form(plain: Page, house):
    letter = write(house, "A shawl for the opera")
    page = plain
    page.goto(f"/?q={letter.address}")
    for _ in range(40):  # a page without scripts doesn't look again by itself
        if row(page, letter.subject).count():
            break
        page.reload()
    row(page, letter.subject).click()
    page.locator("summary", has_text="Assign").click()
    page.get_by_role("button", name="I do").click()
    expect(page.locator(".conversation__facts").first).to_contain_text("with Nadia Ferrant")
    page.locator("summary", has_text="Note").click()
    page.get_by_label("For colleagues only").fill("Her husband pays. @chiara")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator(".message--note")).to_contain_text("Her husband pays.")

    page.get_by_role("link", name="Write the answer").click()
    page.get_by_role("button", name="Template", exact=True).click()
    page.get_by_role("searchbox").fill("thank")
    page.get_by_role("button", name="Search").click()
    page.locator(".picker__option").first.click()
    text = page.locator("textarea[name=body_text]")
    expect(text).to_have_value(re.compile("Barbara"))
    text.fill("Dear Barbara,\n\nthe **cashmere** one, in midnight.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".composer--leaving")).to_contain_text("Your answer to Barbara is on its way.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("textarea[name=body_text]")).to_have_value(
        "Dear Barbara,\n\nthe **cashmere** one, in midnight."
    )
    page.get_by_role("button", name="See the mail as it will arrive").click()
    expect(page.frame_locator(".preview__frame").locator("strong")).to_have_text("cashmere")
    page.go_back()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".composer--leaving")).to_be_visible()
    page.goto(f"/?q={letter.address}")
    row(page, letter.subject).click()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("#talk-head")).to_contain_text("Closed on")
