"""Storms, crawlers and forgers at the customers' doors; each check has a control that must go red."""

import os
import random
from collections import Counter
from itertools import product

import pytest
import sqlalchemy as sa

from concierge import tokens
from concierge.addresses import person_behind
from concierge.mailing.models import Delivery
from concierge.wishes import caps, links
from concierge.wishes.models import WishWay
from concierge.wishes.requests import Wanted, request_wish
from tests.catalogue.builders import make_product
from tests.factories import MINUTE, NOW, make_customer, make_mailbox
from tests.public.circle import FORM, ask, everything, links_of, newest_request, offer_to, path
from tests.public.outbox import fill, links_in

# The full numbers are run by hand: STORM=50000 CRAWL=10000 FLIPS=10000.
POSTS = int(os.environ.get("STORM", "50"))
LOOKS = int(os.environ.get("CRAWL", "80"))
FLIPS = int(os.environ.get("FLIPS", "400"))
PAGES = {
    "wishes": "/wishes/",
    "offer": "/offer/",
    "unsubscribe": "/unsubscribe/",
    "wish": "/wish/",
    "request": "/wish-request/",
}
ACTS = [
    *(f"/wishes/{{}}/{{id}}/{verb}" for verb in ("change", "withdraw", "renew", "wake")),
    *(f"/offer/{{}}/{verb}" for verb in ("take", "pass", "not-now")),
    "/unsubscribe/{}", "/unsubscribe/{}/undo", "/wish/{}", "/wish/{}/decline", "/wish-request/{}",
    "/wish-request/{}/fresh", "/links/wishes/{}/fresh", "/links/offer/{}/fresh", "/links/wish/{}/fresh",
]  # fmt: skip


@pytest.fixture
def bomb(client, session):
    """Post the form again and again, from many networks, for few victims; how many mails each of them got."""
    make_mailbox(session)
    pieces = [make_product(session, f"P{number}", sizes={"36": 0}) for number in range(6)]
    forms = [FORM | {"product": each.code, "sku": [each.variants[0].sku]} for each in pieces]
    session.commit()

    def drop(posts: int) -> Counter[str]:
        for number in range(posts):
            victim = f"victim{number % 7}{f'+{number % 5}' if number % 2 else ''}@example.com"
            network = f"10.{number // 256 % 256}.{number % 256}.9"
            way = {"Accept": "application/json"} if number % 3 else {}  # the script's, or the plain form's
            answer = client.post(
                "/wishes/requests", data=forms[number % 6] | {"email": victim}, headers=way,
                environ_overrides={"REMOTE_ADDR": network},
            )  # fmt: skip
            assert answer.status_code == (200 if way else 303)
        session.rollback()
        return Counter(person_behind(each) for each in session.scalars(sa.select(Delivery.to_address)))

    return drop


def test_a_list_bomb_ends_in_a_few_mails(bomb, config):  # T27, T29
    sent = bomb(POSTS)
    assert len(sent) == min(POSTS, 7) and max(sent.values()) == config.policy.wish_first_mails_per_day


def test_without_the_cap_the_bomb_goes_off(bomb, config, monkeypatch):
    """The control: the same posts with the cap taken out."""
    monkeypatch.setattr(caps, "may_be_mailed", lambda *_args, **_values: True)
    sent = bomb(28)
    assert max(sent.values()) > config.policy.wish_first_mails_per_day


@pytest.fixture
def addresses(client, config, session, pair) -> dict[str, str]:
    """Every link our mails carry, of every kind, with all of them still to be acted on."""
    offer = offer_to(session, pair[0])
    ask(client, sku=["CAL-TUR-37"])
    found = links_of(config, offer.wish, offer)
    return found | {"request": path(config, links.request_link(config, newest_request(session).id))}


@pytest.fixture
def links_that_left(client, config, sessions, session) -> list[str]:
    """Every link of every mail that left, of every kind the house writes, read out of the mails themselves."""
    found = links_in(fill(client, session, config, sessions), config)
    pages = {each.split("/")[1].partition("?")[0] for each in found}
    assert pages >= {"wishes", "offer", "unsubscribe", "wish", "wish-request", "reset"} and len(found) >= 25
    return found


SCANNERS = (
    {},
    {"User-Agent": "Mozilla/5.0 (compatible; SafeLinks)", "Purpose": "prefetch", "Sec-Purpose": "prefetch"},
    {"HX-Request": "true", "Accept": "application/json"},
    {"X-HTTP-Method-Override": "POST", "List-Unsubscribe": "One-Click"},
)


def looks(client, addresses: list[str], number: int) -> Counter[str]:
    """Whatever a mail scanner does: it opens, it peeks, it adds what the page's own buttons would; how often each."""
    asked = ["", "List-Unsubscribe=One-Click", "_method=POST", "want=take&confirm=yes", "for=week"]
    tails = ["", "/", "/take", "/pass", "/not-now", "/fresh", "/decline", "/undo", "/1/withdraw", "/1/renew", "/1/wake"]
    plain = [(address, {}, way) for way in ("get", "head") for address in addresses]
    odd = [
        (f"{path}{tail}?{'&'.join(filter(None, (query, more)))}", headers, way)
        for tail, more, headers, way in product(tails, asked, SCANNERS, ("get", "head"))
        for path, _, query in (address.partition("?") for address in addresses)
    ]
    random.Random(30).shuffle(odd)
    ways, counted = plain + odd, Counter()
    for step in range(number):
        address, headers, way = ways[step % len(ways)]
        status = getattr(client, way)(address, headers=headers).status_code
        assert status in {200, 302, 303, 308, 404, 405}, (way, address, status)
        counted[way] += 1
    return counted


def test_a_scanner_that_opens_every_link_changes_nothing(client, session, links_that_left):  # T30
    before = everything(session)
    counted = looks(client, links_that_left, max(LOOKS, 2 * len(links_that_left)))
    assert everything(session) == before
    assert min(counted["get"], counted["head"]) >= len(links_that_left)


def test_a_page_that_acts_on_get_is_seen(app, client, session, links_that_left):
    """The control: one GET that unsubscribes."""
    before = everything(session)
    app.view_functions["public.unsubscribe_page"] = app.view_functions["public.unsubscribe"]
    looks(client, links_that_left, len(links_that_left))
    assert everything(session) != before


def test_a_token_is_good_for_its_own_page_only(client, session, addresses):  # T31
    rows = {kind: address.rpartition("/")[2] for kind, address in addresses.items()}
    before = everything(session)
    for (kind, page), (other, token) in product(PAGES.items(), rows.items()):
        assert client.get(f"{page}{token}").status_code == (200 if kind == other else 403), (kind, other)
    for act, (kind, token) in product(ACTS, rows.items()):
        page = act.split("/")[2 if act.startswith("/links") else 1].replace("wish-request", "request")
        if page != kind:
            assert client.post(act.format(token, id=1), data={"sku": "CAL-TUR-36"}).status_code == 403, (act, kind)
    assert everything(session) == before


@pytest.mark.parametrize(
    "bad", ["", " ", "%20", ".", "..", "0", "None", "null", "a" * 3000, "%00", "'--", "é", "%F0%9F%91%A0"]
)
def test_a_token_that_is_none_opens_nothing(client, addresses, bad):  # T31
    for page in PAGES.values():
        answer = client.get(f"{page}{bad}")
        # a number is the address of an editor's page, which asks who is there
        is_editors = bad == "0" and answer.headers.get("Location", "").startswith("/sign-in")
        assert is_editors or answer.status_code in {400, 403, 404}
        assert client.post(f"{page}{bad}").status_code in {400, 403, 404, 405}


def test_a_token_with_one_bit_turned_is_not_ours(config, addresses):  # T31
    token = addresses["offer"].rpartition("/")[2]
    assert links.read(config, links.OFFER, token)
    forged = 0
    for step in range(FLIPS):
        place, bit = step % len(token), 1 << (step // len(token)) % 7
        changed = token[:place] + chr(ord(token[place]) ^ bit) + token[place + 1 :]
        forged += changed != token and _opens(config, changed)
    for changed in (token.upper(), token.lower(), token + " ", " " + token, token + "=", token[:-1], token + "A"):
        forged += changed != token and _opens(config, changed)
    assert forged == 0


def _opens(config, token: str) -> bool:
    try:
        links.read(config, links.OFFER, token)
    except tokens.BadToken:
        return False
    return True


def test_a_link_tells_nothing_about_her(addresses, session):  # T31
    for address in addresses.values():
        assert "example" not in address and "@" not in address and "barbara" not in address.lower()


def test_the_same_answer_in_the_same_time_whoever_it_is(session, config):  # T32
    """Statements stand for time here: as many, of the same shapes, for a customer as for a stranger."""
    make_mailbox(session)
    make_customer(session, address="barbara@example.com")
    piece = make_product(session, sizes={"36": 0})
    shapes = []
    for address in ("stranger@example.com", "barbara@example.com"):
        heard: list[str] = []

        def listen(_connection, _cursor, statement: str, *_rest: object, heard: list[str] = heard) -> None:
            heard.append(statement.partition(" sa_savepoint")[0])

        sa.event.listen(session.get_bind(), "before_cursor_execute", listen)
        request_wish(
            session, config, address, piece, Wanted(("CAL-TUR-36",)),
            way=WishWay.FORM, language="en", words="Yes.", network=address, now=NOW + MINUTE,
        )  # fmt: skip
        session.flush()
        sa.event.remove(session.get_bind(), "before_cursor_execute", listen)
        shapes.append(heard)
    assert shapes[0] == shapes[1] and len(shapes[0]) > 5
    assert not [each for each in shapes[0] if "customer" in each]
