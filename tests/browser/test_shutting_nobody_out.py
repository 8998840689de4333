"""Every page of the house under axe: wide and on a phone, light and dark, English and Italian; none is forgotten."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from unittest.mock import patch
from urllib.parse import urljoin, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from itsdangerous import TimestampSigner
from playwright.sync_api import BrowserContext, Page, expect
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from concierge.app import create_app
from concierge.config import Config, read_config
from concierge.db import make_sessions
from concierge.followups.plan_links import decline_link
from concierge.wishes import links
from concierge.wishes.models import Wish, WishRequest
from concierge.wishes.offer_models import Offer
from tests.browser.conftest import SignIn
from tests.browser.looking import COLOURS, PHONE, WIDE, Screen, faults
from tests.browser.steps import editor_of, password_link
from tests.houses import RunningHouse

# Each width, each light, each language. Structure doesn't change with the light or the width, nor colours with the
# width or the language, and what is said in Italian may be longer: so no page is looked at eight times.
ENGLISH = [Screen(WIDE, "light"), Screen(PHONE, "dark", [*COLOURS, "target-size"])]
ITALIAN = [Screen(WIDE, "dark", []), Screen(PHONE, "light", [])]

# Addresses one can GET that are no page, each for a reason.
NO_PAGE = {
    "static": "styles, scripts, fonts",
    "security.static": "Flask-Security's own scripts",
    "accounts.photo": "a picture",
    "catalogue.picture": "a picture",
    "drafts.picture": "a picture",
    "mails.picture": "a picture",
    "mails.attachment": "a file to save",
    "mails.raw": "a file to save",
    "drafts.download": "a file to save",
    "inbound.raw": "a file to save",
    "post_office.file": "a file to save",
    "mails.body": "a customer's own mail, in a frame",
    "draft_pages.mail": "the letter, in a frame; its page is the preview",
    "desk.letter": "the letter, in a frame; its page is desk.mail",
    "post_office.page": "the letter, in a frame; its page is the post office",
    "live.live": "events",
    "operations.banner": "a piece of every page",
    "days.ribbon": "a piece of every page of a demo that is ahead",
    "machines.healthz": "for machines",
    "machines.readyz": "for machines",
    "machines.metrics": "for machines",
    "public.script": "a script",
    "public.texts": "JSON",
    "api_v1.hold": "JSON",
    "api_v1.openapi": "JSON",
    "api_v1.variant": "JSON",
    "report_files.board": "a file to save",
    "report_files.wishes": "a file to save",
    "report_files.pieces": "a file to save",
    "report_files.offers": "a file to save",
    "report_files.came_back": "a file to save",
    "report_files.demand": "a file to save",
    "report_files.chances": "a file to save",
    "report_files.curve": "a file to save",
    "report_files.times": "a file to save",
    "report_files.waves": "a file to save",
    "report_files.reorder": "a file to save",
    "catalogue.pick": "a piece of the composer; the dialogs are looked at below",
    "drafts.presence": "a piece of the composer",
    "draft_pages.fate": "the words that pass when an answer has left",
    "followups.refresh_list": "a piece of the conversation",
    "followups.say_when": "a piece of the form",
    "template_preview.list_customers": "a piece of the template's page",
    "template_preview.list_products": "a piece of the template's page",
    "conversations.refresh": "a piece of the inbox",
    "conversations.refresh_list": "a piece of the inbox",
}
# Looked at by a stranger: before signing in, and a customer's own pages, which tell him only that his link is no good.
A_STRANGERS = {
    "security.login",
    "security.forgot_password",
    "security.reset_password",
    "public.request_page",
    "public.noted_page",
    "public.her_wishes",
    "public.offer_page",
    "public.unsubscribe_page",
    "public.decline_page",
}
ASKED = {"product": "CAL-TUR", "sku": "CAL-TUR-36", "language": "en", "consent": "en.1", "email": "zoe@example.com"}
# Looked at when the house has one of them: a demo house opens without. To a colleague's days away only an admin is led.
IF_THERE = {"absences.show", "reports.restock", "reports.wave", "stock.show_import", "desk.mail", "desk.pieces"}
# The same page in other states.
STATES = [
    "/?folder=open&order=newest",
    "/?folder=not-for-us",
    "/?q=sandals",
    "/?q=zzzz",
    "/catalogue?q=zzzz",
    "/nowhere",
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The house's map: the same wiring as the one that runs, without anybody in it."""
    return create_app(read_config(data=tmp_path_factory.mktemp("map"), demo=True))


@dataclass
class Walk:
    """One visitor's way through the house: first every page that has a plain address, then one page of each kind."""

    app: Flask
    page: Page
    seen: set[str] = field(default_factory=set)
    values: dict[str, object] = field(default_factory=dict)

    def pages(self) -> Iterator[str]:
        """The addresses to open, each kind of page once; what the open page links to is taken up on the way."""
        waiting = [rule for rule in self.app.url_map.iter_rules() if self._is_page(rule)]
        while ready := next((rule for rule in waiting if rule.arguments <= self.values.keys()), None):
            waiting.remove(ready)
            self.seen.add(ready.endpoint)
            yield self.app.url_map.bind("house").build(
                ready.endpoint, {name: self.values[name] for name in ready.arguments}
            )
            self._take_up_links()

    def _is_page(self, rule: Rule) -> bool:
        return "GET" in (rule.methods or ()) and rule.endpoint not in NO_PAGE.keys() | A_STRANGERS

    def _take_up_links(self) -> None:
        links = self.page.locator("main a[href]").evaluate_all("all => all.map(link => link.getAttribute('href'))")
        for link in links:
            try:
                _endpoint, values = self.app.url_map.bind("house").match(urlsplit(urljoin(self.page.url, link)).path)
            except HTTPException:
                continue
            self.values = dict(values) | self.values


@pytest.fixture
def reader(new_context: Callable[..., BrowserContext], sign_in: SignIn) -> Callable[[str], Page]:
    """`reader("omar")`: a page of his, in which nothing moves."""
    return lambda first_name: sign_in(new_context(reduced_motion="reduce").new_page(), first_name)


@pytest.mark.parametrize(("first_name", "screens"), [("omar", ENGLISH), ("chiara", ITALIAN)])
def test_every_page_is_open_to_everybody(app: Flask, reader, first_name: str, screens: list[Screen]):
    page = reader(first_name)
    walk, found = Walk(app, page), []
    for address in chain(walk.pages(), STATES):
        page.goto(address)
        found += faults(page, screens)
    assert not found, "\n".join(found)
    there = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert there - walk.seen - IF_THERE == NO_PAGE.keys() | A_STRANGERS, "nothing leads there, or an excuse too many"


def test_a_strangers_pages_are_open_to_everybody(app: Flask, new_context, house: RunningHouse):
    page = new_context(reduced_motion="reduce").new_page()
    page.goto("/reset")
    found = faults(page, ENGLISH)
    page.locator("input[name=email]").fill("omar@maison-solenne.example")
    page.locator("main button[type=submit]").click()
    link = password_link(house, "omar@maison-solenne.example")
    no_good = [rule.rule.replace("<token>", "x") for rule in app.url_map.iter_rules() if rule.endpoint in A_STRANGERS]
    for address in ("/sign-in", link, "/nowhere", *(path for path in no_good if path.endswith("/x"))):
        page.goto(address)
        found += faults(page, ENGLISH)
    assert not found, "\n".join(found)


def test_a_customers_own_pages_are_open_to_everybody(new_context, house: RunningHouse):
    page = new_context(reduced_motion="reduce").new_page()
    page.request.post("/wishes/requests", form=ASKED)
    config = read_config(data=house.data, port=house.port)
    found, seen = [], 0
    for number, address in enumerate(her_links(config)):
        answer = page.goto(address)
        assert answer is not None and answer.ok, address
        found += faults(page, ENGLISH if number % 2 else ITALIAN + ENGLISH[:1])
        seen += 1
    assert seen >= 12, "the demo has lost one of her pages"
    page.get_by_role("button").first.click()  # what her yes is answered with
    found += faults(page, ENGLISH)
    assert not found, "\n".join(found)


def her_links(config: Config) -> list[str]:
    """The signed links of the demo's own rows: wishes in both languages, an offer in every state, the way out, an old
    link, a noted wish, and last the first mail's."""
    sessions = make_sessions(config)
    with sessions() as session:
        waiting = [
            session.scalars(sa.select(Wish).where(Wish.state == "waiting", Wish.language == language)).first()
            for language in ("en", "it")
        ]
        states = session.execute(
            sa.select(Offer.state, Offer.ended_because, sa.func.max(Offer.id)).group_by(
                Offer.state, Offer.ended_because
            )
        )
        offers = [offer for _state, _because, offer in states]
        request = session.scalars(sa.select(WishRequest).order_by(WishRequest.id.desc())).first()
    sessions.kw["bind"].dispose()
    of = [each.customer_id for each in waiting]
    with patch.object(TimestampSigner, "get_timestamp", lambda signer: 1_600_000_000):
        old = links.wishes_link(config, of[0])
    return [
        *links.wishes_links(config, of), *links.unsubscribe_links(config, of), *links.offer_links(config, offers), old,
        *(decline_link(config, each) for each in of),
        links.confirm_link(config, waiting[0].id), links.request_link(config, request.id),
    ]  # fmt: skip


def test_a_conversation_and_its_dialogs_are_open_to_everybody(reader):
    page = reader("nadia")
    page.goto("/?folder=open&order=newest")
    page.locator("#list a.row").first.click()
    expect(editor_of(page)).to_be_visible()
    found = faults(page, ENGLISH)
    for key, dialog, filled in (
        ("t", "#templates", "[data-option]"),
        ("p", "#products", "[data-option]"),
        ("?", "#keys", "kbd"),
    ):
        page.set_viewport_size(WIDE)
        page.locator(".conversation__subject").click()
        page.keyboard.press(key)
        expect(page.locator(dialog).locator(filled).first).to_be_visible()
        found += faults(page, [*ENGLISH, *ITALIAN], dialog)
        page.keyboard.press("Escape")
        expect(page.locator(dialog)).not_to_be_visible()
    page.set_viewport_size(WIDE)
    page.keyboard.press("Control+Shift+Enter")
    expect(page.locator("#answer-phrase-said")).to_contain_text("her time")
    found += faults(page, ENGLISH, "#composer .menu__panel")
    assert not found, "\n".join(found)


def test_a_page_that_shuts_somebody_out_is_told(page: Page):  # the control
    page.set_content(
        """<html lang=en><title>Bad</title>
        <style>@media (prefers-color-scheme: dark) { p { color: #222; background: #111 } }</style>
        <main><h1>Bad</h1><input><p>You can't read this in the dark.</p><div style="width: 900px">wide</div>
        <details class=menu style="margin-left: 300px"><summary>More</summary>
        <div class=menu__panel style="width: 200px">much more</div></details></main>"""
    )
    told = "\n".join(faults(page, ENGLISH))
    for fault in ("1440 px, light: label:", "390 px, dark: color-contrast:", "390 px, dark: 9", "menu cut off"):
        assert fault in told
    assert "light: color-contrast" not in told
