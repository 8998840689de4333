"""Files a mail that was read: whose is it, which mailbox, and then the conversation takes it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from concierge import tokens
from concierge.accounts.models import Mailbox
from concierge.accounts.queries import find_mailbox, find_mailboxes
from concierge.addresses import Address, normalise
from concierge.blobs import BlobStore
from concierge.conversations import queries as conversations
from concierge.conversations.commands import FileIn, MailIn, add_flags, file_message
from concierge.conversations.models import Conversation, Message
from concierge.customers import queries as customers
from concierge.customers.commands import add_customer, note_offset
from concierge.customers.models import Customer
from concierge.inbound import queries
from concierge.inbound.authenticity import NOBODY, Trust, believed, is_authentic, read_posted, read_score
from concierge.inbound.commands import file_mail, quarantine_mail, set_aside
from concierge.inbound.effects import EFFECTS, Change, Effect, Stranger
from concierge.inbound.fingerprints import fingerprint
from concierge.inbound.models import BY_HAND, InboundMail
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

    mail: InboundMail
    read: ReadMail
    sender: Address
    mailbox: Mailbox
    also_to: tuple[Mailbox, ...]
    fingerprint: str
    authentic: bool | None
    came_back: CameBack | None = None

    @property
    def kind(self) -> Kind:
        """What the mail is to us: what came through a list that is our own mailbox, or was let in, is a person's."""
        kind = self.read.parsed.kind
        ours = {normalise(each.address) for each in (self.mailbox, *self.also_to)}
        let_in = self.mail.reason == BY_HAND and kind is Kind.SPAM
        return Kind.HUMAN if let_in or (kind is Kind.LIST and ours & set(self.read.parsed.lists)) else kind

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
    session: Session, mail: InboundMail, read: ReadMail, *, secret: str, now: datetime, trust: Trust = NOBODY
) -> None:
    """File *mail*, or settle why it is not filed. Nothing in it acts as staff, whatever it says (T24).

    *trust* says whose word on its sender counts.
    """
    read = _scored(mail, read, trust)
    parsed = read.parsed
    mailboxes = _find_mailboxes(session, mail, parsed, secret)
    if not mailboxes:
        set_aside(mail, "no-mailbox", now=now)
    elif (sender := _sender(mail, parsed)) is None:
        quarantine_mail(session, mail, _why_nobody(parsed), now=now)
    elif _is_kept_out(session, mail, sender):
        set_aside(mail, "our-own-copy", now=now)
    else:
        mailbox, *others = mailboxes
        found = (*believed(parsed.verdicts, trust), *read_posted(mail.verdicts or {}, mail.envelope_from))
        authentic = is_authentic(sender.domain, found)
        case = _Case(mail, read, sender, mailbox, tuple(others), fingerprint(parsed, mail.blob_key), authentic)
        _file_once(session, case, secret=secret, now=now)


def _scored(mail: InboundMail, read: ReadMail, trust: Trust) -> ReadMail:
    """As unwanted, where the provider that took it in gives it such a score; machines' mail is known by more."""
    unwanted = trust.spam_score and mail.verdicts and read_score(mail.verdicts) >= trust.spam_score
    if not unwanted or read.parsed.kind not in (Kind.HUMAN, Kind.UNSUBSCRIBE):
        return read
    return replace(read, parsed=replace(read.parsed, kind=Kind.SPAM, kind_reason="spam"))


def _sender(mail: InboundMail, parsed: ParsedMail) -> Address | None:
    """Who wrote it; of a mail filed by hand the sender of its envelope, as was said to whom pressed the button."""
    # Of what was only thought unwanted the sender was never in doubt.
    if mail.reason != BY_HAND or not mail.envelope_from or (parsed.sender and parsed.kind is Kind.SPAM):
        return parsed.sender
    said = parsed.sender
    same = said is not None and normalise(said.address) == normalise(mail.envelope_from)
    return said if same else Address("", mail.envelope_from)


def _is_kept_out(session: Session, mail: InboundMail, sender: Address) -> bool:
    """Mail from ourselves, unless somebody had one of an editor's filed by hand; the house's own mail is never."""
    if mail.reason == BY_HAND:
        return find_mailbox(session, sender.address) is not None
    return queries.is_ours(session, sender.address)


def _file_once(session: Session, case: _Case, *, secret: str, now: datetime) -> None:
    known = queries.find_message(session, case.fingerprint)
    if known is not None:
        set_aside(case.mail, "seen-before", now=now)
        case.mail.message_id = known.id
        to = [case.mailbox, *case.also_to]
        add_flags(known, [f"{ALSO_TO} {each.address}" for each in to if each.id != known.mailbox_id])
        return
    noted = 0
    if case.effect.change is Change.DELIVERY:
        case = _with_what_came_back(session, case, secret)
        noted = note_failures(session, case.read.parsed, case.came_back, case.fingerprint, now=now)
    if (customer := _whose(session, case, secret=secret, now=now)) is not None:
        message = file_message(session, _mail_in(case, customer), secret=secret, now=now)
        _change(session, case, message, customer, now=now)
        file_mail(case.mail, message.id, now=now)
    elif case.effect.stranger is Stranger.WAITS:
        quarantine_mail(session, case.mail, case.read.parsed.kind_reason, now=now)
    else:
        set_aside(case.mail, "noted" if noted else "no-matter", now=now)


def _change(session: Session, case: _Case, message: Message, customer: Customer, *, now: datetime) -> None:
    if case.effect.change is Change.CLOCK:
        _note_her_clock(case, customer)
    if case.effect.change is Change.PURPOSE:
        add_flags(message, [unsubscribe(session, case.read.parsed, customer, now=now)])


def _with_what_came_back(session: Session, case: _Case, secret: str) -> _Case:
    """The report with the mail it is about, where it came to that mail's return path, as if it named it."""
    parsed = case.read.parsed
    reached = (*case.mail.recipients, *(each.address for each in (*parsed.delivered_to, *parsed.to)))
    if (came_back := find_returned(session, secret, reached)) is None:
        return case
    named = (*parsed.references, came_back.delivery.message_id.strip("<>"))
    return replace(case, came_back=came_back, read=replace(case.read, parsed=replace(parsed, references=named)))


def _find_mailboxes(session: Session, mail: InboundMail, parsed: ParsedMail, secret: str) -> list[Mailbox]:
    """Our mailboxes it was written to: those it names in To and Cc, in that order, then those of its envelope alone.

    The first files it. It is the same one however many deliveries the mail comes in, each with some of its recipients.
    Of a mail whose envelope has none of ours there are none, whatever it names; without an envelope its header counts.
    What comes back to an address that is for nothing else belongs where that mail came from.
    """
    named = [each.address for each in (*parsed.to, *parsed.cc)]
    reached = mail.recipients or [*(each.address for each in parsed.delivered_to), *named]
    if find_mailboxes(session, reached):
        return find_mailboxes(session, [*named, *reached])
    came_back = find_returned(session, secret, reached)
    return find_mailboxes(session, [came_back.delivery.content["sender"]["address"]]) if came_back else []


def _why_nobody(parsed: ParsedMail) -> str:
    return next((flag for flag in _NOBODY if flag in parsed.flags), "no-sender")


def _whose(session: Session, case: _Case, *, secret: str, now: datetime) -> Customer | None:
    """The customer it is from: known by any of her addresses, else new, if mail of its kind may begin anything.

    What a mail system sends belongs to whom we wrote to.
    """
    parsed, sender = case.read.parsed, case.sender
    if case.effect.change is Change.DELIVERY:
        about = _conversation_it_is_about(session, case, secret)
        return about.customer if about else None
    if (customer := customers.find_customer_by_address(session, sender.address)) is not None:
        if not customer.name and sender.name:
            customer.name, customer.first_name = sender.name[:200], parsed.first_name[:100]
        return customer
    if case.effect.stranger is not Stranger.BEGINS:
        return None
    return add_customer(
        session,
        name=sender.name[:200],
        first_name=parsed.first_name[:100],
        address=sender.address,
        language=parsed.language or case.mailbox.language,
        language_guessed=True,
        now=now,
    )


def _conversation_it_is_about(session: Session, case: _Case, secret: str) -> Conversation | None:
    """Where the mail that came back belongs: by our signed key, in a recipient or in a Message-ID of ours."""
    parsed = case.read.parsed
    ids = (*parsed.references, *parsed.in_reply_to)
    recipients = (*case.mail.recipients, *(each.address for each in parsed.to))
    keys = [each.partition("@")[0].partition("+")[2] for each in recipients]
    keys += [each.partition("@")[0].partition(".")[0] for each in ids]
    keyed = [number for key in keys if (number := tokens.read_reply_key(secret, key)) is not None]
    found = conversations.list_existing(session, tuple(keyed))
    return session.get(Conversation, found[0]) if found else None


def _note_her_clock(case: _Case, customer: Customer) -> None:
    """What the date of her own mail says of where she is; a date far from when it came says nothing."""
    parsed, received_at = case.read.parsed, case.mail.received_at
    if case.mail.reason == BY_HAND or parsed.offset is None or parsed.sent_at is None:
        return
    if case.mail.source == "import" or abs(parsed.sent_at - received_at) < _DATED_RIGHT:
        note_offset(customer, parsed.offset, at=parsed.sent_at)


def _mail_in(case: _Case, customer: Customer) -> MailIn:
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
