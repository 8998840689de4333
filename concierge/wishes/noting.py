"""Noting a wish in a conversation: what its mails propose, and the mail in which she asked, which is the proof."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.addresses import normalise
from concierge.catalogue.meant import list_meant
from concierge.catalogue.models import Product, Variant
from concierge.catalogue.sizes import system_known
from concierge.config import LANGUAGES, Policy
from concierge.conversations import queries as conversations
from concierge.conversations.models import Conversation, Direction, Message, MessageKind
from concierge.customers.commands import grant_consent
from concierge.customers.models import Consent, Customer
from concierge.drafts import body
from concierge.drafts.models import Draft
from concierge.drafts.queries import language_of
from concierge.errors import RuleBroken
from concierge.wishes import proposing
from concierge.wishes.answers import PURPOSE
from concierge.wishes.asking import LONGEST, asking_sentence
from concierge.wishes.commands import confirm_wish, make_wish
from concierge.wishes.kinds import folded
from concierge.wishes.models import Wish, WishWay
from concierge.wishes.proposing import Heard, Item, Piece, Proposal, Source
from concierge.wishes.requests import Wanted

# So many of the newest mails are read for what she may wish for, and so many of hers are offered as the proof.
_READ = 12
_MOST_PROOFS = 3
_CLOTHES = {"dress": "clothes"}
_SYSTEMS = {"DE": "EU"}


class NotHerMail(RuleBroken):
    """This is not a mail in which she wrote to us herself; choose another, or ask her first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A mail of hers that may be the proof: her words in it, and whether they ask for something."""

    message: Message
    words: str
    asks: bool


def propose(session: Session, conversation: Conversation) -> tuple[list[Product], tuple[Proposal, ...]]:
    """What she most likely wishes for, by the conversation as it stands, and the products meant."""
    heard = _hear(session, conversation)
    sought = proposing.sought(heard)
    products = list_meant(session, codes=sought.codes, names=sought.names, kinds=sought.kinds, colours=sought.colours)
    found = proposing.propose(heard, [_piece(each) for each in products])
    by_code = {each.code: each for each in products}
    return [by_code[each.code] for each in found], found


def list_asked(session: Session, conversation: Conversation) -> list[Asked]:
    """Her own mails in this conversation, the newest first, each with the words that would be kept as the proof."""
    hers = [
        each for each in reversed(conversations.list_messages(session, conversation)) if is_hers(each, conversation)
    ]
    return [_asked(each) for each in hers[:_MOST_PROOFS]]


def is_hers(message: Message, conversation: Conversation) -> bool:
    """Whether she wrote it herself, from an address known as hers, in this conversation."""
    addresses = {each.normalised for each in conversation.customer.addresses}
    is_human = message.direction is Direction.IN and message.kind is MessageKind.HUMAN
    return is_human and message.conversation_id == conversation.id and normalise(message.from_address) in addresses


def note_wish(
    session: Session,
    conversation: Conversation,
    wanted: Wanted,
    variants: Sequence[Variant],
    *,
    asked: Message | None,
    policy: Policy,
    by: Editor,
    now: datetime,
) -> Wish:
    """Note what she wishes for: it waits at once when she asked in the mail `asked`, else until she confirms it.

    Raises NotHerMail and whatever `make_wish` raises. An unconfirmed one is followed by `letters.ask_to_confirm`.
    """
    customer, language = conversation.customer, _language(conversation)
    consent = _agree(session, customer, conversation, asked, by=by, now=now) if asked else None
    wish = make_wish(
        session,
        customer,
        variants,
        way=WishWay.EDITOR,
        mailbox=conversation.mailbox,
        language=language,
        quantity=wanted.quantity,
        needed_by=wanted.needed_by,
        ceiling_cents=wanted.ceiling_cents,
        or_similar=wanted.or_similar,
        conversation=conversation,
        editor=conversation.editor or by,
        message=asked,
        consent=consent,
        policy=policy,
        by=by,
        now=now,
    )
    _tell(session, conversation, wish, by=by, now=now)
    return wish


def confirm_in_writing(session: Session, wish: Wish, asked: Message, *, by: Editor, now: datetime) -> None:
    """She has said yes in a mail, not by the link of our letter; raises NotHerMail, WishEnded, AlreadyConfirmed."""
    conversation = conversations.get_conversation(session, asked.conversation_id)
    if conversation.customer_id != wish.customer_id:
        raise NotHerMail
    consent = _agree(session, conversation.customer, conversation, asked, by=by, now=now)
    confirm_wish(session, wish, consent, now=now)
    wish.message_id = asked.id


def variants_of(product: Product, skus: Iterable[str]) -> list[Variant]:
    """Those of a product's variants that were ticked, as they were ticked; what is none of its own is left out."""
    by_sku = {each.sku: each for each in product.variants}
    return [by_sku[sku] for sku in dict.fromkeys(skus) if sku in by_sku]


def _agree(
    session: Session, customer: Customer, conversation: Conversation, asked: Message, *, by: Editor, now: datetime
) -> Consent:
    if not is_hers(asked, conversation):
        raise NotHerMail
    words = _asked(asked).words
    proof: dict[str, Any] = {
        "message_id": asked.id,
        "conversation_id": conversation.id,
        "rfc_message_id": asked.rfc_message_id,
        "from": asked.from_address,
        "written_at": (asked.written_at or asked.created_at).isoformat(),
        "received_at": asked.created_at.isoformat(),
        "shown": words,
        "noted_by": by.id,
        "noted_at": now.isoformat(),
    }
    language = asked.language or conversation.language
    return grant_consent(
        session, customer, purpose=PURPOSE, words=words, language=language, way="mail", proof=proof, now=now
    )


def _asked(message: Message) -> Asked:
    written = conversations.own_words(message)
    sentence = asking_sentence(written)
    return Asked(message, sentence or " ".join(written.split())[:LONGEST], bool(sentence))


def _tell(session: Session, conversation: Conversation, wish: Wish, *, by: Editor, now: datetime) -> None:
    """The conversation's history tells of it, and pages that show it are drawn anew."""
    piece = wish.product.name(by.language)
    sizes = " / ".join(dict.fromkeys(choice.variant.size for choice in wish.choices if choice.variant.size))
    what = ", ".join(filter(None, (piece, sizes)))
    audit.record(session, "conversation.wished", conversation, by=by, now=now, wish=wish.id, what=what)


def _hear(session: Session, conversation: Conversation) -> Heard:
    messages = list(reversed(conversations.list_messages(session, conversation)))[:_READ]
    people = [each for each in messages if each.kind is MessageKind.HUMAN]
    texts = [(each.direction, conversations.own_words(each)) for each in people]
    first = next((at for at, (direction, text) in enumerate(texts) if direction is Direction.IN and text.strip()), None)
    hers = [texts.pop(first)[1]] if first is not None else []
    written = [
        *(proposing.source(text) for text in hers),
        *_drafts(session, conversation),
        *(proposing.source(text) for _direction, text in texts),
        proposing.source(conversation.subject),
    ]
    customer = conversation.customer
    usual = {
        _CLOTHES.get(each.kind, each.kind): (_SYSTEMS.get(each.system, each.system), each.value)
        for each in customer.sizes
    }
    return Heard(
        written=tuple(written),
        quoted=tuple(proposing.source(each.text[each.fold_at :]) for each in people if each.fold_at is not None),
        usual=usual,
        system=system_known(customer.country),
        people=frozenset(folded(f"{customer.name} {customer.first_name} {conversation.mailbox.brand}").split()),
    )


def _drafts(session: Session, conversation: Conversation) -> list[Source]:
    """What is being answered: the cards that were chosen, and the words around them."""
    statement = sa.select(Draft.body).where(Draft.conversation_id == conversation.id, Draft.body != "")
    found = session.scalars(statement.order_by(Draft.updated_at.desc()).limit(3))
    return [proposing.source(body.words(each), body.cards(each)) for each in found]


def _piece(product: Product) -> Piece:
    return Piece(
        code=product.code,
        names=tuple(each.name for each in product.texts),
        designer=product.designer,
        category=product.category,
        link=product.link,
        items=tuple(Item(each.sku, each.colour, each.size, each.size_system) for each in product.variants),
    )


def _language(conversation: Conversation) -> str:
    language = language_of(conversation)
    return language if language in LANGUAGES else "en"
