"""What the composer shows: the text in both forms, who receives it, what speaks against sending, what is offered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.addresses import Address
from concierge.catalogue import queries as catalogue
from concierge.catalogue.cards import ProductCard
from concierge.conversations import queries as conversations
from concierge.conversations.models import Conversation, Message
from concierge.conversations.snoozing import Moment
from concierge.customers import zones
from concierge.drafts import body, moments, queries, wording
from concierge.drafts.commands import Content
from concierge.drafts.gate import Objection
from concierge.drafts.models import Draft, DraftAttachment
from concierge.mailing.letters import phrases
from concierge.templating import queries as templating
from concierge.templating.queries import Choice


@dataclass(frozen=True, slots=True)
class Typed:
    """What a window holds that is not stored; stale when another window has stored something else."""

    content: Content
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything the composer's page needs, ready."""

    conversation: Conversation
    editor: Editor
    draft: Draft | None
    version: int
    subject: str
    text: str
    html: str
    language: str
    to: Address | None
    # how it may begin, in the letter's language; empty where nobody's name is known
    greeting: str
    sign_off: str
    seen_message_id: int
    cards: dict[str, ProductCard]
    attachments: Sequence[DraftAttachment]
    objections: Sequence[Objection]
    returned: Sequence[Objection]
    newer: Sequence[Message]
    others: Sequence[Draft]
    moments: Sequence[Moment]
    zone: ZoneInfo
    templates: Sequence[Choice]
    stored_text: str | None = None
    latest: Message | None = None
    overridable: Sequence[str] = field(default=())

    @property
    def placed(self) -> frozenset[int]:
        """The attachments shown within the text."""
        return frozenset(body.pictures(self.html))

    @property
    def is_leaving(self) -> bool:
        """Whether Send was pressed."""
        return self.draft is not None and self.draft.is_leaving

    @property
    def may_send_anyway(self) -> bool:
        """Whether everything that speaks against sending may be waved through, or is only a view grown old."""
        return bool(self.objections) and all(
            each.is_warning or each.reason == "newer_message" for each in self.objections
        )


def spread(
    session: Session,
    conversation: Conversation,
    editor: Editor,
    *,
    house_zone: ZoneInfo,
    now: datetime,
    seen_message_id: int | None = None,
    typed: Typed | None = None,
    objections: Sequence[Objection] = (),
) -> Sheet:
    """Lay out an editor's draft in a conversation, or an empty page; `typed` is shown instead of what is stored."""
    draft = queries.find_draft(session, conversation.id, editor.id)
    content = typed.content if typed else _content(draft, conversation)
    seen = seen_message_id if seen_message_id is not None else conversation.last_message_id or 0
    newer = queries.newer_messages(session, conversation.id, seen) if objections or seen_message_id is not None else []
    language = draft.language if draft else queries.language_of(conversation)
    zone = zone_of(conversation, house_zone)
    sign_off = editor.sign_off(language)
    signed = wording.is_signed(body.words(content.body), sign_off, editor.first_name)
    stale = typed is not None and typed.is_stale and draft is not None
    return Sheet(
        conversation=conversation,
        editor=editor,
        draft=draft,
        # After a conflict too: both texts are before her eyes then.
        version=draft.version if draft else 0,
        subject=content.subject,
        text=body.to_text(content.body),
        html=content.body,
        language=language,
        to=queries.recipient(session, conversation),
        greeting=_greeting(language, conversation.customer.first_name),
        sign_off="" if signed else sign_off,
        # What is shown beside the draft counts as seen from now on.
        seen_message_id=max([seen, *(message.id for message in newer)]),
        cards=catalogue.cards(session, body.cards(content.body), language),
        attachments=draft.attachments if draft else (),
        objections=objections,
        returned=[Objection.from_line(line) for line in draft.returned_reason.splitlines()] if draft else (),
        newer=newer,
        others=queries.list_drafts_of_others(session, conversation.id, editor.id),
        moments=moments.offered(now, zone),
        zone=zone,
        templates=templating.pick_templates(session, language=language),
        stored_text=body.to_text(draft.body) if stale and draft else None,
        latest=conversations.last_incoming(session, conversation),
        overridable=[each.reason.value for each in objections if each.is_warning],
    )


def _greeting(language: str, first_name: str) -> str:
    _ = phrases(language)
    return f"{_('Dear %(customer)s,', customer=first_name)} …" if first_name else ""


def zone_of(conversation: Conversation, house_zone: ZoneInfo) -> ZoneInfo:
    """The customer's time zone as far as we know it, else the house's."""
    customer = conversation.customer
    return zones.zone_of(customer.zone_name, customer.country, house_zone)


def _content(draft: Draft | None, conversation: Conversation) -> Content:
    if draft is not None:
        return Content(draft.body, draft.subject)
    return Content("", wording.reply_subject(conversation.subject))
