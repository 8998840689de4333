"""The wish form on a shop of another origin that allows it no more than it must: no inline style, no cookie."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import expect

from tests.browser.looking import axe, sideways
from tests.browser.steps import SOON, mails_to

PAGE = """<!doctype html><html lang="it"><title>Sandali</title><body><main><h1>Sandali Calanque</h1>
<wish-form product="CAL-TUR" size="36"><a href="{house}/wish-form/CAL-TUR">Avvisatemi</a></wish-form></main>
<script src="{house}/wish-form.js" async></script></body></html>"""


@contextmanager
def strict_shop(house_url: str) -> Iterator[str]:
    """A shop at an origin of its own, whose pages may load and call the house and nothing else; its address."""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            allowed = f"default-src 'none'; script-src {house_url}; connect-src {house_url}; base-uri 'none'"
            self.send_header("Content-Security-Policy", allowed)
            self.end_headers()
            self.wfile.write(PAGE.format(house=house_url).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/sandals"
    server.shutdown()


def test_a_strict_shop_embeds_the_form_and_she_says_yes(house, new_context, sign_in):
    address = f"lucia.{uuid.uuid4().hex[:8]}@example.com"
    hers = new_context(viewport={"width": 390, "height": 800})
    page = hers.new_page()
    with strict_shop(house.url) as shop:
        page.goto(shop)
        email = page.get_by_label("E-mail")
        expect(page.get_by_label("EU 36", exact=True)).to_be_checked(timeout=SOON)
        assert not axe(page)
        assert not sideways(page)
        email.focus()
        page.keyboard.type(address)
        page.keyboard.press("Enter")
        said = page.get_by_role("status")
        expect(said).to_be_focused(timeout=SOON)
        assert not hers.cookies()
    staff = sign_in(new_context().new_page())
    expect(mails_to(staff, address)).to_have_count(1, timeout=SOON)
    mails_to(staff, address).first.click()
    link = staff.frame_locator("iframe.mail-frame").locator("a[href*='/wish-request/']").first.get_attribute("href")
    page.goto(link)
    assert not axe(page)
    page.get_by_role("button").click()
    expect(page.locator(".wish")).to_have_count(1)
    page.locator("details.more > summary").first.click()
    assert not axe(page)
    assert not sideways(page)
    assert not hers.cookies()
