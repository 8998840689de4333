"""What shuts somebody out of a page as it stands: axe's findings, and what can be pushed sideways."""

from typing import Any, NamedTuple

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What changes with the light alone.
COLOURS = ["color-contrast", "link-in-text-block"]
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# Of a long list the first rows are looked at; the fifth is made like the fourth, and most of axe's time goes there.
LIKE_THOSE_ABOVE = [[f"{row}:nth-child(n+5)"] for row in ("li", "tr", "article", "option")]


class Screen(NamedTuple):
    """How wide, how bright, and which of axe's rules are asked for there (all when None; whether it fits, always)."""

    size: dict[str, int]
    light: str
    rules: list[str] | None = None


def axe(page: Page, rules: list[str] | None = None, within: str = "html") -> list[str]:
    """What breaks WCAG 2.2 A or AA or good practice, or only these `rules`, in the page or in one part of it.

    Frames are left out: they hold mails, which are letters and no pages of ours.
    """
    if rules == []:
        return []
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    asked = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": WCAG}
    options = {"runOnly": asked, "resultTypes": ["violations"], "iframes": False, "preload": False}
    found: list[dict[str, Any]] = page.evaluate(
        "async ([about, options]) => (await axe.run(about, options)).violations",
        [{"include": [[within]], "exclude": LIKE_THOSE_ABOVE}, options],
    )
    return [f"{each['id']}: {each['help']}: {[node['target'] for node in each['nodes']][:5]}" for each in found]


def sideways(page: Page) -> list[str]:
    """What stands out of the page to the right: nothing, or the first elements that do."""
    wide, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    if wide <= window:
        return []
    out = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
            .filter(each => each.getBoundingClientRect().right > innerWidth && each.checkVisibility())
            .slice(0, 8).map(each => `${each.tagName.toLowerCase()}.${each.className}`)"""
    )
    return [f"{wide} px wide in a window of {window} px: {out}"]


def menus_cut_off(page: Page) -> list[str]:
    """The menus whose panel stands out of the window when it is opened."""
    return page.evaluate(  # type: ignore[no-any-return]
        """async () => {
            const out = [];
            for (const menu of document.querySelectorAll("details.menu")) {
                if (!menu.checkVisibility() || menu.parentElement.closest("details:not([open])")) continue;
                menu.open = true;
                await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
                const { left, right } = menu.querySelector(".menu__panel").getBoundingClientRect();
                if (left < 0 || right > innerWidth) out.push(`menu cut off: ${menu.innerText.slice(0, 40)}`);
                menu.open = false;
            }
            return out;
        }"""
    )


def faults(page: Page, screens: list[Screen], within: str = "html") -> list[str]:
    """Everything wrong with the page as it stands, or with one part of it, on each of these screens, loaded once."""
    found = []
    for size, light, rules in screens:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=light)  # type: ignore[arg-type]
        seen = axe(page, rules, within) + sideways(page) + (menus_cut_off(page) if size is PHONE else [])
        found += [f"{page.url}, {size['width']} px, {light}: {each}" for each in seen]
    return found
