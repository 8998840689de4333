"""An editor notes a wish: what she is proposed, whose words are the proof, who is asked first, and two at once."""

from threading import Barrier, Thread

import pytest
import sqlalchemy as sa

from concierge import audit, clock
from concierge.addresses import Address
from concierge.catalogue.queries import get_product
from concierge.config import Policy
from concierge.conversations.models import Conversation, MessageKind
from concierge.customers.models import Consent
from concierge.drafts.models import Draft
from concierge.errors import RuleBroken
from concierge.wishes import commands, jobs, noting, queries, showing
from concierge.wishes.models import AlreadyWished, NoReason, NoSuchTier, Wish, WishEnding, WishState, WishWay
from concierge.wishes.requests import Wanted
from tests.conversations.stories import answer, receive
from tests.factories import DAY, HOUR, NOW, make_editor
from tests.wishes.builders import offers, sandals, save_policy, wish_for

ASKS = "Dear Nadia,\n\nare the turquoise sandals coming back in 36½? Please tell me when they do.\n\nBarbara"


@pytest.fixture
def nadia(session, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return make_editor(session)


def note(session, conversation, variants, *, asked=None, by, now=NOW, **values):
    wanted = Wanted(tuple(each.sku for each in variants), **values)
    return noting.note_wish(session, conversation, wanted, variants, asked=asked, policy=Policy(), by=by, now=now)


def test_her_mail_proposes_the_piece_and_size_and_is_the_proof(session, nadia):
    mail = receive(session, text=ASKS)
    variants = sandals(session, s36=0, s36_5=0, s37=2)
    [product], [proposal] = noting.propose(session, mail.conversation)
    assert (product.code, proposal.skus) == ("CAL-TUR", ("CAL-TUR-36.5",))
    [asked] = noting.list_asked(session, mail.conversation)
    assert asked.asks and asked.words == "Please tell me when they do."
    wish = note(session, mail.conversation, variants[1:2], asked=mail, by=nadia, quantity=2, or_similar=True)
    consent = session.get(Consent, wish.consent_id)
    assert (wish.state, wish.way, wish.quantity, wish.or_similar) == (WishState.WAITING, WishWay.EDITOR, 2, True)
    assert (wish.conversation_id, wish.editor, wish.message_id) == (mail.conversation_id, nadia, mail.id)
    assert (consent.way, consent.purpose, consent.words) == ("mail", "wish", "Please tell me when they do.")
    assert consent.proof["message_id"] == mail.id and consent.proof["shown"] == consent.words
    assert consent.proof["from"] == "barbara@example.com" and consent.proof["noted_by"] == nadia.id
    assert [each.verb for each in audit.list_for(session, mail.conversation)][-1] == "conversation.wished"


def test_where_she_writes_below_our_words_only_hers_are_read(session, nadia):
    introduction = "On Tue, 12 May 2026 at 10:12, Nadia <care@maison-solenne.example> wrote:"
    ours = "> The black sandals in 40 are there.\n> Please tell me when you want them."
    mail = receive(session, text=f"{introduction}\n{ours}\n\nThe turquoise ones in 36½.")
    sandals(session, s36=0, s36_5=0, s37=2)
    assert noting.propose(session, mail.conversation)[1][0].skus == ("CAL-TUR-36.5",)
    [asked] = noting.list_asked(session, mail.conversation)
    assert (asked.asks, asked.words) == (False, "The turquoise ones in 36½.")


def test_the_conversations_own_editor_stays_the_one_who_writes(session, nadia):
    mail, chiara = receive(session, text=ASKS), make_editor(session, "Chiara Bonetti")
    mail.conversation.editor = chiara
    assert note(session, mail.conversation, sandals(session), asked=mail, by=nadia).editor is chiara


def test_the_answer_she_was_shown_and_the_card_in_a_draft_are_read_too(session, nadia):
    mail = receive(session, text="Have you something for a garden wedding?")
    sandals(session, s36=0, s37=0)
    answer(session, mail.conversation, by=nadia, text="Dear Barbara,\n\nthe turquoise sandals, perhaps?", at=NOW + HOUR)
    yes = receive(session, text="Oh yes, in 37!", at=NOW + 2 * HOUR)
    assert yes.conversation_id != mail.conversation_id or noting.propose(session, yes.conversation)[1]
    draft = Draft(
        conversation=mail.conversation, editor=nadia, created_at=NOW, updated_at=NOW,
        body='<figure data-product="CAL-TUR-37"></figure>', overridden=[],
    )  # fmt: skip
    session.add(draft)
    assert noting.propose(session, mail.conversation)[1][0].skus == ("CAL-TUR-37",)


def test_only_a_mail_of_hers_in_this_very_conversation_is_a_proof(session, nadia):
    mail, variants = receive(session, text=ASKS), sandals(session)
    ours = answer(session, mail.conversation, by=nadia, at=NOW + HOUR)
    other = receive(session, "Chloé Martin", text=ASKS)
    machine = receive(session, text="I am away.", kind=MessageKind.AUTOMATIC, at=NOW + HOUR)
    strange = receive(session, text=ASKS, sender=Address("Mallory", "mallory@example.com"), at=NOW + HOUR)
    for message in (ours, other, machine, strange):
        conversation = mail.conversation if message is ours else message.conversation
        if message is other:
            conversation = mail.conversation
        with pytest.raises(noting.NotHerMail):
            note(session, conversation, variants, asked=message, by=nadia)
    assert session.scalar(sa.select(sa.func.count(Consent.id))) == 0


def test_without_her_word_it_waits_and_a_later_mail_of_hers_makes_it_count(session, nadia):
    mail = receive(session, text="I do like the turquoise sandals.")
    wish = note(session, mail.conversation, sandals(session), by=nadia)
    assert (wish.state, wish.consent_id, wish.rank_at) == (WishState.UNCONFIRMED, None, None)
    other = receive(session, "Chloé Martin", text="Yes, please tell me.")
    with pytest.raises(noting.NotHerMail):
        noting.confirm_in_writing(session, wish, other, by=nadia, now=NOW)
    noting.confirm_in_writing(session, wish, mail, by=nadia, now=NOW + HOUR)
    assert (wish.state, wish.confirmed_at, wish.message_id) == (WishState.WAITING, NOW + HOUR, mail.id)
    with pytest.raises(RuleBroken):
        noting.confirm_in_writing(session, wish, mail, by=nadia, now=NOW + HOUR)


def test_two_editors_noting_it_at_once_make_one_wish(session, sessions, nadia):
    mail, chiara = receive(session, text=ASKS), make_editor(session, "Chiara Bonetti")
    [variant] = sandals(session)
    session.commit()
    conversation_id, sku, gate, became = mail.conversation_id, variant.sku, Barrier(2), []

    def race(editor_id: int) -> None:
        with sessions() as own:
            conversation = own.get(Conversation, conversation_id)
            product = get_product(own, "CAL-TUR")
            by, asked = own.get(type(nadia), editor_id), noting.list_asked(own, conversation)[0].message
            own.rollback()
            gate.wait(timeout=20)
            try:
                note(own, conversation, noting.variants_of(product, [sku]), asked=asked, by=by)
                own.commit()
                became.append("noted")
            except AlreadyWished:
                own.rollback()
                became.append("already")

    racers = [Thread(target=race, args=(each.id,)) for each in (nadia, chiara)]
    for each in racers:
        each.start()
    for each in racers:
        each.join(timeout=60)
    session.rollback()
    assert sorted(became) == ["already", "noted"]
    assert (
        session.scalar(sa.select(sa.func.count(Wish.id))) == session.scalar(sa.select(sa.func.count(Consent.id))) == 1
    )


def test_moving_changing_and_renewing_keep_what_they_must(session, nadia):
    first, second = sandals(session, s36=0, s37=0)
    wishes = [
        wish_for(session, first, name=name, now=NOW + at * HOUR) for at, name in enumerate(("Ada A", "Bea B", "Cleo C"))
    ]
    with pytest.raises(NoReason):
        commands.move_wish(session, wishes[2], place=1, because=" ", by=nadia, now=NOW + DAY)
    commands.move_wish(session, wishes[2], place=1, because="her wedding is on Saturday", by=nadia, now=NOW + DAY)
    assert [wish.customer.first_name for wish, _place in queries.queue_of(session, first.id)] == ["Cleo", "Ada", "Bea"]
    before = wishes[2].rank_at
    commands.change_wish(
        session, wishes[2], variants=[second, first], quantity=2, needed_by=None, ceiling_cents=40_000, or_similar=True,
        by=nadia, now=NOW + DAY,
    )  # fmt: skip
    assert (wishes[2].rank_at, wishes[2].moved_because) == (before, "her wedding is on Saturday")
    assert [choice.variant.size for choice in wishes[2].choices] == ["37", "36"]
    commands.renew_wish(session, wishes[2], now=NOW + 100 * DAY, by=nadia)
    assert wishes[2].expires_at == NOW + 280 * DAY and audit.list_for(session, wishes[2])[-1].editor_id == nadia.id


def test_found_elsewhere_is_fulfilled_and_frees_what_was_held(session, sessions, config, nadia):
    [variant] = sandals(session, s36=1)
    wish = wish_for(session, variant)
    session.commit()
    assert jobs.open_waves(config, sessions) == 1
    session.expire_all()
    commands.withdraw_wish(session, wish, WishEnding.BOUGHT_ELSEWHERE, by=nadia, now=NOW + HOUR)
    session.expire_all()
    assert (wish.state, variant.promised, offers(session)) == (WishState.FULFILLED, 0, [])
    assert audit.list_for(session, wish)[-1].verb == "wish.fulfilled"


def test_a_tier_moves_her_waiting_wishes_but_those_moved_by_hand(session, nadia):
    save_policy(session, head_starts={"vip": 14})
    first, second = sandals(session, s36=0, s37=0)
    waits = wish_for(session, first)
    moved = wish_for(session, second, customer=waits.customer)
    commands.move_wish(session, moved, place=1, because="promised", by=nadia, now=NOW)
    place = moved.rank_at
    commands.set_tier(session, waits.customer, "vip", by=nadia, now=NOW)
    assert (waits.rank_at, moved.rank_at, waits.customer.tier) == (NOW - 14 * DAY, place, "vip")
    with pytest.raises(NoSuchTier):
        commands.set_tier(session, waits.customer, "empress", by=nadia, now=NOW)
    commands.set_tier(session, waits.customer, "", by=nadia, now=NOW)
    assert waits.rank_at == NOW


def test_a_long_queue_is_counted_and_not_read(session, nadia, monkeypatch):
    [variant] = sandals(session)
    wishes = [wish_for(session, variant, name=f"{name} X", now=NOW + at * HOUR) for at, name in enumerate("ABC")]
    exact = queries.stand(session, variant.id)[wishes[1].id]
    assert queries.place_by_rank(session, wishes[1], variant_id=variant.id) == exact
    monkeypatch.setattr(showing, "LONGEST_QUEUE", 2)
    assert showing._Queue.read(session, variant).standing(session, wishes[2], variant.id).place == 3
