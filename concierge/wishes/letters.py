"""The other letters about a wish: may I write to you? do you still want it? I am sorry, it is gone after all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from babel.dates import format_date
from sqlalchemy.orm import Session

from concierge import audit, tokens
from concierge.accounts.models import Editor
from concierge.accounts.queries import list_editors
from concierge.addresses import Address, normalise
from concierge.catalogue.models import Variant
from concierge.catalogue.sizes import system_known
from concierge.config import Config, locale_of
from concierge.conversations.commands import Common, LetterOut, record_letters, reserve_conversations
from concierge.customers.zones import zone_of
from concierge.drafts.wording import reply_subject
from concierge.mailing.commands import Posting, queue_deliveries, words_for
from concierge.mailing.letters import Letter, Signature, Words, phrases, render_letter
from concierge.mailing.mail import MailFile, ancestry, unsubscribe_headers
from concierge.mailing.queries import find_delivery, list_suppressed
from concierge.mailing.sheets import cut, folded, typed
from concierge.wishes import leaving, links
from concierge.wishes.heads import Head
from concierge.wishes.leaving import Thread
from concierge.wishes.models import Wish, WishState
from concierge.wishes.moulds import Moulds, Shelf, card_for, words_from
from concierge.wishes.offer_models import Offer
from concierge.wishes.staff import colleague
from concierge.wishes.voices import call_the_roll, choose_voice

STILL_WANTED = "still_wanted"


@dataclass(frozen=True, slots=True)
class Table:
    """What a letter is written with."""

    session: Session
    config: Config
    moulds: Moulds
    now: datetime


@dataclass(frozen=True, slots=True)
class _Occasion:
    """A letter to be written: its name in emails/, the key it is sent under once, and what it says besides."""

    letter: str
    key: str
    subject: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Way:
    """Who writes, to whom, and in which conversation."""

    writer: Editor
    to: Address
    thread: Thread | None
    suppressed: str


def ask_to_confirm(table: Table, wish: Wish, *, by: Editor) -> None:
    """Ask her whether we may write about a wish that an editor noted; once for each wish."""
    _ = phrases(wish.language)
    link = links.confirm_link(table.config, wish.id)
    occasion = _Occasion("wish_confirm", confirm_key(wish), _("Shall I keep an eye on it for you?"), {"link": link})
    _send(table, wish, _wished(wish), occasion, by=by)


def confirm_key(wish: Wish) -> str:
    """Under which the question whether we may write about a wish leaves, once."""
    return f"wish-confirm:{wish.id}:{wish.created_at.timestamp():.6f}"


def ask_whether_wanted(table: Table, wish: Wish) -> bool:
    """Ask kindly, before it ends, whether she still wants it; False when it was asked already, or waits no more."""
    if wish.state is not WishState.WAITING or wish.asked_at is not None:
        return False
    _, zone = phrases(wish.language), zone_of(wish.customer.zone_name, wish.customer.country, table.config.policy.zone)
    since, ends = (each.astimezone(zone).date() for each in (wish.confirmed_at or wish.created_at, wish.expires_at))
    values = {
        "link": links.wishes_link(table.config, wish.customer_id),
        "since": day_words(since, wish.language),
        "ends": day_words(ends, wish.language),
    }
    wish.asked_at = table.now
    key = f"still-wanted:{wish.id}:{table.now.timestamp():.6f}"
    occasion = _Occasion(STILL_WANTED, key, _("Do you still want it?"), values)
    _send(table, wish, _wished(wish), occasion)
    audit.record(table.session, "wish.asked", wish, by=None, now=table.now)
    return True


def apologise(table: Table, offer: Offer) -> None:
    """Tell her that what was put aside for her is not there after all; nothing if she was never told that it was."""
    if offer.left_at is None:
        return
    _ = phrases(offer.wish.language)
    occasion = _Occasion("offer_gone", f"offer-gone:{offer.id}", _("I am sorry: it is gone after all"), {})
    _send(table, offer.wish, [offer.variant], occasion, by=offer.editor)


def day_words(day: date, language: str) -> str:
    """A day as a letter says it: "3 May 2026"."""
    text: str = format_date(day, "d MMMM y", locale=locale_of(language))
    return text


def _wished(wish: Wish) -> list[Variant]:
    return [choice.variant for choice in wish.choices]


def _send(
    table: Table, wish: Wish, variants: Sequence[Variant], occasion: _Occasion, *, by: Editor | None = None
) -> None:
    """Write, queue and keep one letter; nothing when it was sent before, or nobody can write it, or be written to."""
    if find_delivery(table.session, occasion.key) is not None:
        return
    way = _way(table, wish, by)
    if way is None:
        return
    shelf = Shelf(wish.mailbox.domain)
    letter = _letter(table, wish, occasion, variants=variants, way=way, shelf=shelf)
    _keep(table, wish, occasion, way=way, letter=letter, pictures=tuple(shelf.files.values()))


def _way(table: Table, wish: Wish, by: Editor | None) -> _Way | None:
    session = table.session
    thread = leaving.lock_threads(session, [wish.conversation_id] if wish.conversation_id else []).get(
        wish.conversation_id or 0
    )
    writer = by if by is not None and by.may_answer else _writer(table, wish, thread)
    addresses = leaving.addresses_of(session, [wish.customer_id]).get(wish.customer_id, ())
    to = leaving.recipient(wish.customer.name, addresses, thread)
    if writer is None or to is None:
        return None
    reason = list_suppressed(session, [normalise(to.address)]).get(normalise(to.address))
    return _Way(writer, to, thread, words_for(reason) if reason else "")


def _writer(table: Table, wish: Wish, thread: Thread | None) -> Editor | None:
    staff = {each.id: each for each in list_editors(table.session)}
    roster = call_the_roll([colleague(each) for each in staff.values()], now=table.now, desk=None)
    owner_id = wish.editor_id or (thread.editor_id if thread else None)
    voice = choose_voice(owner_id, roster, customer_id=wish.customer_id, language=wish.language)
    return staff[voice.writer.id] if voice else None


def _letter(
    table: Table, wish: Wish, occasion: _Occasion, *, variants: Sequence[Variant], way: _Way, shelf: Shelf
) -> Letter:
    writer, pictures = way.writer, table.moulds.pictures
    face = pictures.face(writer.photo_key) if writer.photo_key else None
    return render_letter(
        occasion.letter,
        wish.language,
        house=wish.mailbox.brand,
        name=typed(wish.customer.first_name or wish.customer.name),
        subject=(reply_subject(way.thread.subject) if way.thread else "") or occasion.subject,
        preview=occasion.subject,
        card=card_for(variants, wish.language, system_known(wish.customer.country), pictures, shelf),
        sign_off=words_from(writer.sign_off(wish.language)) or Words(writer.first_name, writer.first_name),
        signature=Signature(writer.name, writer.title, shelf.lay(face, f"{writer.first_name}.jpg")),
        wishes=links.wishes_link(table.config, wish.customer_id),
        unsubscribe=links.unsubscribe_link(table.config, wish.customer_id),
        **occasion.values,
    )


def _keep(
    table: Table, wish: Wish, occasion: _Occasion, *, way: _Way, letter: Letter, pictures: tuple[MailFile, ...]
) -> None:
    """Queue it and let it stand in her conversation; its HTML is a sheet without blanks."""
    thread, now, mailbox = way.thread, table.now, wish.mailbox
    begins = None
    if thread is None:
        begins = wish.customer_id
        [number] = reserve_conversations(table.session, 1)
        thread = Thread(number, letter.subject, None)
    key = tokens.reply_key(table.config.secret, thread.id)
    [stamp] = tokens.stamps(1)
    local, _at, domain = mailbox.address.rpartition("@")
    head = Head(
        sender=Address(way.writer.name, mailbox.address),
        to=way.to,
        reply_to=Address(way.writer.name, f"{local}+{key}@{domain}"),
        subject=letter.subject,
        message_id=f"<{tokens.message_id(stamp, key, domain)}>",
        references=ancestry(thread.references, thread.parent),
        headers=unsubscribe_headers(links.unsubscribe_link(table.config, wish.customer_id)),
    )
    content = folded(table.moulds.keep(cut(letter, pictures)), {}, **head.values())
    posting = Posting(
        occasion.key, occasion.letter, head.message_id, way.to.address, letter.subject, content, way.suppressed
    )
    [delivery] = queue_deliveries(table.session, [posting], now=now)
    record_letters(
        table.session,
        [
            LetterOut(
                common=_common(wish, occasion, way, letter),
                conversation_id=thread.id,
                to=way.to,
                subject=letter.subject,
                text=letter.text,
                fold_at=letter.text.rfind(f"\n{way.writer.name}\n") + 1,
                rfc_message_id=head.message_id.strip("<>"),
                references=head.references,
                delivery_id=delivery,
                details={"wish": wish.id},
                begins=begins,
            )
        ],
        now=now,
    )
    wish.conversation_id = thread.id


def _common(wish: Wish, occasion: _Occasion, way: _Way, letter: Letter) -> Common:
    return Common(
        mailbox_id=wish.mailbox_id,
        editor_id=way.writer.id,
        owner_id=wish.editor_id or way.writer.id,
        sender=Address(way.writer.name, wish.mailbox.address),
        first_line=occasion.subject,
        searched=letter.text,
        language=wish.language,
        verb=f"conversation.{occasion.letter}",
    )
