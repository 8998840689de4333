from datetime import timedelta

import pytest
import sqlalchemy as sa

from concierge.addresses import Address
from concierge.audit import AuditEntry
from concierge.mailing import commands, queries
from concierge.mailing.mail import ControlCharacter, Mail
from concierge.mailing.models import Delivery, DeliveryState, Lane, MoveRefused, SuppressionReason
from concierge.mailing.moves import MOVES, may_move
from concierge.mailing.providers.base import Accepted, TransportError
from tests.factories import make_editor
from tests.mailing.samples import NOW, make_full_mail, make_mail

MINUTE = timedelta(minutes=1)
LEASE = 10 * MINUTE
HOUR = 60 * MINUTE


def queue(session, mail: Mail | None = None, key: str = "reply:1", **options) -> Delivery:
    return commands.queue_delivery(session, mail or make_mail(), key=key, purpose="reply", now=NOW, **options)


def reserve(session, claim: str = "ours", *, now=NOW, limit: int = 50) -> list[Delivery]:
    return commands.reserve_due(session, Lane.SINGLE, claim=claim, now=now, lease=LEASE, limit=limit)


def begun(session, claim: str = "ours", *, now=NOW) -> Delivery:
    (delivery,) = reserve(session, claim, now=now)
    assert commands.begin_sending(session, [delivery.id], claim=claim, now=now)
    session.refresh(delivery)
    return delivery


def fail(session, delivery, error, *, claim="ours", now=NOW, chance=0.5) -> bool:
    return commands.record_failure(
        session, delivery, error, claim=claim, provider="smtp", attempts_allowed=3, chance=chance, now=now
    )


def test_a_queued_mail_is_all_the_worker_needs(session):
    mail = make_full_mail()
    delivery = queue(session, mail, not_before=NOW + MINUTE)
    session.commit()
    session.expire_all()
    assert Mail.from_json(delivery.content) == mail
    assert (delivery.state, delivery.due_at, delivery.message_id) == ("queued", NOW + MINUTE, mail.message_id)
    assert (delivery.to_normalised, delivery.subject) == ("barbara@example.com", mail.subject)


def test_the_same_key_twice_gives_the_first(session):  # F08
    first = queue(session)
    assert queue(session, make_mail(subject="Another")) is first
    assert session.scalar(sa.select(sa.func.count()).select_from(Delivery)) == 1


def test_two_who_queue_the_same_key_at_once_get_one_delivery(sessions, config):  # F08
    if config.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    with sessions() as mine, sessions() as yours:
        first = queue(yours)
        yours.commit()
        mine_first = queue(mine)
        mine.commit()
        assert mine_first.id == first.id


def test_an_unlawful_mail_is_not_even_queued(session):  # T07
    with pytest.raises(ControlCharacter):
        queue(session, make_mail(subject="hi\r\nBcc: x@y.example"))
    assert session.scalar(sa.select(Delivery)) is None


def test_a_suppressed_address_is_not_mailed_and_it_says_why(session):
    nadia = make_editor(session)
    commands.suppress(session, "Barbara@Example.com", reason=SuppressionReason.UNSUBSCRIBED, by=nadia, now=NOW)
    delivery = queue(session)
    assert delivery.state is DeliveryState.WITHHELD
    assert delivery.reason == "She asked not to receive mails."
    assert delivery.settled_at == NOW
    assert reserve(session) == []


def test_a_suppression_that_came_later_counts_too(session):  # F09
    delivery = queue(session)
    commands.suppress(session, "barbara@example.com", reason=SuppressionReason.HARD_BOUNCE, by=None, now=NOW)
    assert reserve(session) == []
    assert (delivery.state, delivery.reason) == (
        DeliveryState.WITHHELD,
        "This address does not exist: a mail to it came back.",
    )


def test_suppressing_and_releasing_are_a_pair_and_twice_is_fine(session):
    nadia = make_editor(session)
    first = commands.suppress(session, "a@b.example", reason=SuppressionReason.MANUAL, by=nadia, now=NOW)
    again = commands.suppress(session, "A@b.example", reason=SuppressionReason.MANUAL, by=nadia, now=NOW)
    assert again is first
    commands.release(session, first, because="a typing error", by=nadia, now=NOW)
    commands.release(session, first, because="a typing error", by=nadia, now=NOW + MINUTE)
    assert first.released_at == NOW
    assert queries.find_suppression(session, "a@b.example") is None


def test_what_is_not_due_waits(session):
    queue(session, not_before=NOW + MINUTE)
    assert reserve(session) == []
    assert len(reserve(session, now=NOW + MINUTE)) == 1


def test_what_one_worker_reserved_another_leaves_alone_for_a_lease(session):
    queue(session)
    assert len(reserve(session, "mine")) == 1
    assert reserve(session, "yours", now=NOW + LEASE) == []
    (delivery,) = reserve(session, "yours", now=NOW + LEASE + MINUTE)
    assert not commands.begin_sending(session, [delivery.id], claim="mine", now=NOW)
    assert commands.begin_sending(session, [delivery.id], claim="yours", now=NOW)
    assert not commands.begin_sending(session, [delivery.id], claim="yours", now=NOW)


def test_what_was_reserved_and_not_begun_is_given_back(session):
    queue(session)
    (delivery,) = reserve(session, "mine")
    commands.release_reserved(session, [delivery.id], claim="somebody else's")
    assert reserve(session, "yours") == []
    commands.release_reserved(session, [delivery.id], claim="mine")
    assert len(reserve(session, "yours")) == 1


def test_what_was_begun_and_never_offered_is_as_it_was(session):
    queue(session)
    delivery = begun(session)
    commands.put_back(session, [delivery.id], claim="somebody else's")
    session.refresh(delivery)
    assert (delivery.state, delivery.attempts) == ("sending", 1)
    commands.put_back(session, [delivery.id], claim="ours")
    session.refresh(delivery)
    assert (delivery.state, delivery.attempts, delivery.claim) == ("queued", 0, None)


def test_of_mails_taken_together_only_those_count_that_are_still_ours(session):  # F04
    nadia = make_editor(session)
    for number in range(3):
        queue(session, make_mail(to=Address("", f"c{number}@example.com")), key=str(number))
    first, second, third = reserve(session)
    ids = [each.id for each in (first, second, third)]
    assert commands.begin_sending(session, ids, claim="ours", now=NOW) == set(ids)
    session.expire_all()
    commands.settle_orphans(session, lease=LEASE, now=NOW + HOUR, only=second.id)
    commands.send_again(session, second, by=nadia, now=NOW + HOUR)
    taken = {each: Accepted(f"id-{each}") for each in ids}
    counted = commands.record_sent(session, taken, claim="ours", provider="smtp", now=NOW)
    assert counted == {first.id, third.id}
    session.expire_all()
    assert [each.state.value for each in (first, second, third)] == ["sent", "queued", "sent"]
    assert third.provider_id == f"id-{third.id}"
    sent = session.scalars(sa.select(AuditEntry.subject_id).where(AuditEntry.verb == "delivery.sent"))
    assert set(sent) == {first.id, third.id}


def test_a_batch_is_no_larger_than_asked(session):
    for number in range(5):
        queue(session, make_mail(to=Address("", f"c{number}@example.com")), key=str(number))
    assert [each.key for each in reserve(session, "a", limit=2)] == ["0", "1"]
    assert [each.key for each in reserve(session, "b")] == ["2", "3", "4"]


def test_a_mail_taken_is_sent(session):
    queue(session)
    delivery = begun(session)
    assert delivery.attempts == 1
    assert commands.record_sent(session, {delivery.id: Accepted("4F1")}, claim="ours", provider="smtp", now=NOW)
    session.refresh(delivery)
    assert (delivery.state, delivery.provider, delivery.provider_id, delivery.sent_at) == ("sent", "smtp", "4F1", NOW)
    assert session.scalar(sa.select(AuditEntry.verb)) == "delivery.sent"


def test_a_passing_fault_puts_a_mail_off_with_its_reason(session):  # F12
    queue(session)
    delivery = begun(session)
    assert fail(session, delivery, TransportError("her mailbox is full"))
    assert (delivery.state, delivery.reason) == (DeliveryState.QUEUED, "her mailbox is full")
    assert NOW < delivery.due_at <= NOW + MINUTE
    assert reserve(session) == []
    assert [event.kind for event in delivery.events] == ["postponed"]


def test_a_mail_is_given_up_after_many_tries_over_two_days(session):  # F12
    queue(session)
    now = NOW
    for _ in range(400):
        delivery = begun(session, now=now)
        fail(session, delivery, TransportError("later"), now=now, chance=0.99)
        if delivery.state is not DeliveryState.QUEUED:
            break
        now = delivery.due_at
    assert delivery.state is DeliveryState.FAILED
    assert timedelta(hours=48) <= now - NOW < timedelta(hours=49)


def test_a_refusal_for_good_comes_back_in_words(session):
    queue(session)
    delivery = begun(session)
    fail(session, delivery, TransportError("no such person", permanent=True))
    assert (delivery.state, delivery.reason, delivery.settled_at) == (DeliveryState.REJECTED, "no such person", NOW)
    assert session.scalar(sa.select(AuditEntry.verb)) == "delivery.rejected"


def test_an_unknown_outcome_waits_for_a_person(session):  # F02, F03
    queue(session)
    delivery = begun(session)
    fail(session, delivery, TransportError("silence", uncertain=True))
    assert delivery.state is DeliveryState.UNCERTAIN
    assert reserve(session, now=NOW + 1000 * HOUR) == []


def test_a_mail_whose_worker_died_is_uncertain_after_the_lease(session):  # F02, F07
    queue(session)
    delivery = begun(session)
    assert commands.settle_orphans(session, lease=LEASE, now=NOW + LEASE) == 0
    assert commands.settle_orphans(session, lease=LEASE, now=NOW + LEASE + MINUTE) == 1
    assert delivery.state is DeliveryState.UNCERTAIN
    assert "may have arrived" in delivery.reason
    assert commands.settle_orphans(session, lease=LEASE, now=NOW + HOUR) == 0


def test_a_worker_that_wakes_up_late_may_still_tell_what_it_knows(session):  # F04
    queue(session)
    delivery = begun(session)
    commands.settle_orphans(session, lease=LEASE, now=NOW + HOUR)
    session.flush()
    assert commands.record_sent(session, {delivery.id: Accepted()}, claim="ours", provider="smtp", now=NOW + HOUR)
    session.refresh(delivery)
    assert delivery.state is DeliveryState.SENT


def test_a_worker_that_was_overtaken_changes_nothing(session):  # F04
    nadia = make_editor(session)
    queue(session)
    delivery = begun(session)
    commands.settle_orphans(session, lease=LEASE, now=NOW + HOUR)
    commands.send_again(session, delivery, by=nadia, now=NOW + HOUR)
    session.flush()
    assert not commands.record_sent(session, {delivery.id: Accepted()}, claim="ours", provider="smtp", now=NOW + HOUR)
    assert not fail(session, delivery, TransportError("x", permanent=True))
    assert delivery.state is DeliveryState.QUEUED


def test_her_mails_arrive_in_the_order_they_were_written(session):
    queue(session, key="first")
    first = begun(session)
    fail(session, first, TransportError("later"))
    queue(session, make_mail(subject="Second"), key="second")
    queue(session, make_mail(to=Address("Chloé", "chloe@example.com")), key="chloé")
    assert [each.key for each in reserve(session)] == ["chloé"]
    assert [each.key for each in reserve(session, "later", now=first.due_at)] == ["first"]


@pytest.mark.parametrize("state", ["failed", "rejected", "uncertain", "withheld"])
def test_an_editor_has_a_failed_mail_sent_again(session, state):
    nadia = make_editor(session)
    delivery = queue(session)
    delivery.state, delivery.attempts, delivery.claim = DeliveryState(state), 8, "old"
    session.flush()
    commands.send_again(session, delivery, by=nadia, now=NOW + HOUR)
    session.flush()
    assert (delivery.state, delivery.attempts, delivery.reason) == (DeliveryState.QUEUED, 0, "")
    assert len(reserve(session, now=NOW + HOUR)) == 1


@pytest.mark.parametrize("state", ["sent", "delivered", "sending", "queued", "bounced"])
def test_a_mail_on_its_way_is_not_sent_again(session, state):  # F08
    nadia = make_editor(session)
    delivery = queue(session)
    delivery.state = DeliveryState(state)
    with pytest.raises(MoveRefused):
        commands.send_again(session, delivery, by=nadia, now=NOW)


def test_an_editor_who_asked_says_that_it_arrived(session):
    nadia = make_editor(session)
    queue(session)
    delivery = begun(session)
    fail(session, delivery, TransportError("silence", uncertain=True))
    commands.confirm_arrival(session, delivery, by=nadia, now=NOW + HOUR)
    assert delivery.state is DeliveryState.DELIVERED
    with pytest.raises(MoveRefused):
        commands.confirm_arrival(session, delivery, by=nadia, now=NOW + HOUR)


def test_the_table_of_moves_knows_every_state():
    assert set(MOVES) == set(DeliveryState)
    assert not may_move(DeliveryState.UNCERTAIN, DeliveryState.SENDING)
    assert not may_move(DeliveryState.BOUNCED, DeliveryState.DELIVERED)  # T40: a late event undoes nothing
    assert not may_move(DeliveryState.DELIVERED, DeliveryState.DEFERRED)
    assert all(state not in ways for state, ways in MOVES.items())
