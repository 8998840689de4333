"""Each way in which SendGrid can answer, or not, and the request it is sent, field by field."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sendgrid.helpers.mail import Content
from sendgrid.helpers.mail.exceptions import ApiKeyIncludedException

from concierge.addresses import Address
from concierge.mailing.providers.base import TransportError
from concierge.mailing.providers.sendgrid import SendGridProvider, refusal, request_body
from tests.mailing.carriers import parcel
from tests.mailing.doubles import API_KEY, SendGrid, mail_send_faults, sendgrid_door
from tests.mailing.samples import NOW, make_mail


@pytest.fixture
def door() -> Iterator[SendGrid]:
    with sendgrid_door() as door:
        yield door


@pytest.fixture
def sendgrid(door: SendGrid) -> Iterator[SendGridProvider]:
    provider = SendGridProvider(API_KEY, door.url, seconds=1.0)
    yield provider
    provider.close()


def test_sendgrid_is_asked_by_its_contract(sendgrid, door):
    assert sendgrid.send(parcel(key="reply:902")).provider_id == "message-1"
    method, path, headers, body = door.requests[0]
    assert (method, path) == ("POST", "/v3/mail/send")
    assert headers["Authorization"] == f"Bearer {API_KEY}"
    assert headers["Content-Type"] == "application/json"
    sent = json.loads(body)
    assert sent["personalizations"] == [
        {
            "to": [{"email": "barbara@example.com", "name": "Barbara Weiss"}],
            "custom_args": {"concierge_delivery": "reply:902"},
        }
    ]
    assert [part["type"] for part in sent["content"]] == ["text/plain", "text/html"]
    assert sent["headers"] == {
        "Message-ID": "<abc.1@maison-solenne.example>",
        "In-Reply-To": "<q2@example.com>",
        "References": "<q1@example.com> <q2@example.com>",
        "X-Auto-Response-Suppress": "All",
    }
    assert sent["tracking_settings"]["open_tracking"] == {"enable": False}
    assert sent["tracking_settings"]["click_tracking"] == {"enable": False, "enable_text": False}
    assert sent["tracking_settings"]["subscription_tracking"] == {"enable": False}
    assert [(each["disposition"], each.get("content_id")) for each in sent["attachments"]] == [
        ("inline", "photo"),
        ("attachment", None),
    ]


def test_one_connection_to_sendgrid_carries_many_mails(sendgrid, door):
    for number in range(5):
        sendgrid.send(parcel(key=str(number)))
    door.answer_next(400)
    with pytest.raises(TransportError):
        sendgrid.send(parcel())
    sendgrid.send(parcel())
    assert door.connections == 1


def test_an_idle_connection_is_not_trusted(sendgrid, door):
    sendgrid.send(parcel())
    for line in sendgrid._lines._free:
        line.used_at -= 60
    sendgrid.send(parcel())
    assert door.connections == 2


@pytest.mark.parametrize(
    ("status", "permanent", "uncertain"),
    [
        (400, True, False),
        (403, True, False),
        (413, True, False),
        (401, False, False),
        (408, False, False),
        (425, False, False),
        (429, False, False),
        (503, False, False),
        (500, False, True),
        (502, False, True),
        (301, False, False),
    ],
)
def test_each_answer_of_sendgrid_means_one_thing(sendgrid, door, status, permanent, uncertain):  # F03
    door.answer_next(status)
    with pytest.raises(TransportError, match=str(status)) as failed:
        sendgrid.send(parcel())
    assert (failed.value.permanent, failed.value.uncertain) == (permanent, uncertain)


def test_sendgrids_errors_are_put_into_words(sendgrid, door):
    door.answer_next(403)
    with pytest.raises(TransportError, match=r"does not match a verified Sender Identity\. \(from\)"):
        sendgrid.send(parcel())


def test_a_rate_limit_says_when_to_come_back(sendgrid, door):
    door.reset_at = int((NOW + timedelta(minutes=5)).timestamp())
    door.answer_next(429)
    with pytest.raises(TransportError) as failed:
        sendgrid.send(parcel())
    assert failed.value.retry_after == NOW + timedelta(minutes=5)
    assert not failed.value.reached


@pytest.mark.parametrize("status", [401, 408, 425, 429, 503])
def test_whatever_passes_may_say_when_to_come_back(sendgrid, door, status):  # F12
    door.retry_after = "600"
    door.answer_next(status)
    with pytest.raises(TransportError) as failed:
        sendgrid.send(parcel())
    assert (failed.value.retry_after, failed.value.reached) == (NOW + timedelta(minutes=10), False)


@pytest.mark.parametrize(("reset", "retry", "waits"), [(5, 600, 10), (20, 600, 20), (5, None, 5), (None, None, None)])
def test_of_two_times_to_come_back_the_later_counts(reset, retry, waits):  # F12
    headers = {} if retry is None else {"Retry-After": str(retry)}
    if reset is not None:
        headers["X-RateLimit-Reset"] = str(int((NOW + timedelta(minutes=reset)).timestamp()))
    found = refusal(429, headers, "", now=NOW).retry_after
    assert found == (None if waits is None else NOW + timedelta(minutes=waits))


def test_a_reset_that_comes_with_another_answer_asks_for_nothing():  # F12
    later = {"X-RateLimit-Reset": str(int((NOW + timedelta(minutes=5)).timestamp()))}
    assert refusal(503, later, "", now=NOW).retry_after is None


@pytest.mark.parametrize("answer", ["hang", "die"])
def test_no_answer_from_sendgrid_is_uncertain(sendgrid, door, answer):  # F03
    door.answer_next(answer)
    with pytest.raises(TransportError) as failed:
        sendgrid.send(parcel())
    assert failed.value.uncertain
    assert len(door.requests) == 1  # and it was not asked twice


def test_an_answer_cut_after_202_counts(sendgrid, door):
    door.answer_next("die-in-answer")
    assert sendgrid.send(parcel()).provider_id == "message-1"


def test_sendgrid_out_of_reach_is_tried_again_later():
    provider = SendGridProvider(API_KEY, "http://127.0.0.1:1", seconds=1.0)
    for attempt in (lambda: provider.send(parcel()), provider.check):
        with pytest.raises(TransportError, match="SendGrid") as failed:
            attempt()
        assert (failed.value.permanent, failed.value.uncertain, failed.value.reached) == (False, False, False)


def test_a_wrong_key_and_a_weak_key_are_told(door):
    with pytest.raises(TransportError, match="key"):
        SendGridProvider("SG.wrong", door.url).check()
    door.scopes = ("alerts.read",)
    with pytest.raises(TransportError, match="Mail Send"):
        SendGridProvider(API_KEY, door.url).check()


def test_an_address_in_other_letters_is_not_given_to_sendgrid(sendgrid, door):
    with pytest.raises(TransportError, match="“ł”") as failed:
        sendgrid.send(parcel(make_mail(to=Address("Łucja", "łucja@example.com"))))
    assert (failed.value.permanent, door.requests) == (True, [])


def test_a_customer_may_quote_what_looks_like_an_api_key(sendgrid, door):
    looks_like_one = "SG.abc123.def456 is the number of my order"
    with pytest.raises(ApiKeyIncludedException):
        Content("text/plain", looks_like_one)
    sendgrid.send(parcel(make_mail(text=looks_like_one)))
    assert len(door.accepted) == 1


def test_the_double_finds_the_mistakes_it_is_there_for():
    """A negative control: a request with a mistake in each part is refused with each named."""
    sound = request_body(parcel())
    assert faults(sound) == set()
    assert faults(sound | {"subject": ""}) == {"subject"}
    assert faults(sound | {"content": sound["content"][::-1]}) == {"content"}
    assert faults(sound | {"content": [{"type": "text/plain", "value": ""}]}) == {"content.0.value"}
    assert faults(sound | {"headers": {"Reply-To": "x"}}) == {"headers.Reply-To"}
    assert faults(sound | {"headers": {"X-A": "a\r\nb"}}) == {"headers.X-A"}
    assert faults(sound | {"from": {"email": "nobody"}}) == {"from.email"}
    twice = [{"to": [{"email": "a@b.example"}, {"email": "A@b.example"}]}]
    assert faults(sound | {"personalizations": twice}) == {"personalizations.0"}
    assert faults(sound | {"attachments": [{"content": "!", "filename": "x"}]}) == {"attachments.0.content"}
    assert faults(sound | {"reply-to": {}}) == {"reply-to"}


def faults(body: dict[str, Any]) -> set[str | None]:
    return {fault["field"] for fault in mail_send_faults(body)}
