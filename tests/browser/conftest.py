"""A real house and a real Chromium: `house`, `page`, `sign_in`; a picture and a trace of whatever fails."""

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, StorageState, expect, sync_playwright

from tests.browser.steps import SHOPIFY_SECRET
from tests.houses import ROOT, RunningHouse, furnished, open_house

DEMO_PASSWORD = "turquoise"
# A busy machine is waited for; what is already so costs no wait.
PATIENCE = 20_000
expect.set_options(timeout=PATIENCE)
RESULTS = ROOT / "test-results"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Chromium's own errands (updates, crash reports, safe browsing) have no place in a test.
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-crash-reporter",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--disable-dev-shm-usage",
)

SignIn = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Let the fixtures know, when they take things down, whether the test failed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def furnish(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """`furnish()`: the data of a demo house nobody has opened yet, another one each time."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    return lambda: furnished(shared, tmp_path_factory.mktemp("house") / "data")


@pytest.fixture(scope="session")
def house(furnish: Callable[[], Path]) -> Iterator[RunningHouse]:
    """The demo house as `make run` gives it, on ports of its own, with a key for a Shopify shop; one for all tests of a
    process.
    """
    with open_house(furnish(), shopify_secret=SHOPIFY_SECRET) as opened:
        yield opened


@pytest.fixture(scope="session")
def playwright_started() -> Iterator[Playwright]:
    """Playwright, once a process."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright_started: Playwright) -> Iterator[Browser]:
    """The machine's Chromium, else Playwright's own."""
    found = next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else [*FLAGS]
    browser = playwright_started.chromium.launch(executable_path=found, args=flags)
    yield browser
    browser.close()


@pytest.fixture
def new_context(
    chromium: Browser, house: RunningHouse, request: pytest.FixtureRequest
) -> Iterator[Callable[..., BrowserContext]]:
    """Opens a browser of its own for one person: `new_context(viewport=…, java_script_enabled=False, locale="it")`.

    An uncaught error in a script, or anything the page's own policy had to stop, fails the test in the end. Of a test
    that failed the house's own words are shown too. The trace has every page as it stood, but no film of it: filming
    makes every step a quarter slower.
    """
    opened: list[BrowserContext] = []
    faults: list[str] = []
    said_before = len(house.said)

    def open_context(**options: object) -> BrowserContext:
        settings = {"base_url": house.url, "locale": "en-GB", "viewport": {"width": 1440, "height": 900}} | options
        context = chromium.new_context(**settings)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        context.tracing.start(snapshots=True)
        context.on("weberror", lambda fault: faults.append(str(fault.error)))
        context.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        opened.append(context)
        return context

    yield open_context
    failed = request.node.stash.get(FAILED, True)
    if failed:
        sys.stderr.write("".join(house.said[said_before:]))
    name = re.sub(r"[^\w.-]+", "-", request.node.nodeid.rpartition("/")[2])
    for number, context in enumerate(opened):
        if failed:
            for at, page in enumerate(context.pages):
                page.screenshot(path=RESULTS / f"{name}-{number}-{at}.png", full_page=True)
        context.tracing.stop(path=RESULTS / f"{name}-{number}.zip" if failed else None)
        context.close()
    assert not faults


@pytest.fixture
def context(new_context: Callable[..., BrowserContext]) -> BrowserContext:
    """One person's browser on a wide screen."""
    return new_context()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """One page in it, nobody signed in yet."""
    return context.new_page()


@pytest.fixture(scope="session")
def signed_in(playwright_started: Playwright, house: RunningHouse) -> Callable[[str], StorageState]:
    """What a browser keeps of an editor who has signed in; she comes through the door once for all tests."""

    @cache
    def walk_in(first_name: str) -> StorageState:
        browser = playwright_started.request.new_context(base_url=house.url)
        token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', browser.get("/sign-in").text())
        assert token
        form = {"csrf_token": token[1], "email": f"{first_name}@maison-solenne.example", "password": DEMO_PASSWORD}
        answer = browser.post("/sign-in", form=form, headers={"Referer": f"{house.url}/sign-in"})
        assert "/sign-in" not in answer.url, answer.text()
        kept = browser.storage_state()
        browser.dispose()
        return kept

    return walk_in


@pytest.fixture
def sign_in(signed_in: Callable[[str], StorageState]) -> SignIn:
    """`sign_in(page, "nadia")` lets the page's browser in as one of the demo house's editors; go where you like."""

    def be(page: Page, first_name: str = "nadia") -> Page:
        page.context.add_cookies(signed_in(first_name)["cookies"])  # type: ignore[arg-type]
        return page

    return be
