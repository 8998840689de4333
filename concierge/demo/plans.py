"""Brings three plans into the demo house, on since a while: some of what they did lies behind, some is to come."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.accounts.queries import read_house
from concierge.addresses import Address
from concierge.catalogue.models import Variant
from concierge.catalogue.purchases import PurchaseReport, report_purchase
from concierge.catalogue.queries import search_variants
from concierge.config import Config
from concierge.conversations.commands import MailIn, close_conversation, file_message
from concierge.conversations.models import Conversation, ConversationState
from concierge.conversations.queries import references_for
from concierge.customers.courtesy import Late
from concierge.customers.queries import Writer
from concierge.drafts import desk
from concierge.drafts.letter import Faces
from concierge.drafts.queries import product_words
from concierge.followups import carrying, plan_commands, queries, releasing
from concierge.followups.conditions import Asking
from concierge.followups.models import FollowUp, FollowUpState
from concierge.followups.plan_commands import PlanAsWritten, StepAsWritten
from concierge.followups.plan_facts import Fact
from concierge.followups.plan_models import Plan, PlanRun
from concierge.followups.plans import Start, StopsAlso
from concierge.followups.schedule import Window
from concierge.mailing.models import DeliveryState
from concierge.templating.models import Template

_SINCE = timedelta(days=40)
_ORDERS = 12
_DRAFTS = 3
_WEEK = frozenset(range(5))
# Every so many of those who bought answer the first letter, and buy once more.
_ANSWERS_EVERY, _BUYS_EVERY = 3, 5
_THANKS = {
    "en": "How kind of you to ask! It is perfect, and I shall wear it on Saturday.",
    "it": "Che gentile a chiederlo! È perfetto, e sabato lo metto.",
}


def bring_plans(
    session: Session, config: Config, editors: Mapping[str, Editor], variants: Mapping[str, Variant], *, now: datetime
) -> list[Plan]:
    """Omar's three plans, and what the first two have done by `now`; the third finds its own facts."""
    plans = [_write(session, written, by=editors["omar"], now=now) for written in _plans(session)]
    here = [each for each in variants.values() if each.available]
    bought = _Afterwards(session, config, plans[0])
    for number, talk in enumerate(_settled(session, now)):
        bought.live(talk, here[number % len(here)], number, now=now)
    for talk in _answered(session):
        _propose(session, config, plans[1], talk, now=now)
    session.flush()
    return plans


def _plans(session: Session) -> Iterator[PlanAsWritten]:
    numbers = {name: number for name, number in session.execute(sa.select(Template.name, Template.id))}
    first, second, third = (numbers[f"After a purchase: {name}"] for name in ("thanks", "how does it fit?", "care"))
    yield PlanAsWritten(
        "After a purchase",
        Start.DELIVERED,
        [
            StepAsWritten(first, 1, Window(9, 19), when_late=Late.SKIPPED),
            StepAsWritten(second, 6, Window(10, 19)),
            StepAsWritten(third, 21, Window(10, 18, _WEEK), when_late=Late.SENT),
        ],
        stops_also=frozenset({StopsAlso.PROMISE}),
    )
    yield PlanAsWritten(
        "After a sold-out answer",
        Start.SILENT,
        [StepAsWritten(numbers["After a sold-out answer: a look at alternatives"], 0, Window(10, 19), needs_yes=True)],
        days=4,
        template_id=numbers["Sold out in her size"],
        stops_also=frozenset({StopsAlso.OFFER, StopsAlso.PROMISE}),
    )
    yield PlanAsWritten(
        "After a pass",
        Start.PASSED,
        [StepAsWritten(numbers["After a pass: a note"], 3, Window(10, 18, _WEEK), needs_yes=True)],
        stops_also=frozenset({StopsAlso.OFFER}),
    )


def _write(session: Session, written: PlanAsWritten, *, by: Editor, now: datetime) -> Plan:
    plan = plan_commands.write_plan(session, written, by=by, now=now - _SINCE)
    plan_commands.switch_on(session, plan, by=by, now=now - _SINCE)
    return plan


def _settled(session: Session, now: datetime) -> list[Conversation]:
    """What was closed two to four weeks ago, one of each customer."""
    statement = (
        sa.select(Conversation)
        .where(Conversation.state == ConversationState.CLOSED, Conversation.not_for_us_at.is_(None))
        .where(Conversation.editor_id.is_not(None), Conversation.closed_by_id.is_not(None))
        .where(Conversation.last_message_at.between(now - timedelta(days=29), now - timedelta(days=12)))
        .order_by(Conversation.last_message_at, Conversation.id)
    )
    by_customer = {each.customer_id: each for each in reversed(list(session.scalars(statement)))}
    return sorted(by_customer.values(), key=lambda each: each.last_message_at)[:_ORDERS]


def _answered(session: Session) -> list[Conversation]:
    """Answered conversations about a size that is gone, in which nothing is planned, the longest silent first."""
    planned = sa.select(FollowUp.conversation_id)
    statement = (
        sa.select(Conversation)
        .where(Conversation.state == ConversationState.OPEN, Conversation.waiting_since.is_(None))
        .where(Conversation.editor_id.is_not(None), Conversation.id.not_in(planned))
        .order_by(Conversation.last_message_at, Conversation.id)
    )
    return [each for each in session.scalars(statement) if _is_about_what_is_gone(session, each)][:_DRAFTS]


def _is_about_what_is_gone(session: Session, talk: Conversation) -> bool:
    """Whether its subject names a piece and a size, and that is sold out."""
    words = product_words(session, talk)
    found = search_variants(session, words, limit=1) if re.search(r"\d", words) else []
    return bool(found) and not found[0].available


def _propose(session: Session, config: Config, plan: Plan, talk: Conversation, *, now: datetime) -> None:
    """Its editor began the plan for her a day ago; the draft was due since, and waits for her yes."""
    assert talk.editor is not None
    run = plan_commands.begin_plan(
        session, plan, talk, seen_message_id=queries.newest_message_id(session), by=talk.editor, policy=config.policy,
        now=now - timedelta(days=1),
    )  # fmt: skip
    for draft in _scheduled(session, run):
        draft.ask(Asking.PLANNED_SO, now=min(draft.due_at, now))


def _scheduled(session: Session, run: PlanRun) -> list[FollowUp]:
    planned = (FollowUp.plan_run_id == run.id, FollowUp.state == FollowUpState.SCHEDULED)
    return list(session.scalars(sa.select(FollowUp).where(*planned)))


class _Afterwards:
    """What happens after an order was delivered, by the very code that does it every day."""

    def __init__(self, session: Session, config: Config, plan: Plan) -> None:
        self._session, self._config, self._plan = session, config, plan
        pictures = desk.mail_pictures(config.blobs_url)
        self._faces = Faces(card=pictures.card, face=pictures.face, placed=lambda _key: None)

    def live(self, talk: Conversation, variant: Variant, number: int, *, now: datetime) -> None:
        """She has her parcel three days after her last mail; from there on, day by day, until `now`."""
        at = talk.last_message_at + timedelta(days=3)
        bought = self._buy(talk, variant, number, at - timedelta(days=2), delivered_at=at)
        fact = Fact(bought, at, talk.customer_id, talk.id, variant.sku)
        run = carrying.start_run(
            self._session, self._plan, talk, fact, Start.DELIVERED, by=None, policy=self._config.policy, now=at
        )
        while run is not None and run.is_living and (planned := _scheduled(self._session, run)):
            if planned[0].due_at >= now:
                return
            if not self._release(planned[0]):
                return
            self._react(talk, variant, number, planned[0].due_at)

    def _buy(
        self, talk: Conversation, variant: Variant, number: int, at: datetime, *, delivered_at: datetime | None = None
    ) -> int:
        order = PurchaseReport(
            "shop", f"P-{4100 + number}:1", variant.sku, at, price_cents=variant.product.price_cents,
            address=talk.customer.address, delivered_at=delivered_at,
        )  # fmt: skip
        purchase = report_purchase(self._session, order, now=max(at, delivered_at or at))
        # long ago: the shop's counts have it missing since
        variant.promised -= purchase.unsettled
        purchase.unsettled = 0
        return purchase.id

    def _release(self, step: FollowUp) -> bool:
        at, policy = step.due_at, self._config.policy
        kindness, house = queries.kindness_of(policy), desk.house_of(self._config)
        message = releasing.release_follow_up(self._session, step.id, self._faces, house, kindness, now=at)
        self._session.flush()
        if message is not None and step.delivery is not None:
            sent = step.delivery
            sent.state, sent.sent_at, sent.settled_at = DeliveryState.SENT, at, at
            sent.attempts, sent.provider = 1, "folder"
        carrying.go_on(self._session, step.id, policy=policy, now=at)
        return message is not None

    def _react(self, talk: Conversation, variant: Variant, number: int, at: datetime) -> None:
        """Some answer a letter, and their editor closes the matter again; some buy once more."""
        if number % _ANSWERS_EVERY == 1 and talk.last_message_at <= at:
            self._answer(talk, at + timedelta(hours=7))
        elif number % _BUYS_EVERY == 0:
            self._buy(talk, variant, 100 + number, at + timedelta(days=2))

    def _answer(self, talk: Conversation, at: datetime) -> None:
        customer, (references, parent) = talk.customer, references_for(self._session, talk)
        mail = MailIn(
            mailbox=talk.mailbox, customer=Writer(customer.id, customer.name, customer.language),
            sender=Address(customer.name, customer.address), received_at=at,
            subject=f"Re: {talk.subject}", text=_THANKS.get(talk.language, _THANKS["en"]),
            rfc_message_id=f"thanks-{talk.id}@{customer.address.rpartition('@')[2]}",
            to=(Address("", talk.mailbox.address),), in_reply_to=(parent,) if parent else (), references=references,
        )  # fmt: skip
        file_message(self._session, mail, house=read_house(self._session), secret=self._config.secret, now=at)
        self._session.refresh(talk)
        assert talk.editor is not None
        if talk.state is not ConversationState.CLOSED:
            close_conversation(self._session, talk, by=talk.editor, now=at + timedelta(hours=1))
