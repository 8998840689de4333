"""A real house and a real Chromium: `house`, `page`, `sign_in`, `axe`; a picture and a trace of whatever fails."""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.houses import ROOT, RunningHouse, open_house

DEMO_PASSWORD = "turquoise"
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
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

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
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """The demo house as `make run` gives it, on ports of its own; one for all tests of a process."""
    with open_house(tmp_path_factory.mktemp("house") / "data") as opened:
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
    that failed the house's own words are shown too.
    """
    opened: list[BrowserContext] = []
    faults: list[str] = []
    said_before = len(house.said)

    def open_context(**options: object) -> BrowserContext:
        settings = {"base_url": house.url, "locale": "en-GB", "viewport": {"width": 1440, "height": 900}} | options
        context = chromium.new_context(**settings)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        context.tracing.start(screenshots=True, snapshots=True)
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


@pytest.fixture
def sign_in(house: RunningHouse) -> SignIn:
    """`sign_in(page, "nadia")` brings one of the demo house's editors to her inbox."""

    def walk_in(page: Page, first_name: str = "nadia", password: str = DEMO_PASSWORD) -> Page:
        page.goto(f"{house.url}/sign-in")
        page.locator("input[name=email]").fill(f"{first_name}@maison-solenne.example")
        page.locator("input[name=password]").fill(password)
        page.locator("main button[type=submit]").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    return walk_in


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """`axe(page)` fails with what shuts people out of the page as it stands: WCAG 2.2 A and AA, and good practice."""

    def look(page: Page) -> None:
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}}).response["violations"]
        told = [
            {"rule": each["id"], "help": each["help"], "where": [node["target"] for node in each["nodes"]][:5]}
            for each in found
        ]
        assert not told, json.dumps(told, indent=1)

    return look
