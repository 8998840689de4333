"""Mail by Mallory, through the door and opened in the real page: it runs nothing, fetches nothing, covers nothing."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import Letter, open_new, post
from tests.mailing.samples import BLOBS

# Each would say so in the title of whatever page it runs in, and to those who look from outside.
SAY = "(top||self).said=1;document.title='it ran';console.log('it ran')"
VECTORS = (
    f"<script>{SAY}</script>",
    f'<img src=x onerror="{SAY}">',
    f'<svg onload="{SAY}"></svg>',
    f'<svg><animate onbegin="{SAY}" attributeName=x dur=1s></animate></svg>',
    f"<svg><script>{SAY}</script></svg>",
    f'<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror={SAY}&gt;">'
    "</table></math>",
    f'<math><annotation-xml encoding="text/html"><img src=x onerror="{SAY}"></annotation-xml></math>',
    f'<details open ontoggle="{SAY}">x</details>',
    f'<iframe srcdoc="<script>{SAY}</script>"></iframe>',
    f'<body onpageshow="{SAY}">',
    f'<video><source onerror="{SAY}"></video>',
    f'<input autofocus onfocus="{SAY}">',
    f'<noscript><p title="</noscript><img src=x onerror={SAY}>"></noscript>',
    f'<a id=link href="javascript:{SAY}">Click me</a>',
    f'<form action="javascript:{SAY}"><button>Click me too</button></form>',
    '<meta http-equiv="refresh" content="0;url=https://example.invalid/">',
    '<base href="https://example.invalid/">',
    '<div style="position:fixed;inset:0;z-index:2147483647;background:#fff">Sign in again: <input></div>',
)


class Elsewhere(ThreadingHTTPServer):
    """A server of Mallory's: it notes who asks, and answers everything with a picture."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Elsewhere

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(len(BLOBS["pixel"])))
        self.end_headers()
        self.wfile.write(BLOBS["pixel"])

    def log_message(self, *args: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """Mallory's server."""
    with Elsewhere() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def tracking(url: str) -> str:
    """Everything a mail may try to make a browser fetch, each under a name of its own."""
    return f"""
        <html><head><link rel=stylesheet href="{url}/sheet"><link rel=prefetch href="{url}/prefetch">
        <style>@import "{url}/import"; p {{ font-family: x }}
        @font-face {{ font-family: x; src: url({url}/font) }}</style></head>
        <body background="{url}/body"><p style="background:url({url}/style)">Dear house,</p>
        <table background="{url}/table"><tr><td>see the picture:</td></tr></table>
        <img alt="A pair of shoes" width=40 height=40 src="{url}/picture"><img srcset="{url}/srcset 1x">
        <picture><source srcset="{url}/source"><img src="{url}/in-picture"></picture>
        <video poster="{url}/poster"></video><audio src="{url}/audio" autoplay></audio>
        <object data="{url}/object"></object>
        <embed src="{url}/embed"><input type=image src="{url}/input"><iframe src="{url}/frame"></iframe>
        <svg><image href="{url}/svg-image"/><use href="{url}/use#a"/></svg></body></html>"""


def send_html(house, html: str, subject: str, *files: tuple[bytes, str, str]) -> Letter:
    letter = Letter(subject, "Mallory", "The text of it.")
    message = letter.as_message()
    message.add_alternative(html, subtype="html")
    for data, kind, name in files:
        message.add_attachment(data, *kind.split("/"), filename=name)
    post(house, message)
    return letter


def test_no_script_in_a_mail_runs(page: Page, new_context, sign_in, house):  # T15, T18
    # The control: in a page without our walls the very same mail does run.
    bare = new_context().new_page()
    bare.set_content("".join(VECTORS[:3]))
    expect(bare).to_have_title("it ran")

    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    letter = send_html(house, "<p>Dear house,</p>" + "".join(VECTORS), "Please open")
    sign_in(page, "nadia")
    open_new(page, letter)
    frame = page.frame_locator(".mail-frame")
    expect(frame.locator("body")).to_contain_text("Dear house,")
    frame.get_by_text("Click me", exact=True).click()
    expect(frame.locator("script, iframe, form, input, svg, math, meta[http-equiv], base")).to_have_count(0)
    inside = next(each for each in page.frames if "/body" in each.url)
    assert inside.evaluate("getComputedStyle(document.body).position") == "static"
    assert inside.locator("[style*=fixed], [style*=z-index]").count() == 0
    assert page.evaluate("window.said") is None
    assert "it ran" not in said
    assert page.title() != "it ran"
    # Even had something run, it would be nobody there: its own origin, without our cookies, out of reach of our page.
    assert inside.evaluate("self.origin") == "null"


def test_nothing_is_fetched_before_it_is_asked_for(page: Page, new_context, sign_in, house, elsewhere):  # T17
    bare = new_context().new_page()
    bare.set_content(tracking(elsewhere.url))
    bare.wait_for_load_state("networkidle")
    assert {"/picture", "/style", "/sheet"} <= set(elsewhere.asked)
    bare.close()
    elsewhere.asked.clear()

    letter = send_html(house, tracking(elsewhere.url), "A picture for you")
    sign_in(page, "nadia")
    open_new(page, letter)
    frame = page.frame_locator(".mail-frame")
    expect(frame.locator("body")).to_contain_text("see the picture:")
    page.wait_for_load_state("load")
    expect(page.get_by_role("link", name="Show the pictures")).to_be_visible()
    assert elsewhere.asked == []

    page.get_by_role("link", name="Show the pictures").click()
    picture = frame.get_by_role("img", name="A pair of shoes")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("picture => picture.naturalWidth") > 0
    assert set(elsewhere.asked) <= {"/picture", "/srcset", "/in-picture"}, elsewhere.asked


@pytest.mark.parametrize(
    ("kind", "name"), [("text/html", "invoice.html"), ("image/svg+xml", "logo.svg"), ("text/xml", "feed.xml")]
)
def test_a_file_is_saved_and_never_shown_in_our_house(kind: str, name: str, page: Page, sign_in, house):  # T19
    data = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{SAY}"><script>{SAY}</script></svg>'.encode()
    letter = send_html(house, "<p>Here it is.</p>", f"Your {name}", (data, kind, name))
    sign_in(page, "nadia")
    open_new(page, letter)
    link = page.locator(".message__files").get_by_role("link", name=name)
    with page.expect_download() as saved:
        link.click()
    assert saved.value.suggested_filename == name
    assert saved.value.path().read_bytes() == data
    answer = page.request.get(link.get_attribute("href") or "")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"].startswith("application/octet-stream")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
