"""What a provider reports of a mail: the rule, SendGrid's words, and what becomes of the mail."""

import base64
import json
import os
import random
from datetime import timedelta
from itertools import combinations, permutations

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.exc import IntegrityError

from concierge.app import create_app
from concierge.mailing import commands, jobs, queries, reporting
from concierge.mailing.models import (
    Delivery,
    DeliveryEvent,
    DeliveryState,
    ProviderPost,
    Suppression,
    SuppressionReason,
)
from concierge.mailing.providers.base import Accepted, TransportError
from concierge.mailing.reporting import take_report
from concierge.mailing.reports import Report, ReportKind, becomes, key_of, split_key, why_suppressed
from concierge.mailing.sendgrid_events import MisreadEvents, read_events
from concierge.mailing.signatures import SIGNATURE, TIMESTAMP
from tests.factories import make_editor
from tests.mailing.samples import NOW, make_mail

# So many orders of the same events; `make faults` asks for more.
SHUFFLES = int(os.environ.get("CONCIERGE_TESTS_SHUFFLES", "5"))
MINUTE = timedelta(minutes=1)
STATES, KINDS = DeliveryState, ReportKind
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()


def signed(body: bytes, timestamp: str = "1795167000", key: ec.EllipticCurvePrivateKey = KEY) -> dict[str, str]:
    signature = key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: timestamp}


def event(kind: str, number: object = 1, **more: object) -> dict[str, object]:
    said = {
        "sg_event_id": f"ev-{number}",
        "event": kind,
        "timestamp": int(NOW.timestamp()),
        "email": "barbara@example.com",
    }
    return said | {"concierge_delivery": "reply:1"} | more


def report(kind: ReportKind, number: object = 1, **more: object) -> Report:
    values: dict[str, object] = {"external_id": f"sendgrid:{number}", "kind": kind, "at": NOW, "provider": "sendgrid"}
    return Report(**(values | {"key": "reply:1"} | more))  # type: ignore[arg-type]


@pytest.fixture
def sent(session) -> Delivery:
    """Nadia's answer to Barbara, taken by the provider."""
    delivery = commands.queue_delivery(session, make_mail(), key="reply:1", purpose="reply", now=NOW)
    delivery.state, delivery.sent_at, delivery.provider = STATES.SENT, NOW, "sendgrid"
    session.commit()
    return delivery


# --- the rule -------------------------------------------------------------------------------------------------------
def test_a_late_delivered_never_undoes_a_bounce():  # T40
    for kind in KINDS:
        assert becomes(STATES.BOUNCED, kind, is_current=True, was_refused=False) is None


_KINDS = [each for each in ReportKind if each is not ReportKind.OTHER]


@pytest.mark.parametrize("start", STATES)
def test_reports_come_to_the_same_end_in_any_order(start):  # T40
    for kinds in (each for most in (2, 3, 4) for each in combinations(_KINDS, most)):
        ends = {_end(start, order) for order in permutations(kinds)}
        assert len(ends) == 1, (kinds, ends)


def _end(state: STATES, order: tuple[ReportKind, ...]) -> STATES:
    for kind in order:
        state = becomes(state, kind, is_current=True, was_refused=False) or state
    return state


def test_one_that_was_dropped_and_then_arrived_has_arrived():  # T40
    def next_of(state: STATES, kind: ReportKind) -> STATES | None:
        return becomes(state, kind, is_current=True, was_refused=False)

    assert next_of(STATES.REJECTED, ReportKind.DELIVERED) is STATES.DELIVERED
    assert next_of(STATES.REJECTED, ReportKind.BOUNCED) is STATES.BOUNCED
    assert next_of(STATES.DELIVERED, ReportKind.DROPPED) is next_of(STATES.REJECTED, ReportKind.ACCEPTED) is None


def test_what_is_heard_to_have_left_is_not_sent():  # F02, F11
    for kind in (KINDS.ACCEPTED, KINDS.DEFERRED, KINDS.DELIVERED):
        assert becomes(STATES.QUEUED, kind, is_current=True, was_refused=False) is not None
        assert becomes(STATES.UNCERTAIN, kind, is_current=True, was_refused=False) is not None
    # nor what the provider had, and dropped
    assert becomes(STATES.QUEUED, KINDS.DROPPED, is_current=True, was_refused=False) is STATES.REJECTED
    assert becomes(STATES.QUEUED, KINDS.DROPPED, is_current=False, was_refused=False) is None


def test_a_report_on_an_earlier_sending_counts_only_where_there_was_doubt():  # T40
    assert becomes(STATES.QUEUED, KINDS.ACCEPTED, is_current=False, was_refused=False) is STATES.SENT
    assert becomes(STATES.QUEUED, KINDS.ACCEPTED, is_current=False, was_refused=True) is None
    assert becomes(STATES.SENT, KINDS.BOUNCED, is_current=False, was_refused=False) is None


@pytest.mark.parametrize("key", ["reply:1", "offer:41#hand", "a#b#c"])
def test_a_key_and_the_number_of_its_decision_come_apart_again(key: str):
    for intent in (1, 2, 17):
        assert split_key(key_of(key, intent)) == (key, intent)


def test_only_what_is_for_good_suppresses():  # T28
    assert why_suppressed(report(KINDS.BOUNCED, hard=True)) is SuppressionReason.HARD_BOUNCE
    assert why_suppressed(report(KINDS.BOUNCED, hard=False)) is None
    assert why_suppressed(report(KINDS.COMPLAINED)) is SuppressionReason.COMPLAINT
    for kind in (KINDS.DELIVERED, KINDS.DEFERRED, KINDS.DROPPED, KINDS.OPENED, KINDS.OTHER):
        assert why_suppressed(report(kind)) is None


# --- SendGrid's words -----------------------------------------------------------------------------------------------
def test_sendgrids_events_are_understood():
    said = [
        event("bounce", 1, type="bounce", reason="550 5.1.1\r\nno such\x00 person"),
        event("bounce", 2, type="blocked"),
        event("dropped", 3, reason="Spam Reporting Address"),
        event("open", 4, sg_machine_open=True, timestamp="soon"),
        event("brand_new_kind", 5),
        {"event": "delivered"},
        "nonsense",
    ]
    hard, blocked, dropped, opened, new = read_events(json.dumps(said).encode())
    assert (hard.hard, hard.words, hard.key) == (True, "550 5.1.1no such person", "reply:1")
    assert (blocked.hard, dropped.because) == (False, SuppressionReason.COMPLAINT)
    assert (opened.by_machine, opened.at.year, new.kind) == (True, 1970, KINDS.OTHER)


@pytest.mark.parametrize("body", [b"{}", b"no", b"\xff", b"[" * 100_000])
def test_what_is_no_list_of_events_is_said_to_be_none(body: bytes):
    with pytest.raises(MisreadEvents):
        read_events(body)


# --- what becomes of the mail ---------------------------------------------------------------------------------------
STORY = (
    report(ReportKind.ACCEPTED, "a"),
    report(ReportKind.DEFERRED, "b"),
    report(ReportKind.DELIVERED, "c"),
    report(ReportKind.OPENED, "d"),
    report(ReportKind.CLICKED, "e"),
    report(ReportKind.BOUNCED, "f", hard=True, words="550 5.1.1 no such person", address="Barbara@example.com"),
    report(ReportKind.COMPLAINED, "g", at=NOW + timedelta(hours=29)),  # a day and more after all others
)


def tell(session, seed: int) -> None:
    """The whole story 46 times over, as the provider may: shuffled."""
    told = list(STORY) * 46
    random.Random(seed).shuffle(told)
    for each in told:
        take_report(session, each, now=NOW)
    session.commit()


@pytest.mark.parametrize("seed", range(SHUFFLES))
def test_events_in_any_order_any_number_of_times_come_to_the_same_end(session, sent, seed):  # T40
    tell(session, seed)
    assert (sent.state, sent.reason) == (STATES.BOUNCED, "550 5.1.1 no such person")
    assert session.scalar(sa.select(sa.func.count()).select_from(DeliveryEvent)) == len(STORY)
    assert len(session.scalars(sa.select(Suppression)).all()) == 1
    suppression = queries.find_suppression(session, "barbara@example.com")
    assert suppression is not None
    assert (suppression.reason, suppression.evidence) in {
        ("hard_bounce", "550 5.1.1 no such person"),
        ("complaint", ""),
    }


@pytest.mark.parametrize("without", ["_is_known", "becomes"])
def test_a_house_that_counts_twice_or_takes_the_last_word_is_seen(session, sent, monkeypatch, without):
    """Negative controls: every repeat is an event of its own; or whatever came last is believed."""
    if without == "_is_known":
        monkeypatch.setattr(reporting, "_is_known", lambda _session, _id: False)
        with pytest.raises(IntegrityError):  # the second wall: the key is unique in the database
            tell(session, 1)
    else:
        says = {ReportKind.DELIVERED: STATES.DELIVERED, ReportKind.BOUNCED: STATES.BOUNCED}
        monkeypatch.setattr(reporting, "becomes", lambda state, kind, **_facts: says.get(kind, state))
        take_report(session, STORY[5], now=NOW)
        take_report(session, STORY[2], now=NOW)
        assert sent.state is STATES.DELIVERED


def test_a_mail_in_doubt_is_settled_by_a_report(session, sent):  # F03
    sent.state = STATES.UNCERTAIN
    take_report(session, report(KINDS.ACCEPTED, key="", message_id=sent.message_id), now=NOW)
    assert sent.state is STATES.SENT


def test_a_report_that_overtakes_our_own_record_is_no_surprise(session, sent):  # T40
    sent.state, sent.claim, sent.sent_at = STATES.SENDING, "ours", None
    session.commit()
    take_report(session, report(KINDS.DELIVERED), now=NOW)
    assert commands.record_sent(session, {sent.id: Accepted("message-1")}, claim="ours", provider="sendgrid", now=NOW)
    session.refresh(sent)
    assert (sent.state, sent.provider_id) == (STATES.DELIVERED, "message-1")


def test_a_mail_sent_again_in_doubt_is_not_sent_when_the_first_is_heard_of(session, sent):  # F02
    sent.state = STATES.UNCERTAIN
    commands.send_again(session, sent, by=make_editor(session), now=NOW)
    assert (sent.state, key_of(sent.key, sent.intent)) == (STATES.QUEUED, "reply:1#2")
    take_report(session, report(KINDS.ACCEPTED), now=NOW)
    assert sent.state is STATES.SENT


def test_after_a_refusal_an_old_report_does_not_stop_the_second_sending(session, sent):
    take_report(session, report(KINDS.DROPPED, "d", words="Invalid"), now=NOW)
    commands.send_again(session, sent, by=make_editor(session), now=NOW)
    take_report(session, report(KINDS.ACCEPTED, "a"), now=NOW)
    assert sent.state is STATES.QUEUED


def test_a_report_on_somebody_elses_address_suppresses_nobody(session, sent):  # T28
    take_report(session, report(KINDS.BOUNCED, hard=True, address="mallory@evil.example"), now=NOW)
    assert queries.find_suppression(session, "barbara@example.com") is None
    assert take_report(session, report(KINDS.DELIVERED, "x", key="reply:999"), now=NOW) is None


def test_her_address_is_not_mailed_between_the_bounce_and_the_next_mail(session, sent):  # F09
    commands.queue_delivery(session, make_mail(message_id="<2@x.example>"), key="reply:2", purpose="reply", now=NOW)
    session.commit()
    (delivery,) = commands.reserve_due(session, commands.Lane.SINGLE, claim="ours", now=NOW, lease=10 * MINUTE, limit=5)
    take_report(session, report(KINDS.BOUNCED, hard=True), now=NOW)
    assert not commands.begin_sending(session, [delivery.id], claim="ours", now=NOW)


# --- the entrance ---------------------------------------------------------------------------------------------------
@pytest.fixture
def door(config, session):
    config.sendgrid_event_key = PUBLIC
    return create_app(config).test_client()


def post(door, body: bytes, headers: dict[str, str]) -> int:
    return door.post("/webhooks/sendgrid/events", data=body, headers=headers).status_code


def test_a_signed_post_is_kept_as_it_came_and_read(door, config, sessions, store, sent):  # T40
    body = json.dumps([event("delivered"), event("delivered", 2, concierge_delivery="reply:999")]).encode() + b"\r\n"
    assert [post(door, body, signed(body)) for _ in range(3)] == [200] * 3
    assert jobs.read_reports(config, sessions) == 1
    with sessions() as session:
        kept = session.scalars(sa.select(ProviderPost)).one()
        assert (store.get(kept.blob_key), kept.events, kept.unknown) == (body, 2, 1)
        assert session.get_one(Delivery, sent.id).state is STATES.DELIVERED


def test_what_is_not_signed_with_the_key_changes_nothing(door, session, sent):  # T28, T40
    body = json.dumps([event("bounce", type="bounce")]).encode()
    other = ec.generate_private_key(ec.SECP256R1())
    genuine = signed(body)
    for headers, altered in (
        ({}, body),
        (signed(body, key=other), body),
        (genuine, body + b" "),
        (genuine | {TIMESTAMP: "1795167001"}, body),
        (genuine | {SIGNATURE: "?"}, body),
        (genuine, b"\xff" + body),
    ):
        assert post(door, altered, headers) == 401
    assert session.scalar(sa.select(ProviderPost)) is None
    session.rollback()
    assert post(door, body, genuine) == 200  # the negative control: the very same, untouched, is let in


def test_without_a_key_nothing_is_let_in(client):  # T40
    assert post(client, b"[]", signed(b"[]")) == 401


def test_a_refusal_for_good_still_returns_at_once(session, sent):
    sent.state, sent.claim = STATES.SENDING, "ours"
    session.commit()
    error = TransportError("no such person", permanent=True)
    commands.record_failure(
        session, sent, error, claim="ours", provider="smtp", attempts_allowed=3, chance=0.5, now=NOW
    )
    assert (sent.state, sent.reason) == (STATES.REJECTED, "no such person")
