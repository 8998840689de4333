"""Her wishes, her offers and the way out: each by a signed link, in her language, by her own clock."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from concierge import clock
from concierge.catalogue.models import Variant
from concierge.customers.models import Consent
from concierge.public.moments import held_words
from concierge.public.wording import veiled
from concierge.wishes import links
from concierge.wishes.commands import withdraw_wish
from concierge.wishes.models import Wish, WishEnding, WishState
from concierge.wishes.offer_models import OfferState
from concierge.wishes.offering import lapse_offer
from tests.catalogue.builders import make_variant
from tests.public.circle import links_of, mails, offer_to, only_wish, path
from tests.wishes.builders import share_out, wish_for


def state(session) -> tuple[WishState, WishEnding | None]:
    wish = only_wish(session)
    return wish.state, wish.ended_because


def test_she_sees_changes_and_withdraws_her_wish_without_an_account(client, config, session, pair):
    wish = wish_for(session, pair[1], now=clock.now())
    session.commit()
    here = links_of(config, wish)["wishes"]
    page = client.get(here)
    assert "Calanque sandals" in page.text and "We are looking out for it" in page.text
    assert "Set-Cookie" not in page.headers and page.headers["Referrer-Policy"] == "no-referrer"
    change = {"sku": ["CAL-TUR-36", "CAL-TUR-37"], "quantity": "2", "ceiling": "400", "similar": "yes"}
    answer = client.post(f"{here}/{wish.id}/change", data=change)
    assert "Changed." in client.get(answer.headers["Location"]).text
    changed = only_wish(session)
    assert [each.variant.size for each in changed.choices] == ["37", "36"]  # what she had comes first
    assert (changed.quantity, changed.ceiling_cents, changed.or_similar) == (2, 40_000, True)
    for _time in range(2):
        assert client.post(f"{here}/{wish.id}/withdraw").status_code == 303
    assert state(session) == (WishState.WITHDRAWN, WishEnding.WITHDRAWN_BY_HER)
    assert "You withdrew it." in client.get(here).text
    assert client.post(f"{here}/{wish.id}/change", data=change).status_code == 409


def test_what_she_would_pay_stands_in_its_field_in_the_currency_of_the_piece(client, config, session, pair):
    wish = wish_for(session, pair[1], now=clock.now(), ceiling_cents=39_800)
    wish.product.currency, wish.product.price_cents = "JPY", 42_000
    session.commit()
    page = client.get(links_of(config, wish)["wishes"]).text
    assert 'value="39800"' in page and "¥39,800" in page


def test_what_is_held_for_her_is_the_first_thing_she_sees(client, config, session, pair):
    held = wish_for(session, pair[0], now=clock.now())
    waiting = wish_for(session, pair[1], customer=held.customer, now=clock.now())
    share_out(session, pair[0], now=clock.now())
    session.commit()
    page = client.get(links_of(config, held)["wishes"]).text
    assert page.index(f'id="wish-{held.id}"') < page.index(f'id="wish-{waiting.id}"')


@pytest.mark.parametrize(
    "slip",
    [
        ({"sku": []}, "Choose at least one size."),
        ({"quantity": "0"}, "Wish for one to nine at a time."),
        ({"needed_by": "1999-01-01"}, "Choose a day between tomorrow and two years from now."),
        ({"ceiling": "0"}, "Write the price as a number, or leave it out."),
        ({"ceiling": "abc"}, "Write the price as a number, or leave it out."),
        ({"ceiling": "1,2"}, "That is less than a tenth of what it costs"),
    ],
    ids=str,
)
def test_a_slip_keeps_her_form_and_is_said_beside_the_field(client, config, session, pair, slip):
    change, said = slip
    wish = wish_for(session, pair[0])
    session.commit()
    typed = {"sku": ["CAL-TUR-37"], "quantity": "2", "ceiling": "390,50", "similar": "yes"} | change
    answer = client.post(f"{links_of(config, wish)['wishes']}/{wish.id}/change", data=typed)
    assert answer.status_code in {409, 422} and said in answer.text and "newest one" not in answer.text
    assert '<details class="more" open>' in answer.text and "Keep these changes" in answer.text
    for field in ("quantity", "ceiling"):
        assert f'name="{field}"' in answer.text and f'value="{typed[field]}"' in answer.text
    assert ('value="CAL-TUR-37" checked' in answer.text) is bool(typed["sku"])
    beside = re.findall(r'name="(\w+)"[^>]* aria-invalid="true"', answer.text)
    assert beside == [each for each in change if each != "sku"]
    assert state(session) == (WishState.WAITING, None)


def test_she_reads_her_own_sizes_on_every_page(client, config, session, pair):
    offer = offer_to(session, pair[0])
    offer.customer.country = "GB"
    session.commit()
    found = links_of(config, offer.wish, offer)
    for kind in ("wishes", "offer", "wish"):
        assert "UK 3 (EU 36)" in client.get(found[kind]).text


def test_her_page_names_a_colour_once_with_all_its_sizes(client, config, session, pair):
    wish = wish_for(session, *pair, now=clock.now())
    session.commit()
    page = client.get(links_of(config, wish)["wishes"]).text
    assert "Turquoise, EU 36 · EU 37<" in page and page.count("Turquoise, EU") == 1


@pytest.mark.parametrize(
    "ended",
    [
        (WishEnding.WITHDRAWN_BY_HER, "You withdrew it."),
        (WishEnding.UNSUBSCRIBED, "Ended when you asked for no more mails."),
        (WishEnding.WITHDRAWN_BY_EDITOR, "This wish is over."),
    ],
)
def test_the_offer_of_a_wish_that_is_over_promises_nothing(client, config, session, pair, ended):
    because, said = ended
    offer = offer_to(session, pair[0])
    here = links_of(config, offer.wish, offer)["offer"]
    withdraw_wish(session, offer.wish, because, by=None, now=clock.now())
    session.commit()
    page = client.get(here)
    assert said in page.text and "Your wish stands" not in page.text and "/take" not in page.text
    offer.customer.language = "it"
    session.commit()
    page = client.get(here)
    assert '<html lang="it">' in page.text and "Il suo desiderio resta" not in page.text


def test_who_comes_too_late_for_a_piece_told_to_several_is_told_so(client, config, session, pair):
    """The bounded rule tells more people than there are units."""
    offer = offer_to(session, pair[0])
    here = links_of(config, offer.wish, offer)["offer"]
    assert "It is here" in client.get(here).text
    session.execute(sa.update(type(offer)).values(holds=False))  # the unit itself stays promised, to somebody else
    session.commit()
    client.post(f"{here}/take")
    page = client.get(here)
    assert "There is none left just now" in page.text and "You keep your place" in page.text
    assert "/take" not in page.text and "/pass" in page.text


def test_she_reaches_her_own_wishes_only(client, config, session, pair):  # T35
    hers, chloes = wish_for(session, pair[0]), wish_for(session, pair[1], name="Chloé Martin")
    session.commit()
    here = links_of(config, hers)["wishes"]
    assert f"wish-{chloes.id}" not in client.get(here).text
    for verb in ("change", "withdraw", "renew", "wake"):
        assert client.post(f"{here}/{chloes.id}/{verb}", data={"sku": "CAL-TUR-37"}).status_code == 404
    session.expire_all()
    assert session.get(Wish, chloes.id).state is WishState.WAITING


def test_still_wanted_is_a_button_that_keeps_her_place(client, config, session, pair):
    wish = wish_for(session, pair[1], now=clock.now() - timedelta(days=170))
    wish.asked_at = clock.now()
    session.commit()
    here = links_of(config, wish)["wishes"]
    assert "Yes, I still want it" in client.get(here).text
    before = only_wish(session).rank_at
    client.post(f"{here}/{wish.id}/renew")
    kept = only_wish(session)
    assert kept.asked_at is None and kept.expires_at > clock.now() + timedelta(days=170) and kept.rank_at == before


def test_a_rest_is_ended_by_a_button_that_keeps_her_place(client, config, session, pair):
    wish = wish_for(session, pair[1])
    wish.rests_until = clock.now() + timedelta(days=14)
    session.commit()
    here, before = links_of(config, wish)["wishes"], only_wish(session).rank_at
    assert "Write to me again" in client.get(here).text
    for _time in range(2):
        assert client.post(f"{here}/{wish.id}/wake").status_code == 303
    woken = only_wish(session)
    assert (woken.rests_until, woken.rank_at) == (None, before)
    page = client.get(here).text
    assert "Write to me again" not in page and "We are looking out for it" in page


def test_an_old_link_shows_nothing_of_hers_and_sends_a_fresh_one(client, config, session, pair, later):
    wish = wish_for(session, pair[0])
    session.commit()
    found = links_of(config, wish)
    later(days=91)
    for kind in ("wishes", "wish"):
        page = client.get(found[kind])
        assert "run out" in page.text and "Calanque" not in page.text and wish.customer.address not in page.text
        assert "b…@e….com" in page.text
    for verb in ("change", "withdraw", "renew", "wake"):  # the page offers a fresh link
        answer = client.post(f"{found['wishes']}/{wish.id}/{verb}")
        assert (answer.status_code, answer.headers["Location"]) == (303, found["wishes"])
    assert state(session) == (WishState.WAITING, None)
    answers = [client.post(f"/links/wishes{found['wishes'].removeprefix('/wishes')}/fresh") for _time in range(5)]
    assert len({(each.status, each.headers["Location"]) for each in answers}) == 1
    [sent] = mails(session, "wish_link")
    assert sent.to_address == wish.customer.address
    fresh = re.search(r"https?://\S+/wishes/\S+", sent.content["text"])
    assert fresh and "Your wishes" in client.get(path(config, fresh[0])).text


def test_one_tap_takes_the_piece_and_leads_to_the_shops_checkout(client, config, session, pair):
    offer = offer_to(session, pair[0])
    here = links_of(config, offer.wish, offer)["offer"]
    page = client.get(f"{here}?want=take")
    assert "It is here" in page.text and "Held for you until" in page.text and "(your time)" in page.text
    assert "form-action 'self' https://maison-solenne.example" in page.headers["Content-Security-Policy"]
    for _time in range(2):
        answer = client.post(f"{here}/take")
        token = answer.headers["Location"].partition("?hold=")[2]
        assert answer.headers["Location"].startswith("https://maison-solenne.example/products/cal-tur?hold=")
        assert answer.status_code == 303 and links.read(config, links.HOLD, token) == offer.id
    session.expire_all()
    assert offer.state is OfferState.TAKEN and "To the checkout" in client.get(here).text
    assert "Held for you until" in client.get(links_of(config, offer.wish)["wishes"]).text


@pytest.mark.parametrize(
    "link",
    [
        "", "javascript:alert(1)", "//evil.example/x", "/\\evil.example", "data:text/html,x", "https://", "ftp://shop/x",
        "https://shop.example'; script-src *", "https://user@evil.example/", "https://shop.example\r\nX: y",
    ],
)  # fmt: skip
def test_only_a_stored_web_address_is_ever_led_to(client, config, session, pair, link):  # T33
    pair[0].product.link = link
    offer = offer_to(session, pair[0])
    here = links_of(config, offer.wish, offer)["offer"]
    page = client.get(f"{here}?next=https://evil.example&link=https://evil.example")
    assert "evil" not in page.text and "evil" not in page.headers["Content-Security-Policy"]
    answer = client.post(f"{here}/take", data={"next": "https://evil.example", "link": "https://evil.example"})
    assert answer.status_code == 303 and answer.headers["Location"].startswith("/offer/")
    assert "It is yours" in client.get(here).text


def test_a_pass_and_a_not_now_free_the_piece_and_are_kindly_taken(client, config, session, pair):
    offer = offer_to(session, pair[0], pair[1])
    here = links_of(config, offer.wish, offer)["offer"]
    assert client.post(f"{here}/not-now", data={"for": "ever"}).status_code == 422
    for _time in range(2):
        assert client.post(f"{here}/not-now", data={"for": "month"}).status_code == 303
    wish = only_wish(session)
    assert wish.state is WishState.WAITING and wish.rests_until > clock.now() + timedelta(days=29)
    assert (
        "Another time" in client.get(here).text and "Resting until" in client.get(links_of(config, wish)["wishes"]).text
    )
    client.post(f"{here}/take")  # too late: it is somebody else's now
    assert "Another time" in client.get(here).text
    session.expire_all()
    assert session.get(Variant, pair[0].id).promised == 0


def test_a_pass_for_good_ends_a_wish_that_has_no_other_size(client, config, session, pair):
    offer = offer_to(session, pair[0])
    here = links_of(config, offer.wish, offer)["offer"]
    for _time in range(2):
        client.post(f"{here}/pass")
    assert state(session) == (WishState.WITHDRAWN, WishEnding.PASSED_ON_IT)
    assert "You let it pass" in client.get(here).text


def test_after_its_time_the_page_is_kind_and_has_no_button(client, config, session, pair):
    offer = offer_to(session, pair[0])
    offer.held_until = clock.now() - timedelta(minutes=1)
    session.commit()
    page = client.get(links_of(config, offer.wish, offer)["offer"])
    assert "no longer held for you" in page.text and "/take" not in page.text


def test_one_click_unsubscribes_without_cookie_or_token(config, app, session, pair):  # T30
    app.config["WTF_CSRF_ENABLED"] = True
    wish = wish_for(session, pair[0])
    session.commit()
    here = links_of(config, wish)["unsubscribe"]
    for _time in range(2):  # multipart too: a mail program may post either (RFC 8058, 3.2)
        answer = app.test_client(use_cookies=False).post(
            here, data={"List-Unsubscribe": "One-Click"}, content_type="multipart/form-data"
        )
        assert (answer.status_code, answer.data) == (200, b"")
    assert state(session) == (WishState.WITHDRAWN, WishEnding.UNSUBSCRIBED)
    assert session.scalars(sa.select(Consent.withdrawn_way)).all() == ["one-click"]


def test_she_may_change_her_mind_and_begins_at_the_end_of_the_line(client, config, session, pair):
    wish = wish_for(session, pair[0], pair[1])
    session.commit()
    here, customer_id = links_of(config, wish)["unsubscribe"], wish.customer_id
    assert "Your wish ends" in client.get(here).text
    client.post(here)
    page = client.get(here)
    assert "Calanque sandals" in page.text and "Wish for it again" in page.text
    for _time in range(2):
        client.post(f"{here}/undo")
    session.expire_all()
    [old, new] = session.scalars(sa.select(Wish).order_by(Wish.id)).unique()
    assert (old.state, new.state, new.customer_id) == (WishState.WITHDRAWN, WishState.WAITING, customer_id)
    assert len(new.choices) == 2 and new.rank_at > old.confirmed_at
    assert session.get(Consent, new.consent_id).words in page.text


def test_her_pages_speak_her_language(client, config, session, pair):
    offer = offer_to(session, pair[0])
    offer.customer.language = "it"
    session.commit()
    for page in links_of(config, offer.wish, offer).values():
        assert '<html lang="it">' in client.get(page, headers={"Accept-Language": "en"}).text


def test_moments_are_told_by_her_own_clock():
    until, now = datetime(2026, 5, 15, 12, tzinfo=UTC), datetime(2026, 5, 12, 9, tzinfo=UTC)
    told = {"language": "en", "now": now}
    assert held_words(until, zone=ZoneInfo("Asia/Tokyo"), is_hers=True, **told) == "Friday, 21:00 (your time)"
    assert held_words(until, zone=ZoneInfo("Europe/Rome"), is_hers=False, **told) == "Friday, 14:00 (time in Rome)"
    later = until + timedelta(days=9)
    assert held_words(later, zone=ZoneInfo("Europe/Rome"), is_hers=True, **told) == "Sunday 24 May, 14:00 (your time)"


def test_an_address_is_veiled_so_that_only_she_knows_it():
    assert veiled("barbara.rossi@mail.example.com") == "b…@m….com"
    assert veiled("nonsense") == "…"


def test_after_her_silence_she_reads_until_when_it_rests_and_not_that_she_asked_for_it(client, config, session, pair):
    offer = offer_to(session, pair[0])
    lapse_offer(session, offer, now=clock.now(), rest=timedelta(days=7))
    session.commit()
    found = links_of(config, offer.wish, offer)
    hers = client.get(found["wishes"]).text
    assert "Resting until" in hers and "your place stays yours" in hers and "as you asked" not in hers
    page = client.get(found["offer"]).text
    assert "when one comes after" in page and "when the next one comes" not in page
    offer.wish.rests_until = None
    session.commit()
    assert "when the next one comes" in client.get(found["offer"]).text


def test_a_wish_in_two_colours_says_which_size_is_in_which(client, config, session, pair):
    coral = make_variant(session, pair[0].product, sku="CAL-COR-38", size="38", colour="Coral")
    wish = wish_for(session, *pair, coral, confirmed=False, now=clock.now())
    session.commit()
    page = client.get(links_of(config, wish)["wish"]).text
    assert "Turquoise, EU 36 · EU 37; Coral, EU 38" in page
