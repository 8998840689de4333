"""From "sold out in your size" to the pair in her hands: two who wish, one pair that comes back, and who has it."""

import base64
import hashlib
import hmac
import json
import re
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import GONE, SHOPIFY_SECRET, SOON, Letter, mails_to, open_new, post, write
from tests.houses import RunningHouse

SKU = "CAL-TUR-35.5"
ASKED = (
    "I fell in love with the turquoise Calanque sandals, but 35½ is sold out. Please tell me when a pair comes back!"
)


@dataclass
class Shop:
    """The shop's own system, with its key."""

    house: RunningHouse
    key: str
    run: str = field(default_factory=lambda: uuid4().hex[:8])

    def tell(self, what: str, **facts: Any) -> Any:
        """Post one report and give what the house answers."""
        facts |= {"sku": SKU, "as_of": datetime.now(UTC).isoformat()} if "lines" not in facts else {}
        call = urllib.request.Request(
            f"{self.house.url}/api/v1/{what}",
            data=json.dumps({"id": f"{what}-{self.run}"} | facts).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(call, timeout=20) as answer:
            return json.load(answer)

    def sell(self, address: str, token: str) -> None:
        """Tell of a paid order as Shopify does: one line, the token of her hold among the order's notes, signed."""
        line = {"id": 466157049, "sku": SKU, "quantity": 1, "price": "420.00"}
        body = json.dumps(
            {
                "id": int(self.run, 16),
                "processed_at": datetime.now(UTC).isoformat(),
                "email": address,
                "currency": "EUR",
                "note_attributes": [{"name": "hold", "value": token}],
                "line_items": [line],
            }
        ).encode()
        signature = base64.b64encode(hmac.digest(SHOPIFY_SECRET.encode(), body, hashlib.sha256)).decode()
        headers = {"X-Shopify-Topic": "orders/paid", "X-Shopify-Webhook-Id": str(uuid4())}
        call = urllib.request.Request(
            f"{self.house.url}/webhooks/shopify", body, headers | {"X-Shopify-Hmac-Sha256": signature}
        )
        urllib.request.urlopen(call, timeout=20).close()


def give_the_shop_a_key(house: RunningHouse, omar: Page) -> Shop:
    omar.goto("/api-keys")
    omar.get_by_label("Name").fill(f"Shop {uuid4().hex[:6]}")
    omar.get_by_label("Stock and returns").check()
    omar.get_by_label("Orders and holds").check()
    omar.get_by_role("button", name="Make the key").click()
    return Shop(house, omar.locator("code.once").inner_text())


def let_offers_leave_at_any_hour(marta: Page, *, desk: int = 0) -> None:
    """The mails keep to her waking hours; this story is told at whatever hour the tests run.

    They wait for so many minutes on an editor's desk.
    """
    marta.goto("/wishes/policy")
    marta.get_by_label("Minutes an offer waits on").fill(str(desk))
    marta.get_by_label("She wakes at").fill("0")
    marta.get_by_label("She goes to sleep at").fill("24")
    marta.get_by_role("button", name="Replay").click()
    marta.get_by_role("button", name="Save this policy").click()
    expect(marta.get_by_label("She goes to sleep at")).to_have_value("24")


def note_her_wish(editor: Page, letter: Letter) -> None:
    """Two keys: `w`, Enter. What she wrote says which piece and size, and is the proof that she asked."""
    open_new(editor, letter)
    editor.keyboard.press("w")
    sheet = editor.locator("#wish-sheet")
    expect(sheet.get_by_role("button", name="Keep the wish")).to_be_focused()
    expect(sheet.get_by_role("checkbox", name=re.compile("35.5"))).to_be_checked()
    editor.keyboard.press("Enter")
    expect(hers(editor)).to_contain_text("waiting", ignore_case=True)


def hers(editor: Page) -> Any:
    """The wishes beside the conversation that is open."""
    return editor.locator("article.wish").first


def offer_in_her_mailbox(staff: Page, letter: Letter) -> str:
    """Where the button of the offer she got leads to; it comes as an answer in her own conversation."""
    expect(mails_to(staff, letter.address)).not_to_have_count(0, timeout=GONE)
    mails_to(staff, letter.address).first.click()
    expect(staff.locator("main")).to_contain_text(f"Re: {letter.subject}")
    words = staff.frame_locator("iframe.mail-frame")
    expect(words.locator("body")).to_contain_text("35.5")
    return str(words.locator("a[href*='/offer/']").first.get_attribute("href"))


def wait_for_a_mail(staff: Page, letter: Letter) -> None:
    for _look in range(SOON // 500):
        if mails_to(staff, letter.address).count():
            return
        staff.wait_for_timeout(500)
    raise AssertionError(f"no offer for {letter.address}")


def test_barbara_lets_the_pair_pass_and_chloe_has_it(house, new_context, sign_in):
    nadia, marta, omar = (sign_in(new_context().new_page(), name) for name in ("nadia", "marta", "omar"))
    let_offers_leave_at_any_hour(marta)
    shop = give_the_shop_a_key(house, omar)
    shop.tell("stock", units=0)
    barbara, chloe = (
        write(house, f"The sandals for {name} {shop.run}", ASKED, name) for name in ("Barbara Weiss", "Chloé Martin")
    )
    note_her_wish(nadia, barbara)
    note_her_wish(nadia, chloe)
    expect(hers(nadia)).to_contain_text("second of two", ignore_case=True)

    shop.tell("returns", state="announced")
    open_new_again(nadia, barbara)
    expect(hers(nadia)).to_contain_text("on its way back", timeout=SOON)
    assert not mails_to(nadia, barbara.address).count()

    shop.tell("returns", state="inspected")
    wait_for_a_mail(nadia, barbara)
    her_page = new_context(viewport={"width": 390, "height": 800}).new_page()
    her_page.goto(offer_in_her_mailbox(nadia, barbara))
    her_page.get_by_role("button", name="Let it pass", exact=True).click()
    expect(her_page.get_by_role("heading", level=1)).to_have_text("You let it pass")

    wait_for_a_mail(nadia, chloe)
    hers_too = new_context(viewport={"width": 390, "height": 800}).new_page()
    hers_too.goto(offer_in_her_mailbox(nadia, chloe))
    hers_too.get_by_role("button", name="Take it", exact=True).click()
    hers_too.wait_for_url(re.compile("hold="))
    token = hers_too.url.partition("hold=")[2].partition("&")[0]

    shop.sell(chloe.address, token)
    open_new_again(nadia, chloe)
    expect(hers(nadia)).to_contain_text("bought through our offer", timeout=SOON)
    assert mails_to(nadia, barbara.address).count() == mails_to(nadia, chloe.address).count() == 1


def come_back(shop: Shop, units: int) -> None:
    """So many pairs that were sent back have been inspected."""
    for number in range(units):
        for state in ("announced", "inspected"):
            shop.tell("returns", id=f"back-{shop.run}-{number}", state=state)


def wait_on_the_desk(staff: Page, letters: list[Letter]) -> Locator:
    """The mails that wait, once those to all of these do; at night in the voice of a colleague."""
    waits = staff.locator("article.slip__mail")
    for _look in range(SOON // 500):
        staff.goto("/desk?whose=all")
        if all(waits.filter(has_text=letter.name).count() for letter in letters):
            return waits
        staff.wait_for_timeout(500)
    raise AssertionError(f"not all on the desk: {waits.all_inner_texts()}")


def answer_in_plain_words(house: RunningHouse, letter: Letter, message_id: str, words: str) -> None:
    """She answers as people do, below her own first mail."""
    message = letter.as_message()
    message.replace_header("Subject", f"Re: {letter.subject}")
    message["In-Reply-To"] = message_id
    message.set_content(words)
    post(house, message)


def test_nadia_sends_what_waits_on_her_desk_and_confirms_an_answer_by_key(house, new_context, sign_in):
    nadia, marta, omar = (sign_in(new_context().new_page(), name) for name in ("nadia", "marta", "omar"))
    let_offers_leave_at_any_hour(marta, desk=30)
    shop = give_the_shop_a_key(house, omar)
    shop.tell("stock", units=0)
    letters = [
        Letter(f"The desk for {name} {shop.run}", name, ASKED)
        for name in ("Barbara Weiss", "Chloé Martin", "Anna Bianchi")
    ]
    known = {letter.address: post(house, letter.as_message()) for letter in letters}
    for letter in letters:
        note_her_wish(nadia, letter)
    come_back(shop, len(letters))
    waits = wait_on_the_desk(nadia, letters)
    nadia.goto("/")
    nadia.keyboard.press("g")
    nadia.keyboard.press("o")
    nadia.wait_for_url(re.compile("/desk$"))
    nadia.goto("/desk?whose=all")
    how_many = waits.count()
    nadia.keyboard.press("s")
    expect(waits).to_have_count(how_many - 1)
    nadia.keyboard.press("Shift+A")
    for letter in letters:
        expect(waits.filter(has_text=letter.name)).to_have_count(0)
        wait_for_a_mail(nadia, letter)

    barbara = letters[0]
    answer_in_plain_words(house, barbara, known[barbara.address], "Yes please, I will take them!")
    open_new_again(nadia, barbara)
    expect(nadia.locator("#offer-answers")).to_contain_text("seems to take", timeout=SOON)
    nadia.keyboard.press("y")
    expect(nadia.get_by_label("Taken", exact=True)).to_contain_text("held for her until")
    expect(hers(nadia)).to_contain_text("Taken; kept for her until")
    let_offers_leave_at_any_hour(marta)


def open_new_again(editor: Page, letter: Letter) -> None:
    """Her conversation, in whatever folder it stands now."""
    editor.goto(f"/?q={letter.subject.rpartition(' ')[2]}")
    editor.locator("#list a.row").filter(has_text=letter.subject).click(timeout=SOON)
