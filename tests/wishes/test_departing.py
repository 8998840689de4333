"""Mails that leave with their offers: the same rows as by the long way, and whoever has to wait does."""

import itsdangerous
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import tokens
from concierge.accounts.models import Editor
from concierge.audit import AuditEntry
from concierge.catalogue.models import Variant
from concierge.config import Config
from concierge.conversations.models import Conversation, Direction, Message
from concierge.conversations.rearranging import lock_pair, merge_conversations
from concierge.mailing.models import Delivery
from concierge.wishes import departing, jobs, leaving, release
from concierge.wishes.departing import Gate
from concierge.wishes.invariants import find_broken_invariants
from concierge.wishes.models import Wish
from concierge.wishes.offer_models import Offer
from concierge.wishes.rounds import Round
from tests.conversations.stories import receive
from tests.factories import NOW, make_customer, make_editor
from tests.wishes.builders import FRIDAY, offers, sandals, save_policy, wish_for


@pytest.fixture
def size(session: Session, at) -> Variant:
    """A size that is back, four of it, on a Friday at two."""
    make_editor(session)
    save_policy(session)
    variant, _other = sandals(session, s36=4, s37=0)
    return variant


def _round(session: Session, config: Config, variant: Variant) -> Round:
    return Round(session, variant.id, zone=config.policy.zone, now=FRIDAY)


def _the_long_way(session: Session, config: Config, variant: Variant) -> None:
    _round(session, config, variant).deal(session)
    due = leaving.list_due(session, now=FRIDAY, limit=100)
    release.release_offers(session, config, due, now=FRIDAY)


def _at_once(session: Session, config: Config, variant: Variant) -> None:
    _round(session, config, variant).deal(session, gate=Gate(config))


def _everything(session: Session) -> list[list[tuple[object, ...]]]:
    tables = [sa.inspect(each).local_table for each in (Offer, Wish, Delivery, Conversation, Message, AuditEntry)]
    rows = [[tuple(row) for row in session.execute(sa.select(each).order_by(each.c.id))] for each in tables]
    found = sa.text("SELECT rowid, subject, people, body FROM message_search ORDER BY rowid")
    return [*rows, [tuple(row) for row in session.execute(found)]]


def test_what_leaves_at_once_is_what_the_long_way_would_write(session, sessions, config, size, monkeypatch):
    if session.get_bind().dialect.name != "sqlite":
        pytest.skip("a sequence is not rolled back, so the numbers would differ")
    monkeypatch.setattr(itsdangerous.TimestampSigner, "get_timestamp", lambda _self: 1_700_000_000)
    monkeypatch.setattr(tokens, "stamps", lambda count: ["0" * 28] * count)
    for number, name in enumerate(("Barbara Rossi", "Zoë <b>&amp;", "")):
        who = make_customer(session, name or "x", f"c{number}@example.com", country="GB" if number else "")
        who.name, who.first_name = name, name.partition(" ")[0]
        wish_for(session, size, customer=who).language = ("en", "it")[number % 2]
    asked = receive(session, text="Do tell me when the 36 is back.", at=NOW)
    wish_for(session, size, customer=asked.conversation.customer, conversation=asked.conversation)
    session.commit()
    made = []
    for way in (_the_long_way, _the_long_way, _at_once):
        try:
            way(session, config, size)
            made.append(_everything(session))
            session.rollback()
        except release.MouldsMissing as missing:
            session.rollback()
            release.make_moulds(config, sessions, missing.keys)
    by_the_long_way, at_once = made
    assert len(at_once[0]) == len(at_once[2]) == len(at_once[-1]) - 1 == 4
    for expected, got in zip(by_the_long_way, at_once, strict=True):
        assert got == expected


def test_a_letter_joins_what_her_conversation_was_merged_into_meanwhile(session, sessions, config, size):
    """Merged twice between the look at what is due and the lock; what leads through both is found."""
    hers = [receive(session, text=f"Do tell me, {number}.", subject=f"{number}") for number in range(3)]
    asked = hers[0].conversation
    talks = [each.conversation_id for each in hers]
    wish_for(session, size, customer=asked.customer, conversation=asked)
    session.commit()
    _round(session, config, size).deal(session)
    session.commit()
    due = leaving.list_due(session, now=FRIDAY, limit=100)
    assert [each.conversation_id for each in due] == talks[:1]
    session.rollback()
    with sessions() as other:
        nadia = other.scalars(sa.select(Editor)).first()
        for source, target in ((0, 1), (1, 2)):
            pair = lock_pair(other, talks[target], talks[source])
            merge_conversations(other, *pair, by=nadia, now=FRIDAY)
        other.commit()
    for _try in range(2):
        try:
            release.release_offers(session, config, due, now=FRIDAY)
            session.commit()
            break
        except release.MouldsMissing as missing:
            session.rollback()
            release.make_moulds(config, sessions, missing.keys)
    [letter] = session.scalars(sa.select(Message).where(Message.direction == Direction.OUT))
    assert letter.conversation_id == talks[2]
    assert letter.in_reply_to == [f"<{hers[2].rfc_message_id}>"]
    assert leaving.list_threads(session, talks)[talks[0]].id == talks[2]


def test_who_sleeps_or_may_get_another_piece_in_the_same_mail_waits(session, sessions, config, size, monkeypatch):
    monkeypatch.setattr(jobs, "_FIRST", 1)
    other = next(each for each in size.product.variants if each is not size)
    for number, name in enumerate(("First", "Barbara", "Aoi", "Chloé")):
        who = make_customer(
            session, name, f"c{number}@example.com", timezone="Pacific/Auckland" if name == "Aoi" else ""
        )
        wish_for(session, size, customer=who)
        if name == "Chloé":
            wish_for(session, other, customer=who)
    session.commit()
    assert jobs.deal_all(config, sessions, size.id) == 4
    left = {each.customer.name: each.left_at for each in offers(session)}
    session.commit()
    # The first shows which sheet is needed; the second leaves with her offer.
    assert left == {"First": None, "Barbara": FRIDAY, "Aoi": None, "Chloé": None}
    assert find_broken_invariants(session) == []
    session.commit()
    assert release.release_due(config, sessions) == 2
    assert {each.customer.name for each in offers(session) if each.left_at is None} == {"Aoi"}
    assert session.scalar(sa.select(sa.func.count()).select_from(Delivery)) == 3


def test_a_letter_that_spoils_it_leaves_nothing_half_done_and_all_offers_are_made(
    session, sessions, config, size, monkeypatch
):
    wish_for(session, size)
    session.commit()

    def spoil(session: Session, *_args: object, now: object) -> None:
        session.execute(sa.update(Wish).values(skipped_because="half done"))
        raise ValueError("a letter nobody can write")

    monkeypatch.setattr(departing, "queue_letters", spoil)
    assert jobs.deal_all(config, sessions, size.id) == 1
    [offer] = offers(session)
    assert (offer.left_at, offer.wish.skipped_because, size.promised) == (None, "", 1)
    assert session.scalar(sa.select(sa.func.count()).select_from(Delivery)) == 0
