"""What a customer agreed to, and how it ends."""

from concierge import audit
from concierge.customers.commands import grant_consent, withdraw_consent
from concierge.customers.queries import list_consents
from tests.factories import DAY, NOW, make_customer

WORDS = "Write to me when exactly this is back."


def agree(session, customer, *, purpose="wish", now=NOW):
    return grant_consent(
        session,
        customer,
        purpose=purpose,
        words=WORDS,
        language="en",
        way="mail",
        proof={"message_id": 902},
        now=now,
    )


def find_consent(session, customer_id, purpose):
    """Her newest yes to it that stands."""
    return next(iter(list_consents(session, customer_id, purpose=purpose, standing_only=True)), None)


def test_a_yes_is_kept_with_its_words_and_its_proof(session):
    barbara = make_customer(session)
    consent = agree(session, barbara)
    session.commit()
    assert find_consent(session, barbara.id, "wish") is consent
    assert (consent.words, consent.language, consent.way, consent.proof) == (WORDS, "en", "mail", {"message_id": 902})
    assert [each.verb for each in audit.list_for(session, barbara)] == ["consent.granted"]


def test_a_yes_to_one_thing_is_none_to_another(session):
    barbara, chloe = make_customer(session), make_customer(session, "Chloé Martin")
    agree(session, barbara, purpose="wish")
    assert find_consent(session, barbara.id, "news") is None
    assert find_consent(session, chloe.id, "wish") is None


def test_taking_it_back_ends_every_yes_to_that_and_no_other(session):
    barbara = make_customer(session)
    agree(session, barbara), agree(session, barbara, now=NOW + DAY), agree(session, barbara, purpose="news")
    assert withdraw_consent(session, barbara, purpose="wish", way="one-click", now=NOW + 2 * DAY) == 2
    assert withdraw_consent(session, barbara, purpose="wish", way="one-click", now=NOW + 3 * DAY) == 0
    assert find_consent(session, barbara.id, "wish") is None
    assert find_consent(session, barbara.id, "news") is not None
    ended = list_consents(session, barbara.id, purpose="wish")
    assert [(each.withdrawn_at, each.withdrawn_way) for each in ended] == [(NOW + 2 * DAY, "one-click")] * 2


def test_a_new_yes_counts_after_an_old_one_was_taken_back(session):
    barbara = make_customer(session)
    agree(session, barbara)
    withdraw_consent(session, barbara, purpose="wish", way="page", now=NOW)
    again = agree(session, barbara, now=NOW + DAY)
    assert find_consent(session, barbara.id, "wish") is again
