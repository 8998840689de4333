"""Wishes from the conversation through HTTP: without JavaScript, with htmx, by role; what is shown and what is said."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from concierge import clock
from concierge.accounts.models import Role
from concierge.catalogue.models import Variant
from concierge.catalogue.returns import ReturnReport, report_return
from concierge.catalogue.stock_models import ReturnState
from concierge.config import Policy
from concierge.customers.models import Consent, Customer
from concierge.mailing.models import Delivery
from concierge.mailing.sheets import unfold
from concierge.wishes import commands, jobs, links, queries
from concierge.wishes.models import Wish, WishEnding, WishState
from concierge.wishes.release import release_due
from concierge.wishes.words import explain, ordinal, skipped_words
from tests.conversations.stories import receive
from tests.factories import DAY, HOUR, NOW, make_editor, sign_in
from tests.wishes.builders import sandals, save_policy, share_out, wish_for

HTMX = {"HX-Request": "true"}
ASKS = "Are the turquoise sandals back in 36? Please let me know when they return."


@pytest.fixture
def mail(session, monkeypatch):
    """Barbara asked for the sandals, which are sold out in 36 and 36.5, and left in 37."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    mail = receive(session, text=ASKS)
    sandals(session, s36=0, s36_5=0, s37=2)
    session.commit()
    return mail


@pytest.fixture
def desk(client, session, mail):
    """Nadia's browser, signed in."""
    nadia = make_editor(session)
    session.commit()
    sign_in(client, nadia)
    return client


def address(mail, rest: str = "") -> str:
    return f"/conversations/{mail.conversation_id}/wishes{rest}"


def wishes(session) -> list[Wish]:
    found = list(session.scalars(sa.select(Wish).order_by(Wish.id).execution_options(populate_existing=True)))
    session.commit()
    return found


def keep(desk, mail, **values):
    form = {"product": "CAL-TUR", "sku": ["CAL-TUR-36"], "quantity": "1", "proof": str(mail.id)} | values
    return desk.post(address(mail), data=form)


def test_the_form_comes_filled_in_with_her_words_and_honest_stock(desk, mail):
    page = desk.get(address(mail, "/new")).text
    assert (
        'value="CAL-TUR-36" checked' in page
        and page.count('name="sku"') == 3
        and page.count('CAL-TUR-36.5" checked') == 0
    )
    assert "Please let me know when they return." in page and f'name="proof" value="{mail.id}" checked' in page
    assert "sold out" in page and "2 in stock" in page and "What is in stock is offered to her at once." in page
    block = desk.get(address(mail, "/new"), headers=HTMX).text
    assert "<html" not in block and "hx-post" in block and "autofocus" in block


def test_two_keystrokes_note_it_and_the_block_shows_where_she_stands(desk, session, mail):
    answer = keep(desk, mail)
    assert answer.status_code == 303 and answer.headers["Location"] == address(mail)
    [wish] = wishes(session)
    assert (wish.state, wish.conversation_id, wish.message_id) == (WishState.WAITING, mail.conversation_id, mail.id)
    page = desk.get(address(mail)).text
    assert "First of one: waiting since 12 May" in page and "She asked for it in writing" in page
    assert f"/conversations/{mail.conversation_id}#message-{mail.id}" in page
    assert "noted a wish: Calanque sandals, 36" in desk.get(f"/conversations/{mail.conversation_id}").text


def test_asked_first_a_letter_leaves_and_its_link_makes_the_wish_count(desk, session, store, config, mail):
    keep(desk, mail, proof="ask")
    [wish] = wishes(session)
    assert (wish.state, wish.consent_id) == (WishState.UNCONFIRMED, None)
    [delivery] = session.scalars(sa.select(Delivery)).all()
    session.commit()
    letter = unfold(delivery.content, store.get)
    link = links.confirm_link(config, wish.id)
    shown = next(word for word in letter.text.split() if "/wish/" in word)
    assert letter.to.address == "barbara@example.com" and shown.rpartition("/")[0] == link.rpartition("/")[0]
    assert "Our question: About to leave" in desk.get(address(mail)).text
    assert desk.application.test_client().post(shown.partition(config.base_url)[2]).status_code == 303
    [wish] = wishes(session)
    assert wish.state is WishState.WAITING
    assert session.get(Consent, wish.consent_id).way == "link"


WRONG = [
    ({"sku": []}, "Choose at least one size.", 409),
    ({"quantity": "12"}, "Wish for one to nine at a time.", 422),
    ({"needed_by": "2020-01-01"}, "Choose a day between tomorrow and two years from now.", 422),
    ({"ceiling": "much"}, "Write the price as a number", 422),
    ({"ceiling": "1.20"}, "less than a tenth", 422),
    ({"proof": ""}, "Say whether she asked for it in writing", 422),
    ({"proof": "999"}, "There is no such message.", 404),
    ({"product": "NONE"}, "There is no such product.", 404),
]


def test_what_is_wrong_is_said_beside_the_form_and_nothing_is_lost(desk, session, mail):
    for values, said, status in WRONG:
        answer = keep(desk, mail, similar="yes", **values)
        assert answer.status_code == status and said in answer.text, values
        assert "product" in values or 'name="similar" value="yes" checked' in answer.text, values
    assert wishes(session) == [] and session.scalar(sa.select(Consent)) is None


def test_who_has_this_wish_already_is_told_so_and_led_to_it(desk, session, mail):
    keep(desk, mail)
    answer = keep(desk, mail, sku=["CAL-TUR-36", "CAL-TUR-36.5"], ceiling="400")
    [wish] = wishes(session)
    assert answer.status_code == 409 and "She has this very wish already." in answer.text
    assert f"/wishes/{wish.id}" in answer.text and 'value="400"' in answer.text
    assert answer.text.count('name="sku" value="CAL-TUR-36.5" checked') == 1


def test_what_she_waits_for_already_is_said_before_anything_is_kept(desk, session, mail):
    """Her mail asks for 36, for which she waits; two stand before her."""
    sizes = session.scalars(sa.select(Variant).order_by(Variant.sku)).all()
    for name in ("Chloé", "Anna"):
        wish_for(session, sizes[0], name=name, now=NOW - DAY)
    session.commit()
    proposed = desk.get(address(mail, "/new")).text
    assert "waits already" not in proposed and 'type="submit" autofocus' in proposed
    keep(desk, mail)
    [*_others, wish] = wishes(session)
    page = desk.get(address(mail, "/new")).text
    assert "EU 36: waits already, third of three." in page and "<small>waits already, third of three</small>" in page
    assert 'value="CAL-TUR-36" disabled' in page and " checked" not in page.partition("wish-precise")[0]
    assert f'<a href="/wishes/{wish.id}" autofocus>' in page and 'type="submit" autofocus' not in page
    keep(desk, mail, sku=["CAL-TUR-37"], proof="ask")
    assert "EU 37: noted already, not confirmed yet." in desk.get(address(mail, "/new")).text
    change = desk.get(f"/wishes/{wish.id}/change").text
    assert 'value="CAL-TUR-36" checked' in change and 'value="CAL-TUR-37" disabled' in change


def test_another_piece_is_found_and_taken(desk, mail):
    page = desk.get(address(mail, "/new?q=calanque+turq")).text
    assert "/wishes/new?product=CAL-TUR" in page or "Calanque sandals" in page
    assert "Nothing by that name" in desk.get(address(mail, "/new?q=zzzz")).text
    assert 'name="product" value="CAL-TUR"' in desk.get(address(mail, "/new?product=CAL-TUR&sku=CAL-TUR-37")).text


def test_a_verb_through_htmx_says_so_in_passing_and_lets_the_blocks_ask_anew(desk, session, mail):
    form = {"product": "CAL-TUR", "sku": "CAL-TUR-36", "proof": str(mail.id)}
    answer = desk.post(address(mail), data=form, headers=HTMX)
    assert answer.headers["HX-Trigger"] == "house-changed" and "The wish counts from now." in answer.text
    block = desk.get(address(mail), headers=HTMX).text
    version = block.split("?version=")[1].split('"')[0]
    assert desk.get(address(mail, f"?version={version}"), headers=HTMX).status_code == 204
    commands.renew_wish(session, wishes(session)[0], now=NOW + DAY)
    commands.change_wish(
        session, wishes(session)[0], variants=wishes(session)[0].product.variants[:2], quantity=1, needed_by=None,
        ceiling_cents=None, or_similar=False, by=None, now=NOW,
    )  # fmt: skip
    session.commit()
    assert "EU 36.5" in desk.get(address(mail, f"?version={version}"), headers=HTMX).text


def test_change_move_renew_and_withdraw_work_without_a_script(desk, session, mail):
    keep(desk, mail)
    [wish] = wishes(session)
    here, other = f"/wishes/{wish.id}", wish_for(session, wish.choices[0].variant, name="Ada A", now=NOW - DAY)
    session.commit()
    assert 'value="CAL-TUR-36" checked' in desk.get(f"{here}/change").text
    form = {"sku": ["CAL-TUR-36.5", "CAL-TUR-36"], "quantity": "2", "ceiling": "399,50", "needed_by": "2026-06-20"}
    assert desk.post(f"{here}/change", data=form).status_code == 303
    assert "Choose at least one size." in desk.post(f"{here}/change", data={"quantity": "1"}).text
    session.commit()
    wish, other = wishes(session)
    assert (wish.quantity, wish.ceiling_cents, str(wish.needed_by)) == (2, 39_950, "2026-06-20")
    assert [choice.variant.size for choice in wish.choices] == ["36", "36.5"]
    assert "Ada A" in desk.get(f"{here}/move").text
    assert "Say why" in desk.post(f"{here}/move", data={"place": "1", "because": " "}).text
    assert "Write a place" in desk.post(f"{here}/move", data={"place": "x", "because": "y"}).text
    assert desk.post(f"{here}/move", data={"place": "1", "because": "her wedding"}).status_code == 303
    wish, other = wishes(session)
    assert wish.rank_at < other.rank_at and wish.moved_because == "her wedding"
    page = desk.get(address(mail)).text
    assert "Moved by Nadia Ferrant on 12 May 2026: “her wedding”" in page
    assert "for €399.50 at most" in page and "needed by 20 June 2026" in page and "2 pieces, all or none" in page
    assert desk.post(f"{here}/renew").status_code == 303
    assert "Say why it ends" in desk.post(f"{here}/withdraw", data={}).text
    for _time in range(2):
        assert desk.post(f"{here}/withdraw", data={"because": "elsewhere"}).status_code == 303
    assert wishes(session)[0].ended_because is WishEnding.BOUGHT_ELSEWHERE
    page = desk.get(address(mail)).text
    assert "1 that is over" in page and "bought in another way, 12 May 2026" in page
    told = desk.get(here).text
    assert "moved in the queue: her wedding" in told and "Nadia Ferrant" in told


def test_a_wish_that_waits_for_her_yes_counts_by_her_mail(desk, session, mail):
    keep(desk, mail, proof="ask")
    [wish] = wishes(session)
    assert f'name="proof" value="{mail.id}" checked' in desk.get(f"/wishes/{wish.id}/confirm").text
    assert desk.post(f"/wishes/{wish.id}/confirm", data={"proof": str(mail.id)}).status_code == 303
    assert wishes(session)[0].state is WishState.WAITING
    assert desk.post(f"/wishes/{wish.id}/confirm", data={"proof": str(mail.id)}).status_code == 409


def test_the_radar_says_whose_a_coming_pair_would_be(desk, session, mail):
    keep(desk, mail)
    [wish] = wishes(session)
    report = ReturnReport(
        "shop", "R-1", "CAL-TUR-36", "online", ReturnState.IN_TRANSIT, NOW, expected_on=NOW + timedelta(days=2)
    )
    report_return(session, report, now=NOW, policy=Policy())
    session.commit()
    said = "One in EU 36 is on its way back, expected on 14 May 2026."
    assert f"{said} If it passes inspection, it would be for Barbara." in desk.get(address(mail)).text
    wish_for(session, wish.choices[0].variant, name="Ada A", now=NOW - DAY)
    session.commit()
    assert f"{said} Barbara is second in line." in desk.get(address(mail)).text


def test_an_offer_is_shown_with_its_hold_by_her_own_clock(desk, session, sessions, config, mail):
    keep(desk, mail, sku=["CAL-TUR-37"])
    wish = wishes(session)[0]
    wish.customer.timezone = "America/New_York"
    session.commit()
    jobs.open_waves(config, sessions)
    assert "An offer is made; its mail leaves on" in desk.get(address(mail)).text
    assert release_due(config, sessions) == 0  # it is half past five in New York
    offer_text = desk.get(address(mail)).text
    assert "has an offer" in offer_text
    assert "goes to the next in line" in desk.get(f"/wishes/{wish.id}/withdraw").text


def test_what_is_held_for_her_stands_before_what_she_waits_for(desk, session, mail):
    small, large, there = session.scalars(sa.select(Variant).order_by(Variant.id))
    customer = session.get_one(Customer, mail.conversation.customer_id)
    gone = wish_for(session, small, customer=customer)
    commands.withdraw_wish(session, gone, WishEnding.WITHDRAWN_BY_HER, by=None, now=NOW)
    held = wish_for(session, there, customer=customer)
    waiting = [wish_for(session, each, customer=customer) for each in (small, large)]
    share_out(session, there, now=NOW)
    session.commit()
    expected = [held.id, waiting[1].id, waiting[0].id, gone.id]
    assert [each.id for each in queries.list_wishes_of(session, customer.id)] == expected
    session.commit()
    page = desk.get(address(mail)).text
    assert [int(each) for each in re.findall(r'wish__name"><a href="/wishes/(\d+)"', page)] == expected


def test_a_merchandiser_reads_and_acts_not(desk, session, mail):
    keep(desk, mail)
    [wish] = wishes(session)
    marta = make_editor(session, "Marta Riva", role=Role.MERCHANDISER)
    session.commit()
    hers = desk.application.test_client()
    sign_in(hers, marta)
    page = hers.get(address(mail)).text
    assert "Calanque sandals" in page and f"/wishes/{wish.id}/change" not in page
    assert hers.get(f"/wishes/{wish.id}").status_code == 200
    for path in (
        address(mail, "/new"),
        *(f"/wishes/{wish.id}/{verb}" for verb in ("change", "move", "withdraw", "confirm")),
    ):
        assert hers.get(path).status_code == 403
    for path in (
        address(mail),
        *(f"/wishes/{wish.id}/{verb}" for verb in ("change", "move", "withdraw", "confirm", "renew")),
    ):
        assert hers.post(path).status_code == 403
    assert wishes(session)[0].state is WishState.WAITING


def test_her_tier_is_an_admins_to_set_and_her_page_shows_all_she_agreed_to(desk, session, mail):
    keep(desk, mail)
    save_policy(session, head_starts={"vip": 14})
    omar = make_editor(session, "Omar Haddad", role=Role.ADMIN)
    session.commit()
    [wish] = wishes(session)
    number = wish.customer_id
    assert desk.post(f"/customers/{number}/tier", data={"tier": "vip"}).status_code == 403
    his = desk.application.test_client()
    sign_in(his, omar)
    assert his.post(f"/customers/{number}/tier", data={"tier": "queen"}).status_code == 422
    assert his.post(f"/customers/{number}/tier", data={"tier": "vip"}).status_code == 303
    page = his.get(f"/customers/{number}/wishes").text
    assert "vip: a head start of 14 days" in page and "Please let me know when they return." in page
    assert wishes(session)[0].rank_at == NOW - 14 * DAY and session.get(Customer, number).tier == "vip"
    assert "vip" in desk.get(address(mail, "/new")).text


def test_a_customers_page_and_a_conversation_pull_the_same_block(desk, mail):
    number = mail.conversation.customer_id
    assert f'hx-get="/customers/{number}/wishes"' in desk.get(f"/customers/{number}").text
    page = desk.get(f"/conversations/{mail.conversation_id}").text
    assert f'hx-get="{address(mail)}"' in page and 'data-key="w"' in page and 'id="wish-sheet"' in page
    assert "She wishes for nothing at the moment." in desk.get(address(mail), headers=HTMX).text


def test_what_was_asked_long_ago_can_be_renewed_from_the_block(desk, session, mail):
    keep(desk, mail)
    wish = wishes(session)[0]
    wish.asked_at = NOW + HOUR
    session.commit()
    page = desk.get(address(mail)).text
    assert "She was asked whether she still wants it; it ends on" in page and f"/wishes/{wish.id}/renew" in page


def test_a_place_in_a_queue_is_said_in_the_readers_language(desk, session, mail):
    keep(desk, mail)
    wish = wishes(session)[0]
    standing = queries.stand(session, wish.choices[0].variant_id)[wish.id]
    assert explain(standing, "it", now=NOW) == "prima di una: in attesa dal giorno 12 maggio"
    assert ordinal(2, "it") == "seconda" and skipped_words("no_address", "it").startswith("non abbiamo")
