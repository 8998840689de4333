"""Mail by Mallory, through the door and opened in the real page: it runs nothing, fetches nothing, covers nothing."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.hostile import OVERLAYS, PICTURES, SAY, SCRIPTS, fetching
from tests.browser.steps import Letter, open_new, post
from tests.mailing.samples import BLOBS


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


@pytest.fixture
def nothing_is_tried(page: Page, chromium, house, sign_in) -> Iterator[None]:
    """In the end browsers have told of nothing our policy had to stop: the first wall leaves the second no work.

    The control comes last, in a browser of its own: a picture put into the very page of the mail is stopped, and told.
    """
    shown: list[str] = []
    page.on("framenavigated", lambda frame: shown.append(frame.url) if "/body" in frame.url else None)
    yield
    context = chromium.new_context(base_url=house.url)
    bare = sign_in(context.new_page(), "nadia")
    bare.goto(shown[-1].partition("?")[0])
    bare.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://pictures.example/seen?by=her'}))")
    latest = time.monotonic() + 20
    while not (told := told_of(house)):
        assert time.monotonic() < latest, "what was stopped was not told"
        bare.wait_for_timeout(20)
    context.close()
    assert told == {("mails.body", "img-src", "pictures.example")}


def told_of(house) -> set[tuple[str, str, str]]:
    """What browsers kept pages of this house from doing so far."""
    with closing(sqlite3.connect(f"file:{house.data / 'concierge.db'}?mode=ro", uri=True)) as database:
        return set(database.execute("SELECT page, directive, blocked FROM breach"))


def send_html(house, html: str, subject: str, *files: tuple[bytes, str, str], text: str = "The text of it.") -> Letter:
    letter = Letter(subject, "Mallory", text)
    message = letter.as_message()
    message.add_alternative(html, subtype="html")
    for data, kind, name in files:
        message.add_attachment(data, *kind.split("/"), filename=name)
    post(house, message)
    return letter


@pytest.mark.usefixtures("nothing_is_tried")
def test_no_script_in_a_mail_runs_and_none_lies_over_our_page(page: Page, new_context, sign_in, house):  # T15, T18
    # The control: in a page without our walls the very same mail does run.
    bare = new_context().new_page()
    bare.set_content("".join(SCRIPTS[:3]))
    expect(bare).to_have_title("it ran")
    bare.close()

    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append("it ran"))
    # each in a place of its own: one that swallows what follows would hide it
    html = "<p>Dear house,</p>" + "".join(f"<div>{each}</div></title></style></xmp>" for each in (*SCRIPTS, *OVERLAYS))
    letter = send_html(house, html, "Please open", text="Dear house, in words\n\n" + "\n".join((*SCRIPTS, *OVERLAYS)))
    sign_in(page, "nadia")
    open_new(page, letter)
    frame = page.frame_locator(".mail-frame")
    expect(frame.locator("body")).to_contain_text("Dear house,")
    for words in ("Click me", "Stroke me"):
        frame.get_by_text(words, exact=True).click()
    expect(frame.locator(_NEVER)).to_have_count(0)
    inside = next(each for each in page.frames if "/body" in each.url)
    assert inside.evaluate("getComputedStyle(document.body).position") == "static"
    assert inside.locator("[style*=fixed], [style*=z-index], [style*=sticky], [style*=absolute]").count() == 0
    assert inside.evaluate(_HANDLERS) == []
    assert is_on_top(page, page.get_by_role("link", name="The mail as it came"))
    # Even had something run, it would be nobody there: its own origin, without our cookies, out of reach of our page.
    assert inside.evaluate("self.origin") == "null"

    # the same as words: nothing of it is anything but words
    page.get_by_role("link", name="Words only").click()
    words = page.locator(".message__body .message__text").last
    expect(words).to_contain_text("Dear house, in words")
    expect(words).to_contain_text("<script>")
    assert words.locator(f"{_NEVER}, img, style, a:not([href^='http'])").count() == 0
    assert is_on_top(page, page.get_by_role("link", name="The mail as it came"))
    assert page.evaluate("window.said") is None
    assert "it ran" not in said
    assert page.title() != "it ran"


_NEVER = (
    "script, iframe, frame, object, embed, form, input, textarea, select, button, dialog, template, svg, math, link,"
    " meta[http-equiv], base, [popover], [contenteditable]"
)
# All that is left of attributes which run something, or lead to it.
_HANDLERS = """[...document.querySelectorAll("*")].flatMap(each => [...each.attributes])
    .filter(each => /^on/i.test(each.name) || /^[\\s\\x00-\\x20]*(javascript|vbscript|data:text)/i.test(each.value))
    .map(each => each.name + "=" + each.value)"""


def is_on_top(page: Page, ours: Locator) -> bool:
    """Whether whoever clicks there clicks on it, and on nothing that lies above."""
    ours.scroll_into_view_if_needed()
    on_top = (
        "each => { const box = each.getBoundingClientRect();"
        " return each.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)) }"
    )
    return bool(ours.evaluate(on_top))


@pytest.mark.usefixtures("nothing_is_tried")
def test_nothing_is_fetched_before_it_is_asked_for(page: Page, new_context, sign_in, house, elsewhere):  # T17
    bare = new_context().new_page()
    bare.set_content(fetching(elsewhere.url))
    bare.wait_for_load_state("networkidle")
    assert {"/picture", "/style", "/link-stylesheet", "/import", "/escaped"} <= set(elsewhere.asked)
    assert len(set(elsewhere.asked)) > 25, "most of these ways do lead out of a page without our walls"
    bare.close()
    elsewhere.asked.clear()

    letter = send_html(house, fetching(elsewhere.url), "A picture for you")
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
    assert set(elsewhere.asked) <= PICTURES, elsewhere.asked


def test_files_are_saved_and_never_shown_in_our_house(page: Page, sign_in, house):  # T19
    data = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{SAY}"><script>{SAY}</script></svg>'.encode()
    files = {
        "invoice.html": "text/html",
        "logo.svg": "image/svg+xml",
        "feed.xml": "text/xml",
        "page.xhtml": "application/xhtml+xml",
        "old.mhtml": "multipart/related",
        "run.js": "text/javascript",
    }
    attached = [(data, kind, name) for name, kind in files.items() if not kind.startswith("multipart")]
    letter = send_html(house, "<p>Here it is.</p>", "Your files", *attached, (data, "image/png", "old.mhtml"))
    sign_in(page, "nadia")
    open_new(page, letter)
    for name in files:
        link = page.locator(".message__files").get_by_role("link", name=name)
        with page.expect_download() as saved:
            link.click()
        assert saved.value.suggested_filename == name
        assert saved.value.path().read_bytes() == data
        answer = page.request.get(link.get_attribute("href") or "")
        assert answer.headers["content-disposition"].startswith("attachment")
        shown_as = answer.headers["content-type"].split(";")[0]
        assert shown_as in {"application/octet-stream", "image/png"}, (
            name
        )  # what is said to be a picture is still saved
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
    with page.expect_download() as raw:
        page.get_by_role("link", name="The mail as it came").click()
    assert raw.value.suggested_filename.endswith(".eml")
    assert page.title() != "it ran"
