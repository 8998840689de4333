"""The API's twin of the wish form: the same caps, the same mail, the same answer for everybody."""

import pytest
import sqlalchemy as sa

from concierge.api.commands import make_key
from concierge.mailing.models import Delivery
from concierge.wishes.caps import network_key
from concierge.wishes.models import Wish, WishRequest, WishWay
from tests.catalogue.builders import make_product
from tests.factories import NOW, make_customer, make_mailbox

WORDS = "Maison Solenne may write to me when this piece is back."
WISH = {"address": "barbara@example.com", "product": "CAL-TUR", "sizes": ["36"], "words": WORDS}


@pytest.fixture
def ask(client, session):
    """`ask(address=…)` posts a wish with a key that may."""
    make_mailbox(session)
    make_product(session)
    make_customer(session, address="known@example.com")
    _key, text = make_key(session, name="Shop", scopes=("wishes",), by=None, now=NOW)
    session.commit()
    bearer = {"Authorization": f"Bearer {text}"}
    return lambda **change: client.post("/api/v1/wishes", json=WISH | change, headers=bearer)


def kept(session) -> list[WishRequest]:
    return list(session.scalars(sa.select(WishRequest).order_by(WishRequest.id)).unique())


def test_a_wish_by_the_api_waits_for_her_yes_like_any_other(ask, session):  # T29
    assert ask(quantity=2, language="it").status_code == 202
    [request] = kept(session)
    assert (request.way, request.words, request.language, request.wanted["quantity"]) == (WishWay.API, WORDS, "it", 2)
    [mail] = session.scalars(sa.select(Delivery))
    assert mail.purpose == "wish_request" and WORDS not in mail.content["text"]
    assert session.scalar(sa.select(Wish)) is None


def test_known_and_unknown_get_the_same_bytes(ask):  # T32
    answers = [ask(address=each) for each in ("known@example.com", "nobody@example.com", "known@example.com")]
    assert len({(each.status, each.data) for each in answers}) == 1


def test_the_caps_are_those_of_the_form(ask, client, config, session):  # T29
    config.policy.wish_requests_per_network = 2
    answers = [ask(ip="203.0.113.7", address=f"c{number}@example.com").status_code for number in range(2)]
    form = {"product": "CAL-TUR", "size": "36", "email": "c3@example.com", "consent": "en.1"}
    through_the_form = client.post("/wishes/requests", data=form, environ_overrides={"REMOTE_ADDR": "203.0.113.99"})
    assert [*answers, through_the_form.status_code, ask(ip="203.0.113.8").status_code] == [202, 202, 429, 429]
    assert {each.network for each in kept(session)} == {network_key(config.secret, "203.0.113.1")}


def test_a_caller_who_tells_no_network_has_a_cap_of_its_own(ask, config):
    config.policy.wish_requests_per_key = 3
    answers = [ask(address=f"c{number}@example.com").status_code for number in range(4)]
    assert answers == [202, 202, 202, 429]


@pytest.mark.parametrize(
    ("change", "status", "name"),
    [
        ({"product": "NO-SUCH"}, 404, "ProductNotFound"),
        ({"sizes": []}, 409, "NothingWished"),
        ({"address": "barbara"}, 422, "NoAddress"),
        ({"ip": "somewhere"}, 422, "Misshapen"),
        ({"name": "Mallory"}, 422, "Misshapen"),
        ({"needed_by": "1999-01-01"}, 422, "NotThatDay"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_kept(ask, session, change, status, name):
    answer = ask(**change)
    assert (answer.status_code, answer.get_json()["error"]["name"]) == (status, name)
    assert not kept(session)
