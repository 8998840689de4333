"""What people do in the house, step by step, so that a story reads like one."""

import email
import email.policy
import re
import smtplib
import time
import uuid
from dataclasses import dataclass, field
from email.message import EmailMessage

from playwright.sync_api import Locator, Page, expect

from tests.houses import RunningHouse

CARE = "care@maison-solenne.example"
SHOPIFY_SECRET = "what the shop and the house of the stories both know"
# A mail is filed within a second and shown within two; a busy test machine is given more.
SOON = 20_000
# The ten seconds in which an answer can be called back, and the way into the outbox.
GONE = 30_000


@dataclass(frozen=True)
class Letter:
    """A mail by a customer of a test's own, in words nobody else in the house uses."""

    subject: str
    name: str = "Barbara Weiss"
    text: str = "Do you have the Calanque sandals in 36?"
    address: str = field(default_factory=lambda: f"barbara.{uuid.uuid4().hex[:8]}@example.com")

    def as_message(self) -> EmailMessage:
        """The same as her mail program makes it."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = f"{self.name} <{self.address}>", CARE, self.subject
        message["Message-ID"] = f"<{uuid.uuid4().hex}@example.com>"
        message.set_content(self.text)
        return message


def post(house: RunningHouse, message: EmailMessage, *recipients: str) -> str:
    """Hand a mail to the house's door as any mail program does; its Message-ID."""
    with smtplib.SMTP("127.0.0.1", house.smtp_port, timeout=10) as door:
        door.send_message(message, to_addrs=recipients or [CARE])
    return str(message["Message-ID"])


def write(house: RunningHouse, subject: str, text: str = Letter.text, name: str = Letter.name) -> Letter:
    """Somebody new writes to the house."""
    letter = Letter(subject, name, text)
    post(house, letter.as_message())
    return letter


def row(page: Page, words: str) -> Locator:
    """The conversation in the list that says `words`."""
    return page.locator("#list a.row").filter(has_text=words)


def open_folder(page: Page, folder: str, words: str) -> None:
    """Open a conversation from a folder's list, newest first; it may still be on its way."""
    page.goto(f"/?folder={folder}&order=newest")
    row(page, words).click(timeout=SOON)
    expect(page.locator(".conversation__subject")).to_contain_text(words)


def open_new(page: Page, letter: Letter) -> None:
    """Open what somebody new has written."""
    open_folder(page, "unassigned", letter.subject)


_TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def editor_of(page: Page) -> Locator:
    """The place where an answer is written, once it is there."""
    return page.locator("#draft trix-editor")


def answer(page: Page, words: str) -> None:
    """Write an answer and wait until the house has it."""
    editor_of(page).click()
    page.evaluate(_TWO_FRAMES)  # nobody types within the same frame as the click
    page.keyboard.press("Control+Home")
    page.keyboard.type(words)
    expect(editor_of(page)).to_contain_text(words)
    expect(page.locator("[data-autosave-status]")).to_have_text("Saved")


def send(page: Page) -> None:
    """Press Send."""
    page.locator("#composer .button--send[type=submit]").click()


def leaving(page: Page) -> Locator:
    """What stands in the composer's place while an answer can still be called back."""
    return page.locator(".composer--leaving")


def sent(page: Page) -> Locator:
    """The answers in the conversation that is open."""
    return page.locator("#messages .message--out")


def mails_to(page: Page, address: str) -> Locator:
    """Every mail that has left the house for `address`, in its mailbox in the post office."""
    page.goto(f"/post-office/of/{address}")
    return page.locator(".pane--list a.row")


def conversation_id(page: Page) -> int:
    """Which conversation the page shows."""
    found = re.search(r"/conversations/(\d+)", page.url)
    assert found, page.url
    return int(found[1])


def cannot_be_pushed_sideways(page: Page) -> None:
    """Nothing stands out of the page to the right."""
    wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1], f"{wide[0]} px wide in a window of {wide[1]} px: {page.url}"


def password_link(house: RunningHouse, address: str) -> str:
    """Where a colleague who has forgotten her password is led by the letter she gets."""
    until = time.monotonic() + GONE / 1000
    while time.monotonic() < until:
        for file in (house.data / "outbox").glob("*.eml"):
            mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            text = mail.get_body(("plain",)) if address in str(mail["To"]) else None
            if text and (found := re.search(r"https?://\S+/reset/\S+", text.get_content())):
                return found[0]
        time.sleep(0.1)
    raise AssertionError(f"no letter for {address}")
