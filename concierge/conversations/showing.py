"""Everything a conversation's page shows, made ready: its mails, notes and history in one line of time."""

from dataclasses import dataclass, replace
from datetime import datetime
from zlib import crc32

from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.accounts.queries import list_answering_editors
from concierge.addresses import normalise
from concierge.conversations import display, history, queries
from concierge.conversations.doubts import find_doubts
from concierge.conversations.history import Event
from concierge.conversations.likenesses import Likeness
from concierge.conversations.listing import Row, list_by_id, list_of_customer
from concierge.conversations.looks import Look
from concierge.conversations.models import Attachment, Conversation, Direction, Message, MessageKind, Note
from concierge.conversations.recipients import Elsewhere, find_elsewhere
from concierge.conversations.sameness import Proof
from concierge.conversations.second_addresses import find_proof


@dataclass(frozen=True, slots=True)
class MessageShown:
    """A mail: what was written, what is folded; `look` when its HTML shows more than its text, and stands in a frame
    when `is_framed`."""

    message: Message
    kind: str
    at: datetime
    # whom it names in To and Cc
    to: tuple[str, ...]
    written: tuple[display.Span, ...]
    folded: tuple[display.Span, ...]
    look: Look | None
    is_framed: bool
    files: tuple[Attachment, ...]
    # what was odd about it when it was read, by code
    oddities: tuple[str, ...]
    is_new: bool
    failed: bool
    # where it asks for answers, if that is a stranger's house, and where they go (T25)
    elsewhere: Elsewhere | None
    # its pictures are fetched unasked
    loads: bool = False
    # whom its sender could be taken for (T25)
    doubts: tuple[Likeness, ...] = ()


@dataclass(frozen=True, slots=True)
class NoteShown:
    """A note, in pieces so that the names in it can be set apart."""

    note: Note
    at: datetime


Shown = MessageShown | NoteShown | Event


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation as its page shows it."""

    conversation: Conversation
    timeline: tuple[Shown, ...]
    others: tuple[Row, ...]
    hint: Row | None
    # what makes it sure that it is the customer of the hint, at another address of hers
    proof: Proof | None
    editors: tuple[Editor, ...]
    names_you: bool
    seen: int
    version: str

    @property
    def head(self) -> str:
        """A word that changes with what the head shows: while it stays, an open menu stays untouched."""
        talk = self.conversation
        facts = (talk.state, talk.editor_id, talk.snoozed_until, talk.not_for_us_at, talk.failed_at, self.names_you)
        return f"{crc32(repr((facts, [tag.name for tag in talk.tags])).encode()):x}"

    @property
    def colleagues(self) -> tuple[Editor, ...]:
        """Those it could be given to."""
        return tuple(editor for editor in self.editors if editor is not self.conversation.editor)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The mail she wants to see in words alone, and the one she wants to see as it was designed, by their numbers."""

    plain: int | None = None
    framed: int | None = None


_NOTHING = Wanted()


def show(
    session: Session,
    conversation: Conversation,
    *,
    editor: Editor,
    seen: int | None = None,
    wanted: Wanted = _NOTHING,
) -> Talk:
    """All of it; mails that came after the message `seen` are marked as new (None: nothing is new)."""
    version = queries.last_change(session, conversation)
    messages = queries.list_messages(session, conversation)
    looks = queries.list_designed(session, conversation)
    others = list_of_customer(session, conversation.customer_id, limit=9)
    is_alone = all(row.id == conversation.id for row in others)
    doubts = find_doubts(session, conversation, messages, is_alone=is_alone)
    mails = [_message(session, message, looks.get(message.id), seen, wanted) for message in messages]
    loading = queries.list_loading(session, messages)
    shown: list[Shown] = [
        replace(each, doubts=doubts.get(each.message.id, ()), loads=each.message.id in loading) for each in mails
    ]
    shown += [NoteShown(note, note.created_at) for note in queries.list_notes(session, conversation)]
    shown += history.list_events(session, conversation)
    hint = conversation.hint_conversation_id
    hinted = queries.list_existing(session, [hint]) if hint else ()
    all_doubts = [one for each in doubts.values() for one in each]
    newest = max((message.id for message in messages), default=0)
    return Talk(
        conversation=conversation,
        timeline=tuple(sorted(shown, key=lambda each: each.at)),
        others=tuple(row for row in others if row.id != conversation.id),
        hint=next(iter(list_by_id(session, hinted)), None) if hinted else None,
        proof=find_proof(session, conversation, messages, all_doubts) if hinted else None,
        editors=tuple(list_answering_editors(session)),
        names_you=queries.has_unseen_mention(session, conversation, editor),
        seen=newest if seen is None else seen,
        version=version,
    )


def _message(session: Session, message: Message, look: Look | None, seen: int | None, wanted: Wanted) -> MessageShown:
    written, folded = display.fold(message.text, message.fold_at)
    is_in = message.direction is Direction.IN
    kind = message.direction.value if message.kind is MessageKind.HUMAN else "automatic"
    is_plain = message.id == wanted.plain or look is None
    is_framed = not is_plain and (message.id == wanted.framed or (look is not None and look.is_rich))
    # Pictures within the words are seen in the frame, or are those of the mail it quotes.
    hides_inline = not is_plain
    return MessageShown(
        message=message,
        kind=kind,
        at=message.created_at,
        to=tuple(_named(one, message.conversation.mailbox.address) for one in (*message.to, *message.cc)),
        written=display.spans(written),
        folded=display.spans(folded),
        look=look,
        is_framed=is_framed,
        files=tuple(file for file in message.attachments if not (file.inline and hides_inline)),
        oddities=tuple(dict.fromkeys(message.flags)),
        is_new=is_in and seen is not None and message.id > seen,
        failed=message.delivery is not None and message.delivery.state.value in _NOT_ARRIVED,
        elsewhere=find_elsewhere(session, message.conversation, message) if is_in else None,
    )


def _named(one: dict[str, str], mailbox: str) -> str:
    """A recipient by name, else by address; our signed address without its key, which opens the conversation."""
    local, _at, domain = normalise(mailbox).partition("@")
    written, _at, at_house = normalise(one["address"]).rpartition("@")
    keyed = at_house == domain and written.startswith(f"{local}+")
    address = mailbox if keyed else one["address"]
    name = one["name"]
    return address if not name or "@" in name else name


_NOT_ARRIVED = frozenset({"bounced", "rejected", "failed", "uncertain", "withheld"})
