"""Files a mail that was read: whose is it, which mailbox, and then the conversation takes it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from concierge import tokens
from concierge.accounts.models import Mailbox
from concierge.accounts.queries import House
from concierge.addresses import Address, normalise
from concierge.blobs import BlobStore
from concierge.conversations import queries as conversations
from concierge.conversations.commands import FileIn, MailIn, add_flags, file_message
from concierge.conversations.models import Conversation, Message
from concierge.customers.commands import add_writer, note_writer
from concierge.customers.models import Customer
from concierge.customers.offsets import Sighting
from concierge.customers.queries import Writer, find_writer
from concierge.inbound.authenticity import NOBODY, Trust, believed, is_authentic, read_posted, read_score
from concierge.inbound.claims import Claim, Outcome
from concierge.inbound.effects import EFFECTS, Change, Effect, Stranger
from concierge.inbound.fingerprints import fingerprint
from concierge.inbound.models import BY_HAND, InboundState
from concierge.inbound.parsed import Kind, ParsedMail
from concierge.inbound.reasons import ALSO_TO
from concierge.inbound.returning import CameBack, find_returned, note_failures, unsubscribe

# Senders that name nobody for certain; such a mail is never laid to a customer's account (T11).
# A mail program's clock that is farther off than this is not believed about its zone either.
_DATED_RIGHT = timedelta(days=2)
_NOBODY = ("unclear-sender", "several-senders", "several-froms")


@dataclass(frozen=True, slots=True)
class ReadMail:
    """A mail understood, its files kept as blobs already."""

    parsed: ParsedMail
    files: tuple[FileIn, ...]


def keep_files(blobs: BlobStore, parsed: ParsedMail) -> ReadMail:
    """Put the attachments' bytes into the store, before any transaction begins; raises OSError."""
    files = tuple(
        FileIn(
            filename=each.filename,
            content_type=each.content_type[:127],
            size=len(each.data),
            blob_key=blobs.put(each.data),
            cid=each.cid,
            inline=each.inline,
        )
        for each in parsed.attachments
    )
    return ReadMail(parsed, files)


@dataclass(frozen=True, slots=True)
class _Case:
    """A mail that came from somebody to one of our mailboxes; `also_to` are the others it was written to."""

    mail: Claim
    read: ReadMail
    sender: Address
    mailbox: Mailbox
    also_to: tuple[Mailbox, ...]
    fingerprint: str
    house: House
    authentic: bool | None
    came_back: CameBack | None = None

    @property
    def kind(self) -> Kind:
        """What the mail is to us: what came through a list that is our own mailbox, or was let in, is a person's."""
        kind, parsed = self.read.parsed.kind, self.read.parsed
        if kind is Kind.SPAM and self.mail.reason == BY_HAND:
            return Kind.HUMAN
        if kind is Kind.LIST and any(normalise(each.address) in parsed.lists for each in (self.mailbox, *self.also_to)):
            return Kind.HUMAN
        return kind

    @property
    def effect(self) -> Effect:
        """What follows from it."""
        return EFFECTS[self.kind]

    @property
    def flags(self) -> tuple[str, ...]:
        """What is odd about it, and to whom else of ours it was written."""
        warned = ("spam",) if self.kind is Kind.SPAM else ()
        return (*self.read.parsed.flags, *warned, *(f"{ALSO_TO} {each.address}" for each in self.also_to))


def settle_mail(
    session: Session, mail: Claim, read: ReadMail, *, house: House, secret: str, now: datetime, trust: Trust = NOBODY
) -> Outcome:
    """File *mail*, or tell why it is not filed. Nothing in it acts as staff, whatever it says (T24).

    *trust* says whose word on its sender counts.
    """
    read = _scored(mail, read, trust)
    parsed = read.parsed
    mailboxes = _find_mailboxes(session, house, mail, parsed, secret)
    if not mailboxes:
        return _ignored("no-mailbox")
    if (sender := _sender(mail, parsed)) is None:
        return _quarantined(_why_nobody(parsed))
    if _is_kept_out(house, mail, sender):
        return _ignored("our-own-copy")
    mailbox, *others = mailboxes
    found = (*believed(parsed.verdicts, trust), *read_posted(mail.verdicts or {}, mail.envelope_from))
    authentic = is_authentic(sender.domain, found)
    case = _Case(mail, read, sender, mailbox, tuple(others), fingerprint(parsed, mail.blob_key), house, authentic)
    return _file_once(session, case, secret=secret, now=now)


def _scored(mail: Claim, read: ReadMail, trust: Trust) -> ReadMail:
    """As unwanted, where the provider that took it in gives it such a score; machines' mail is known by more."""
    unwanted = trust.spam_score and mail.verdicts and read_score(mail.verdicts) >= trust.spam_score
    if not unwanted or read.parsed.kind not in (Kind.HUMAN, Kind.UNSUBSCRIBE):
        return read
    return replace(read, parsed=replace(read.parsed, kind=Kind.SPAM, kind_reason="spam"))


def _ignored(reason: str, message_id: int | None = None) -> Outcome:
    return Outcome(InboundState.IGNORED, reason, message_id)


def _quarantined(reason: str) -> Outcome:
    return Outcome(InboundState.QUARANTINED, reason)


def _sender(mail: Claim, parsed: ParsedMail) -> Address | None:
    """Who wrote it; of a mail filed by hand the sender of its envelope, as was said to whom pressed the button."""
    # Of what was only thought unwanted the sender was never in doubt.
    if mail.reason != BY_HAND or not mail.envelope_from or (parsed.sender and parsed.kind is Kind.SPAM):
        return parsed.sender
    said = parsed.sender
    same = said is not None and normalise(said.address) == normalise(mail.envelope_from)
    return said if same else Address("", mail.envelope_from)


def _is_kept_out(house: House, mail: Claim, sender: Address) -> bool:
    """Mail from ourselves, unless somebody had one of an editor's filed by hand; the house's own mail is never."""
    return house.owns(sender.address) if mail.reason == BY_HAND else house.is_ours(sender.address)


def _file_once(session: Session, case: _Case, *, secret: str, now: datetime) -> Outcome:
    if (copy := conversations.find_copy(session, case.fingerprint)) is not None:
        _note_copy(conversations.get_message(session, copy), case)
        return _ignored("seen-before", copy)
    noted = 0
    if case.effect.change is Change.DELIVERY:
        case = _with_what_came_back(session, case, secret)
        noted = note_failures(session, case.read.parsed, case.came_back, case.fingerprint, now=now)
    if (writer := _whose(session, case, secret=secret, now=now)) is not None:
        number = file_message(session, _mail_in(case, writer), house=case.house, secret=secret, now=now)
        if case.effect.change is Change.PURPOSE:
            done = unsubscribe(session, case.read.parsed, session.get_one(Customer, writer.id), now=now)
            add_flags(conversations.get_message(session, number), [done])
        return Outcome(InboundState.FILED, message_id=number)
    if case.effect.stranger is Stranger.WAITS:
        return _quarantined(case.read.parsed.kind_reason)
    return _ignored("noted" if noted else "no-matter")


def _note_copy(message: Message, case: _Case) -> None:
    """It came to another of our mailboxes as well."""
    others = [each for each in (case.mailbox, *case.also_to) if each.id != message.mailbox_id]
    add_flags(message, [f"{ALSO_TO} {each.address}" for each in others])


def _with_what_came_back(session: Session, case: _Case, secret: str) -> _Case:
    """The report with the mail it is about, where it came to that mail's return path, as if it named it."""
    parsed = case.read.parsed
    reached = (*case.mail.recipients, *(each.address for each in (*parsed.delivered_to, *parsed.to)))
    if (came_back := find_returned(session, secret, reached)) is None:
        return case
    named = (*parsed.references, came_back.delivery.message_id.strip("<>"))
    return replace(case, came_back=came_back, read=replace(case.read, parsed=replace(parsed, references=named)))


def _find_mailboxes(session: Session, house: House, mail: Claim, parsed: ParsedMail, secret: str) -> list[Mailbox]:
    """Our mailboxes it was written to: those it names in To and Cc, in that order, then those of its envelope alone.

    The first files it. It is the same one however many deliveries the mail comes in, each with some of its recipients.
    Of a mail whose envelope has none of ours there are none, whatever it names; without an envelope its header counts.
    What comes back to an address that is for nothing else belongs where that mail came from.
    """
    named = [each.address for each in (*parsed.to, *parsed.cc)]
    reached = mail.recipients or [*(each.address for each in parsed.delivered_to), *named]
    if house.find_mailboxes(reached):
        return house.find_mailboxes([*named, *reached])
    came_back = find_returned(session, secret, reached)
    return house.find_mailboxes([came_back.delivery.content["sender"]["address"]]) if came_back else []


def _why_nobody(parsed: ParsedMail) -> str:
    return next((flag for flag in _NOBODY if flag in parsed.flags), "no-sender")


def _whose(session: Session, case: _Case, *, secret: str, now: datetime) -> Writer | None:
    """The customer it is from: known by any of her addresses, else new, if mail of its kind may begin anything.

    What a mail system sends belongs to whom we wrote to.
    """
    parsed, sender = case.read.parsed, case.sender
    if case.effect.change is Change.DELIVERY:
        about = _conversation_it_is_about(session, case, secret)
        return Writer(about.customer.id, about.customer.name, about.customer.language) if about else None
    if (writer := find_writer(session, sender.address)) is not None:
        clock = _her_clock(case)
        return note_writer(session, writer, name=sender.name, first_name=parsed.first_name, sighting=clock)
    if case.effect.stranger is not Stranger.BEGINS:
        return None
    return add_writer(
        session,
        name=sender.name,
        first_name=parsed.first_name,
        address=sender.address,
        language=parsed.language or case.mailbox.language,
        sighting=_her_clock(case),
        now=now,
    )


def _conversation_it_is_about(session: Session, case: _Case, secret: str) -> Conversation | None:
    """Where the mail that came back belongs: by our signed key, in a recipient or in a Message-ID of ours."""
    parsed = case.read.parsed
    ids = (*parsed.references, *parsed.in_reply_to)
    recipients = (*case.mail.recipients, *(each.address for each in parsed.to))
    keys = [each.partition("@")[0].partition("+")[2] for each in recipients]
    keys += [key for message_id in ids for key in tokens.keys_in(message_id)]
    keyed = [number for key in keys if (number := tokens.read_reply_key(secret, key)) is not None]
    found = conversations.list_existing(session, tuple(keyed))
    return session.get(Conversation, found[0]) if found else None


def _her_clock(case: _Case) -> Sighting | None:
    """What the date of her own mail says of where she is; a date far from when it came says nothing."""
    parsed, received_at = case.read.parsed, case.mail.received_at
    if case.effect.change is not Change.CLOCK or case.mail.reason == BY_HAND:
        return None
    if parsed.offset is None or parsed.sent_at is None:
        return None
    if case.mail.source != "import" and abs(parsed.sent_at - received_at) >= _DATED_RIGHT:
        return None
    return Sighting(parsed.sent_at, parsed.offset)


def _mail_in(case: _Case, customer: Writer) -> MailIn:
    mail, parsed = case.mail, case.read.parsed
    written_at = parsed.sent_at if parsed.sent_at and parsed.sent_at <= mail.received_at else None
    return MailIn(
        mailbox=case.mailbox,
        customer=customer,
        sender=case.sender,
        # An imported mail came when it was written, not today.
        received_at=(written_at or mail.received_at) if mail.source == "import" else mail.received_at,
        subject=parsed.subject,
        text=parsed.text,
        fold_at=parsed.fold_at,
        html=parsed.html,
        kind=case.effect.filed_as,
        kind_reason=parsed.kind_reason,
        language=parsed.language or "",
        flags=case.flags,
        authentic=case.authentic,
        to=parsed.to,
        cc=parsed.cc,
        reply_to=parsed.reply_to,
        recipients=tuple(mail.recipients),
        rfc_message_id=parsed.message_id,
        in_reply_to=parsed.in_reply_to,
        references=parsed.references,
        fingerprint=case.fingerprint,
        raw_key=mail.blob_key,
        written_at=parsed.sent_at,
        attachments=case.read.files,
    )
