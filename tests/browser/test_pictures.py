"""Always show pictures from this sender, in a real page: nothing is fetched before, and nothing for a look-alike."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import Letter, open_new
from tests.browser.test_hostile_mail import Elsewhere, running, send_html


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """The server of whoever wants to know that her mail is read."""
    with running(Elsewhere()) as server:
        yield server


def confirm(house, letter: Letter, *, truly: bool | None) -> None:
    """What a mail system that the house trusts would have said of this sender."""
    with closing(sqlite3.connect(house.data / "concierge.db", timeout=30)) as database, database:
        database.execute("UPDATE message SET authentic = ? WHERE from_address = ?", (truly, letter.address))


def written_by(house, elsewhere: Elsewhere, address: str | None, name: str) -> Letter:
    html = f'<p>see the picture:</p><img src="{elsewhere.url}/{name}" alt="A pair of shoes" width=60 height=40>'
    given = {"address": address} if address else {}
    return send_html(house, html, f"Shoes by {name}", **given)


def fetched_for(page: Page, letter: Letter, elsewhere: Elsewhere) -> list[str]:
    """What her mail makes the browser ask for when it is opened."""
    elsewhere.asked.clear()
    open_new(page, letter)
    expect(page.frame_locator(".mail-frame").last.locator("body")).to_contain_text("see the picture:")
    page.wait_for_load_state("load")
    return list(elsewhere.asked)


def test_pictures_are_fetched_only_of_the_sender_who_was_chosen(page: Page, sign_in, house, elsewhere):  # T11, T17
    sign_in(page, "nadia")
    hers = written_by(house, elsewhere, None, "hers")
    assert fetched_for(page, hers, elsewhere) == []
    always = page.get_by_role("button", name="Always show pictures from this sender")
    expect(page.get_by_role("link", name="Show the pictures")).to_be_visible()
    expect(always).to_have_count(0)  # nobody has confirmed that it is she
    confirm(house, hers, truly=True)
    page.reload()
    always.click()
    picture = page.frame_locator(".mail-frame").get_by_role("img", name="A pair of shoes")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("picture => picture.naturalWidth") > 0
    assert fetched_for(page, hers, elsewhere) == ["/hers"]

    alike = written_by(house, elsewhere, hers.address.replace("example.com", "exarnple.com"), "alike")
    assert fetched_for(page, alike, elsewhere) == []
    confirm(house, alike, truly=True)  # even where it truly comes from there
    assert fetched_for(page, alike, elsewhere) == []
    confirm(house, hers, truly=False)  # her own address, written by somebody else
    assert fetched_for(page, hers, elsewhere) == []
    confirm(house, hers, truly=True)

    with closing(sqlite3.connect(house.data / "concierge.db")) as database:
        [(customer,)] = database.execute(
            "SELECT customer_id FROM customer_address WHERE address = ?", (hers.address,)
        ).fetchall()
    page.goto(f"/customers/{customer}")
    page.get_by_role("button", name="Ask each time again").click()
    assert fetched_for(page, hers, elsewhere) == []
