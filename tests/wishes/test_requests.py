"""What a form may ask of us: one mail at most, the same for everybody, and never enough to bury anyone."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from concierge.addresses import person_behind
from concierge.catalogue.models import Product
from concierge.catalogue.prices import NotThatPrice
from concierge.config import Config
from concierge.customers.models import NoAddress
from concierge.mailing.commands import suppress
from concierge.mailing.models import Delivery, DeliveryState, SuppressionReason
from concierge.wishes.caps import TooOften, network_key
from concierge.wishes.models import NothingWished, WishRequest, WishWay
from concierge.wishes.requests import (
    NotThatDay,
    NotThatMany,
    Wanted,
    ask_again,
    find_wanted,
    forget_requests,
    request_wish,
    send_fresh_link,
)
from tests.catalogue.builders import make_product
from tests.factories import DAY, HOUR, MINUTE, NOW, make_customer, make_mailbox

HERS = Wanted(("CAL-TUR-36",))
SECRET = "a-secret-for-tests-only-0123456789"


@pytest.fixture
def sandals(session) -> Product:
    """The sandals, in a house with a mailbox."""
    make_mailbox(session)
    return make_product(session)


def ask(
    session, config: Config, product: Product, address="barbara@example.com", *, wanted=HERS, network="net", now=NOW
):
    return request_wish(
        session, config, address, product, wanted,
        way=WishWay.FORM, language="en", words="Yes.", network=network, now=now,
    )  # fmt: skip


def first_mails(session) -> list[Delivery]:
    return list(session.scalars(sa.select(Delivery).order_by(Delivery.id)))


def test_a_wish_is_asked_about_by_one_mail_with_nothing_but_our_own_words(session, config, sandals):  # T27, T29
    request = ask(session, config, sandals, "buy-cheap-pills@example.com")
    [mail] = first_mails(session)
    assert (mail.to_address, mail.purpose, mail.id) == (request.address, "wish_request", request.delivery_id)
    content = mail.content
    assert "Calanque sandals" in content["subject"] and "EU 36" in content["text"]
    said = content["subject"] + content["text"] + content["html"]
    assert "pills" not in said and content["to"]["name"] == ""
    assert content["headers"]["Auto-Submitted"] == "auto-generated"
    assert f"{config.base_url}/wish-request/" in content["text"]


def test_a_second_wish_for_the_same_piece_waits_behind_the_mail_under_way(session, config, sandals):
    ask(session, config, sandals)
    again = ask(session, config, sandals, "Barbara+shop@example.com", wanted=Wanted(("CAL-TUR-37",)), now=NOW + HOUR)
    assert again.delivery_id is None and len(first_mails(session)) == 1
    later = ask(session, config, sandals, now=NOW + timedelta(days=config.policy.wish_request_days, hours=1))
    assert later.delivery_id and len(first_mails(session)) == 2


def test_no_address_gets_more_than_its_cap_over_all_pieces(session, config, sandals):  # T29
    pieces = [sandals, *(make_product(session, f"P{number}", sizes={"36": 0}) for number in range(5))]
    for number, piece in enumerate(pieces):
        ask(session, config, piece, wanted=Wanted((piece.variants[0].sku,)), now=NOW + number * MINUTE)
    assert len(first_mails(session)) == config.policy.wish_first_mails_per_day == 3
    ask(session, config, pieces[-1], wanted=Wanted((pieces[-1].variants[0].sku,)), now=NOW + DAY + HOUR)
    assert len(first_mails(session)) == 4


def test_fresh_links_count_among_the_mails_of_the_day(session, config, sandals):
    barbara = make_customer(session)
    for number in range(5):
        send_fresh_link(session, config, barbara, now=NOW + number * MINUTE)
    ask(session, config, sandals, barbara.address, now=NOW + HOUR)
    assert [each.purpose for each in first_mails(session)] == ["wish_link"] * 3


def test_a_network_may_ask_only_so_often_whoever_it_asks_for(session, config, sandals):  # T29
    for number in range(config.policy.wish_requests_per_network):
        ask(session, config, sandals, f"c{number}@example.com")
    with pytest.raises(TooOften):
        ask(session, config, sandals, "another@example.com")
    ask(session, config, sandals, "another@example.com", network="elsewhere")
    ask(session, config, sandals, "third@example.com", now=NOW + HOUR + MINUTE)


def test_the_whole_house_writes_only_so_many_first_mails_an_hour(session, config, sandals):
    config.policy.wish_first_mails_per_hour = 4
    for number in range(4):
        ask(session, config, sandals, f"c{number}@example.com", network=f"n{number}")
    with pytest.raises(TooOften):
        ask(session, config, sandals, "c5@example.com", network="n5")
    ask(session, config, sandals, "c5@example.com", network="n5", now=NOW + HOUR + MINUTE)


def test_a_suppressed_address_gets_the_same_rows_and_no_mail(session, config, sandals):  # T32
    suppress(session, "gone@example.com", reason=SuppressionReason.HARD_BOUNCE, by=None, now=NOW)
    request = ask(session, config, sandals, "gone@example.com")
    assert request.delivery_id and [each.state for each in first_mails(session)] == [DeliveryState.WITHHELD]


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        (Wanted(()), NothingWished),
        (Wanted(("CAL-TUR-36",), quantity=0), NotThatMany),
        (Wanted(("CAL-TUR-36",), quantity=10), NotThatMany),
        (Wanted(("CAL-TUR-36",), needed_by=NOW.date()), NotThatDay),
        (Wanted(("CAL-TUR-36",), needed_by=NOW.date() + timedelta(days=800)), NotThatDay),
        (Wanted(("CAL-TUR-36",), ceiling_cents=0), NotThatPrice),
    ],
)
def test_what_cannot_be_wished_is_said(session, config, sandals, wanted: Wanted, fault: type[Exception]):
    with pytest.raises(fault):
        ask(session, config, sandals, wanted=wanted)


@pytest.mark.parametrize(
    "address",
    ["", "barbara", "a@b@c", "bàrbara@exàmple..com", "a@-.example", "x" * 250 + "@example.com", "a b@c.example"],
)
def test_an_address_no_mail_can_go_to_is_refused(session, config, sandals, address: str):
    with pytest.raises(NoAddress):
        ask(session, config, sandals, address)


def test_sizes_are_found_by_sku_or_by_size(session, sandals):
    assert [each.sku for each in find_wanted(session, product="CAL-TUR", sizes=["36", "38"])[1]] == [
        "CAL-TUR-36", "CAL-TUR-38",
    ]  # fmt: skip
    assert find_wanted(session, skus=["CAL-TUR-37", "NOBODY-1"])[0] is sandals
    bag = make_product(session, "BAG", sizes={"": 0})
    assert find_wanted(session, product="BAG")[1] == bag.variants
    with pytest.raises(NothingWished):
        find_wanted(session, product="CAL-TUR", sizes=["47"])


def test_what_is_wanted_is_kept_and_read_again():
    wanted = Wanted(("A", "B"), 2, (NOW + DAY).date(), 40_000, or_similar=True)
    assert Wanted.from_json(wanted.to_json()) == wanted


def test_asking_again_leaves_out_a_day_gone_by(session, config, sandals):
    request = ask(session, config, sandals, wanted=Wanted(("CAL-TUR-36",), needed_by=(NOW + DAY).date()))
    fresh = ask_again(session, config, request, network="net", now=NOW + 5 * DAY)
    assert fresh.wanted["needed_by"] is None and fresh.wanted["skus"] == ["CAL-TUR-36"] and fresh.delivery_id


def test_old_requests_are_forgotten_but_the_newest_keeps_its_number(session, config, sandals):
    first, second = ask(session, config, sandals), ask(session, config, sandals, "chloe@example.com")
    session.commit()
    assert forget_requests(session, kept=timedelta(days=30), now=NOW + 31 * DAY) == 1
    assert session.scalars(sa.select(WishRequest.id)).all() == [second.id] != [first.id]


def test_one_mailbox_is_one_person_however_it_is_spelt():
    same = {"Barbara@Example.com", "barbara+wish@example.com", " barbara+x+y@example.com"}
    assert {person_behind(each) for each in same} == {"barbara@example.com"}
    assert person_behind("b.ar+1@googlemail.com") == person_behind("bar@gmail.com")
    assert person_behind("b.ar@example.com") != person_behind("bar@example.com")


def test_a_network_is_a_keyed_hash_of_its_first_bits():
    assert (
        network_key(SECRET, "203.0.113.7")
        == network_key(SECRET, "203.0.113.200")
        == network_key(SECRET, "::ffff:203.0.113.9")
    )
    assert (
        network_key(SECRET, "203.0.113.7") != network_key(SECRET, "203.0.114.7") != network_key("other", "203.0.114.7")
    )
    assert network_key(SECRET, "2001:db8:0:12::1") == network_key(SECRET, "2001:db8:0:34::1%eth0")
    assert network_key(SECRET, "2001:db8:0:100::1") != network_key(SECRET, "2001:db8:0:200::1")
    assert network_key(SECRET, "rubbish")
