"""Signed links and the reply key."""

import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.errors import BadToken
from concierge.tokens import (
    keys_in,
    message_id,
    read_reply_key,
    read_return_key,
    reply_key,
    return_key,
    sign,
    sign_many,
    stamps,
    unsign,
)

SECRET = "a-secret-for-tests-only-0123456789"


@given(st.integers(0, 2**62))
def test_a_reply_key_is_read_back_in_any_case_and_fits_a_local_part(number: int):
    key = reply_key(SECRET, number)
    assert read_reply_key(SECRET, key) == number == read_reply_key(SECRET, key.upper())
    assert len(f"ciao+{key}") <= 64


def test_no_changed_reply_key_is_ours():  # T23, T31
    key = reply_key(SECRET, 4711)
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    changed = {key[:at] + letter + key[at + 1 :] for at in range(len(key)) for letter in letters} - {key}
    assert [each for each in changed if read_reply_key(SECRET, each) is not None] == []
    assert read_reply_key("another-secret-0123456789-0123456789", key) is None
    assert [read_reply_key(SECRET, odd) for odd in ("", " ", key + "a", key[:-1], "ä" * 32, "1" * 32)] == [None] * 6


@given(st.integers(0, 2**55), st.integers(1, 300))
def test_a_return_key_names_one_sending_and_is_no_reply_key(number: int, intent: int):  # T28
    key = return_key(SECRET, number, intent)
    assert read_return_key(SECRET, key.upper()) == (number, min(intent, 255))
    assert read_reply_key(SECRET, key) is None
    assert read_return_key(SECRET, reply_key(SECRET, number)) is None
    assert len(f"ciao+{key}") <= 64


def test_message_ids_are_each_their_own_in_the_order_of_time_and_lead_home(monkeypatch):
    key, milliseconds = reply_key(SECRET, 4711), 1_700_000_000_000
    made = []
    for passed in (0, 1, 10, 10**6, 10**10):
        monkeypatch.setattr(time, "time_ns", lambda passed=passed: (milliseconds + passed) * 1_000_000)
        made += [message_id(stamp, key, "maison.example") for stamp in sorted(stamps(300))]
    assert made == sorted(made)
    assert len(set(made)) == 1500
    assert {len(each) for each in made} == {28 + 1 + len(key) + 1 + len("maison.example")}
    assert all(key in keys_in(each) for each in (made[0], f"{key}.x@y.z"))
    assert keys_in("a.b.c@x.y") == ["a", "b"]


def test_a_token_is_good_for_its_purpose_only():  # T31
    token = sign(SECRET, "wish", "41")
    assert unsign(SECRET, "wish", token) == "41"
    for purpose, text in (("reset", token), ("wish", token[:-1]), ("wish", ""), ("wish", token.upper())):
        with pytest.raises(BadToken):
            unsign(SECRET, purpose, text)


def test_a_token_ends():
    token = sign(SECRET, "wish", "41")
    with pytest.raises(BadToken):
        unsign(SECRET, "wish", token, max_age=timedelta(seconds=-1))


def test_many_tokens_at_once_are_those_made_one_by_one():
    payloads = ["1", "41", "100000", "ciao, ü"]
    for _second_may_end in range(3):
        many, single = sign_many(SECRET, "offer", payloads), [sign(SECRET, "offer", each) for each in payloads]
        if many == single:
            break
    assert many == single
    assert [unsign(SECRET, "offer", token) for token in many] == payloads
    with pytest.raises(BadToken):
        unsign(SECRET, "her-wishes", many[0])
