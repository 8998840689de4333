"""Mail by Mallory, through the door and opened in the real page: it runs nothing, fetches nothing, covers nothing."""

import shutil
import smtplib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Frame, Locator, Page, expect
from werkzeug.serving import make_server

from concierge.app import create_app
from concierge.config import read_config
from concierge.conversations import display
from concierge.extensions import db
from tests.browser.conftest import PATIENCE
from tests.browser.hostile import OVERLAYS, PICTURES, SAY, SCRIPTS, fetching
from tests.browser.more_hostile import LAID_OVER, MORE
from tests.browser.steps import SOON, Letter, open_new, post, row
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


@contextmanager
def running(server: Elsewhere) -> Iterator[Elsewhere]:
    """The same while it answers."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """Mallory's server."""
    with running(Elsewhere()) as server:
        yield server


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


def send_html(
    house, html: str, subject: str, *files: tuple[bytes, str, str], text: str = "The text of it.", **given: str
) -> Letter:
    letter = Letter(subject, "Mallory", text, **given)
    message = letter.as_message()
    message.add_alternative(html, subtype="html")
    for data, kind, name in files:
        message.add_attachment(data, *kind.split("/"), filename=name)
    post(house, message)
    return letter


@dataclass
class Window:
    """Frames like the one in which a mail stands, on the page of a conversation; what comes of each mail in them."""

    page: Page
    house: str
    filed: dict[str, int]
    asked: list[tuple[str, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def faults(self, numbers: Sequence[int]) -> dict[int, list[str]]:
        """Open these mails: what of each runs, leads to something that runs, or has left its place."""
        found: dict[int, list[str]] = {}
        for start in range(0, len(numbers), 40):
            some = numbers[start : start + 40]
            bodies = {number: f"/messages/{self.filed[_id_of(number)]}/body" for number in some}
            self.page.evaluate(_OPEN, list(bodies.values()))
            frames = {each.url.removeprefix(self.house): each for each in self.page.frames}
            found |= {number: self._of(number, body, frames) for number, body in bodies.items()}
        found[0] = [each for each in self.said if "it ran" in each or "Content Security Policy" in each]
        return found

    def _of(self, number: int, body: str, frames: dict[str, Frame]) -> list[str]:
        if body not in frames:
            return [f"led its frame away; there are {sorted(frames)}"]
        words, *faults = frames[body].evaluate(_FAULTS, _NEVER)
        assert words.startswith(f"Mail {number} begins."), f"mail {number} does not stand in its frame: {words!r}"
        asked = [url for place, url in self.asked if place == self.house + body and url != place]
        return faults + [f"asks for {each}" for each in asked]


@pytest.fixture
def open_window(sign_in, hostile) -> Callable[[Page, str], Window]:
    """`open_window(page, house.url)`: the conversation of the hostile mails' first, and more frames like its own."""
    letter, filed = hostile

    def opened(page: Page, house: str) -> Window:
        sign_in(page, "nadia")
        page.goto(f"{house}/?folder=unassigned&order=newest")
        row(page, letter.subject).click(timeout=SOON)
        expect(page.frame_locator(".mail-frame").locator("body")).to_contain_text("see the frame:")
        window = Window(page, house, filed)
        page.on("request", lambda asked: window.asked.append((asked.frame.url, asked.url)))
        page.on("console", lambda message: window.said.append(message.text))
        page.on("dialog", lambda dialog: window.said.append("it ran"))
        return window

    return opened


@pytest.fixture(scope="module")
def hostile(house) -> tuple[Letter, dict[str, int]]:
    """A mail for each of them, through the door, and a first one that is shown in a frame; the number of each."""
    letter = Letter("A frame for you", "Mallory")
    table = "<table><tr><td>see the frame:</td><td>here</td></tr></table>"
    with smtplib.SMTP("127.0.0.1", house.smtp_port, timeout=30) as door:
        for number, html in enumerate((table, *PAYLOADS)):
            mail = letter.as_message()
            mail.replace_header("Message-ID", _id_of(number))
            if number:  # all of them in one conversation, apart from the first
                mail.replace_header("Subject", "Please open")
            if number > 1:
                mail["In-Reply-To"] = _id_of(1)
            mail.add_alternative(f"<p>Mail {number} begins.</p>{html}" if number else html, subtype="html")
            door.send_message(mail)
    latest = time.monotonic() + 120
    while len(filed := _filed(house.data)) <= len(PAYLOADS):
        assert time.monotonic() < latest, f"{len(filed)} are filed"
        time.sleep(0.05)
    return letter, filed


def _id_of(number: int) -> str:
    return f"<hostile.{number}@example.com>"


def _filed(data: Path) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{data / 'concierge.db'}?mode=ro", uri=True)) as database:
        query = "SELECT rfc_message_id, id FROM message WHERE rfc_message_id LIKE '%hostile.%@example.com%'"
        return {f"<{ours.strip('<>')}>": number for ours, number in database.execute(query)}


def test_each_mail_by_itself_runs_nothing_and_covers_nothing(bare_page, house, open_window):  # T15, T18
    page, window = bare_page, open_window(bare_page, house.url)
    found = window.faults(range(1, len(PAYLOADS) + 1))
    assert {number: faults for number, faults in found.items() if faults} == {}
    assert len(found) == len(PAYLOADS) + 1
    assert is_on_top(page, page.get_by_role("link", name="The mail as it came").first)
    # Even had something run, it would be nobody there: its own origin, without our cookies, out of reach of our page.
    assert page.frames[-1].evaluate("self.origin") == "null"
    assert page.evaluate("window.said") is None
    assert page.title() != "it ran"
    assert told_of(house) <= {("mails.body", "img-src", "pictures.example")}


@pytest.fixture
def unguarded(house, tmp_path) -> Iterator[str]:
    """The same house over a copy of its data, served from this very process, so that its cleaning can be changed."""
    data = tmp_path / "copy"
    shutil.copytree(house.data, data, ignore=shutil.ignore_patterns("concierge.db*", "*.lock"))
    with closing(sqlite3.connect(house.data / "concierge.db")) as ours, closing(_sqlite(data)) as copy:
        ours.backup(copy)
    app = create_app(read_config(data=data, demo=True))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    with app.app_context():
        db.engine.dispose()


def _sqlite(data: Path) -> sqlite3.Connection:
    return sqlite3.connect(data / "concierge.db")


@pytest.fixture
def bare_page(chromium) -> Iterator[Page]:
    """A page in a browser of its own that is not filmed: a picture of so many frames at each step takes long."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def test_a_cleaning_that_lets_a_mail_leave_its_place_is_seen(bare_page, unguarded, open_window, monkeypatch):
    """Negative control: with these properties let through, what lies over the page is found."""
    monkeypatch.setattr(display, "_STYLES", display._STYLES | {"position", "inset", "top", "left", "z-index"})
    window = open_window(bare_page, unguarded)
    laid_over = [number for number, payload in enumerate(PAYLOADS, 1) if payload in ALL_OVERLAYS]
    found = window.faults(laid_over)
    assert sum("p: position: fixed" in faults or "div: position: fixed" in faults for faults in found.values()) > 4
    assert sum(bool(faults) for faults in found.values()) > 12, found


def test_without_any_cleaning_nearly_every_mail_is_seen(bare_page, unguarded, open_window, monkeypatch):
    """Negative control: the look into the frames notices what is in each, unless a browser makes nothing of it."""
    monkeypatch.setattr(display, "clean", lambda html, **_given: display.Shown(html, 0))
    found = open_window(bare_page, unguarded).faults(range(1, len(PAYLOADS) + 1))
    unseen = [PAYLOADS[number - 1] for number, faults in found.items() if number and not faults]
    assert len(unseen) < len(PAYLOADS) // 10, unseen


@pytest.mark.usefixtures("nothing_is_tried")
def test_as_words_a_mail_is_nothing_but_words(page: Page, new_context, sign_in, house):  # T15, T18
    # The control: in a page without our walls the very same mail does run.
    bare = new_context().new_page()
    bare.set_content("".join(SCRIPTS[:3]))
    expect(bare).to_have_title("it ran")
    bare.close()

    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    html = "<table><tr><td>Dear house,</td><td>in a frame</td></tr></table>"
    letter = send_html(house, html, "In words", text="Dear house, in words\n\n" + "\n".join(PAYLOADS))
    sign_in(page, "nadia")
    open_new(page, letter)
    page.get_by_role("link", name="Words only").click()
    words = page.locator(".message__body .message__text").last
    expect(words).to_contain_text("Dear house, in words")
    expect(words).to_contain_text("<script>")
    assert words.locator(f"{_NEVER}, img, style, a:not([href^='http'])").count() == 0
    assert is_on_top(page, page.get_by_role("link", name="The mail as it came"))
    assert page.evaluate("window.said") is None
    assert "it ran" not in said
    assert page.title() != "it ran"


ALL_OVERLAYS = (*OVERLAYS, *LAID_OVER)
PAYLOADS = (*SCRIPTS, *MORE, *ALL_OVERLAYS)
_NEVER = (
    "script, iframe, frame, object, embed, form, input, textarea, select, button, dialog, template, svg, math, link,"
    " meta[http-equiv], base, [popover], [contenteditable]"
)
# More frames like the one of the mail, once each of them has loaded; those from before are taken away.
_OPEN = """addresses => Promise.all(addresses.map(address => new Promise(done => {
    const [ours, ...before] = document.querySelectorAll(".mail-frame")
    if (address === addresses[0]) before.forEach(each => each.remove())
    const frame = ours.cloneNode()
    frame.loading = "eager"
    frame.onload = done
    frame.src = address
    ours.after(frame)
})))"""
# What it says first; then all that is left of elements nobody needs, of attributes which run something, lead or load
# from elsewhere, and whatever stands elsewhere than where it was written. Our own page around the mail has none of it.
_FAULTS = r"""never => [
    document.body.innerText.trim().slice(0, 40),
    ...[...document.querySelectorAll(never + ", body meta, body style")].map(each => "an element: " + each.localName),
    ...[...document.querySelectorAll("*")].flatMap(each => [...each.attributes])
        .filter(({name, value}) => /^(on|id$)/i.test(name) || (name === "class" && value !== "text")
            || /^[\s\x00-\x20]*(javascript|vbscript|data:text)/i.test(value)
            || (name === "style" && /\\|(url|image|fade|attr|var|expression)\(|behavior|binding/i.test(value)))
        .map(each => "an attribute: " + each.name),
    ...[...document.querySelectorAll("a[href], area[href]")].map(each => each.protocol)
        .filter(each => !["http:", "https:", "mailto:", "tel:"].includes(each)).map(each => "a link: " + each),
    ...[...document.body.querySelectorAll("*"), document.body].flatMap(each => {
        const style = getComputedStyle(each)
        const usual = {position: "static", zIndex: "auto", transform: "none", translate: "none", opacity: "1",
            filter: "none", mixBlendMode: "normal", clipPath: "none", pointerEvents: "auto", animationName: "none",
            offsetPath: "none", perspective: "none", viewTransitionName: "none"}
        return Object.entries(usual).filter(([name, value]) => style[name] !== value)
            .map(([name]) => each.localName + ": " + name + ": " + style[name])
    }),
]"""


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
