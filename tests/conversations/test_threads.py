"""Which conversation a mail belongs to (T23)."""

from hypothesis import given
from hypothesis import strategies as st

from concierge.conversations.threads import Choice, Facts, Why, choose

BARBARA, CHLOE, MALLORY = "barbara@example.com", "chloe@example.com", "mallory@evil.example"
HERS, OTHER = 7, 8
PEOPLE = {HERS: frozenset({BARBARA}), OTHER: frozenset({CHLOE})}


def test_a_signed_key_and_a_known_participant_join():
    assert choose(Facts(BARBARA, keyed=(HERS,), participants=PEOPLE)) == Choice(HERS, None, Why.KEY)


def test_a_known_message_id_and_a_known_participant_join():
    assert choose(Facts(BARBARA, answered=(HERS,), participants=PEOPLE)) == Choice(HERS, None, Why.KNOWN_ID)


def test_a_stranger_with_a_genuine_key_gets_a_conversation_of_her_own_and_a_hint():  # T23
    assert choose(Facts(MALLORY, keyed=(HERS,), participants=PEOPLE)) == Choice(None, HERS, Why.STRANGER)


def test_a_stranger_who_names_a_message_id_gets_a_conversation_of_her_own_and_a_hint():  # T23
    assert choose(Facts(MALLORY, answered=(HERS,), participants=PEOPLE)) == Choice(None, HERS, Why.STRANGER)


def test_a_known_customer_without_key_or_id_begins_anew():  # T23
    assert choose(Facts(BARBARA, participants=PEOPLE)) == Choice(None, None, Why.NEW)


def test_another_customer_never_joins_hers():  # T23
    assert choose(Facts(CHLOE, keyed=(HERS,), answered=(HERS,), participants=PEOPLE)).conversation_id is None


def test_a_foreign_key_does_not_hide_the_conversation_she_takes_part_in():
    choice = choose(Facts(CHLOE, keyed=(HERS,), answered=(OTHER,), participants=PEOPLE))
    assert choice == Choice(OTHER, None, Why.KNOWN_ID)


def test_the_key_counts_before_the_references():
    people = {HERS: frozenset({BARBARA}), OTHER: frozenset({BARBARA})}
    assert choose(Facts(BARBARA, keyed=(HERS,), answered=(OTHER,), participants=people)).conversation_id == HERS


def test_of_several_references_the_newest_counts():
    people = {HERS: frozenset({BARBARA}), OTHER: frozenset({BARBARA})}
    assert choose(Facts(BARBARA, answered=(OTHER, HERS), participants=people)).conversation_id == OTHER


def test_a_bounce_joins_by_our_signed_key_alone():
    daemon = "mailer-daemon@example.com"
    assert choose(Facts(daemon, keyed=(HERS,), participants=PEOPLE, is_bounce=True)).conversation_id == HERS
    assert choose(Facts(daemon, answered=(HERS,), participants=PEOPLE, is_bounce=True)).conversation_id is None


def test_a_mail_without_a_sender_joins_nothing():
    assert choose(Facts("", keyed=(HERS,), participants={HERS: frozenset({""})})).conversation_id is None


@given(
    st.sampled_from((BARBARA, CHLOE, MALLORY, "")),
    st.lists(st.integers(1, 5)).map(tuple),
    st.lists(st.integers(1, 5)).map(tuple),
    st.dictionaries(st.integers(1, 5), st.frozensets(st.sampled_from((BARBARA, CHLOE)))),
)
def test_whoever_joins_takes_part_and_was_led_there(sender, keyed, answered, participants):  # T23
    choice = choose(Facts(sender, keyed, answered, participants))
    if choice.conversation_id is not None:
        assert sender in participants[choice.conversation_id]
        assert choice.conversation_id in (*keyed, *answered)
    elif choice.hint_conversation_id is not None:
        assert choice.hint_conversation_id in (*keyed, *answered)
