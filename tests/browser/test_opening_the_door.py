"""The door in a real browser: it opens to Nadia, stays shut to Mallory, and shuts nobody out by how it is made."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

WIDTHS = {"wide": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/sign-in", "/reset", "/nowhere"])
def test_pages_before_the_door_shut_nobody_out(
    path: str, scheme: str, width: str, new_context: Callable[..., BrowserContext], axe: Callable[[Page], None]
):
    page = new_context(color_scheme=scheme, viewport=WIDTHS[width]).new_page()
    page.goto(path)
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page can be pushed sideways"


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
