"""Whatever bytes come, the parser answers, and what it answers can be stored (T09)."""

import os
import random
from collections import Counter

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from concierge import blobs
from concierge.config import Config
from concierge.conversations.quoting import find_fold
from concierge.db import Sessions
from concierge.inbound.commands import accept_mail
from concierge.inbound.jobs import file_received
from concierge.inbound.models import InboundMail, InboundState
from concierge.inbound.parsed import ParsedMail, Unreadable
from concierge.inbound.parsing import parse_mail
from concierge.inbound.senders import read_addresses
from concierge.inbound.tallying import reckon
from tests.factories import NOW, make_mailbox
from tests.inbound.arriving import CARE
from tests.inbound.odd_mails import ODD_MAILS

# `make faults` files 10,000 of them.
MUTANTS = int(os.environ.get("CONCIERGE_TESTS_MUTANTS", "300"))
SMALL = [odd.raw for odd in ODD_MAILS if 0 < len(odd.raw) < 20_000]
_CALM = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def lawful(answer: ParsedMail | Unreadable) -> bool:
    """Whether an answer can be stored: no NUL, no surrogate, a fold inside the text."""
    if isinstance(answer, Unreadable):
        return answer.reason != "surprise"
    words = [answer.subject, answer.text, answer.html or "", answer.first_name, *answer.references]
    words += [each.filename for each in answer.attachments]
    words += [each.address + each.name for each in (*answer.to, *answer.cc, *answer.reply_to)]
    clean = not any("\0" in each or any("\ud800" <= c <= "\udfff" for c in each) for each in words)
    return clean and (answer.fold_at is None or 0 <= answer.fold_at <= len(answer.text))


@_CALM
@given(st.sampled_from(SMALL), st.data())
def test_a_mail_with_bytes_changed_cut_and_doubled_is_answered_lawfully(raw: bytes, data: st.DataObject):
    mutant = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, max(0, len(mutant) - 1)))
        kind = data.draw(st.sampled_from(("set", "cut", "double", "insert")))
        if kind == "set" and mutant:
            mutant[at] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del mutant[at : at + data.draw(st.integers(1, 40))]
        elif kind == "double":
            mutant[at:at] = mutant[at : at + data.draw(st.integers(1, 200))]
        else:
            mutant[at:at] = data.draw(
                st.sampled_from((b"\r\n", b"\0", b"=?utf-8?Q?", b"--", b'"', b"(", b"<", b"\xff"))
            )
    assert lawful(parse_mail(bytes(mutant)))


_QUOTE = "On Tue, 12 May 2026 at 10:12, Nadia &lt;care@maison.example&gt; wrote:"


@pytest.mark.parametrize(
    "html",
    [
        f"Yes<div {{x}}y=1><div {{x}}y=2>{_QUOTE}<br>below</div></div>",
        f"Yes<blockquote type=cite>&#1;old</blockquote><p>{_QUOTE}</p>&#xFFFE;",
        "Yes<blockquote class=gmail_quote>old&#1;</blockquote>",
        "Yes<p>and</p><blockquote type=cite><p>old</p></blockquote>&#2;<p>more of hers</p>",
        f"<body>Yes</body>{_QUOTE}<p>old</p>",
        f"<body>Yes<div>and<form></body>{_QUOTE}</form>",
        f"Yes<frameset><body><div>{_QUOTE}</div>&#xFFFF;",
        f"<html>Yes<frameset>{_QUOTE}</frameset><p>-- <p>old",
        "<a\0b>Yes</a><blockquote type=cite>old</blockquote>",
    ],
)
def test_html_no_program_writes_is_read_all_the_same(html: str):
    """Found by hours of mutants: names, characters and places that can't be written again."""
    raw = b"From: barbara@example.com\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html.encode()
    answer = parse_mail(raw)
    assert isinstance(answer, ParsedMail)
    assert lawful(answer)
    assert "Yes" in answer.text


def test_an_id_with_what_no_database_takes_is_none():
    answer = parse_mail(b"From: barbara@example.com\r\nReferences: <a\0b@x> <c@x>\r\n\r\nHello")
    assert isinstance(answer, ParsedMail)
    assert answer.references == ("c@x",)


@_CALM
@given(st.binary(max_size=2_000))
def test_any_bytes_are_answered_lawfully(raw: bytes):
    assert lawful(parse_mail(raw))


@_CALM
@given(st.binary(max_size=500))
def test_any_from_line_names_at_most_what_is_an_address(value: bytes):
    for address in read_addresses(value)[0]:
        local, _, domain = address.address.rpartition("@")
        assert local
        assert domain
        assert not set(address.address) & set("<>(),; \t\r\n\0")


@_CALM
@given(st.text(max_size=2_000))
def test_a_fold_is_inside_the_text_and_leaves_something_above(text: str):
    fold = find_fold(text)
    assert fold is None or (0 < fold < len(text) and text[:fold].strip())


def spliced(chance: random.Random) -> bytes:
    """The head of one odd mail on the tail of another: the ways they break are more than anybody thinks of."""
    head, tail = chance.choice(SMALL), chance.choice(SMALL)
    return head[: chance.randrange(len(head) + 1)] + tail[chance.randrange(len(tail)) :]


def test_two_thousand_splices_of_odd_mails_are_answered_lawfully():
    chance = random.Random(20260512)
    for _ in range(2_000):
        mutant = spliced(chance)
        assert lawful(parse_mail(mutant)), mutant


def altered(chance: random.Random) -> bytes:
    """A splice with some of its bytes set, cut out and doubled."""
    mutant = bytearray(spliced(chance))
    for _ in range(chance.randrange(6)):
        at = chance.randrange(len(mutant) + 1)
        change = chance.randrange(3)
        if change == 0:
            mutant[at : at + 1] = bytes([chance.randrange(256)])
        elif change == 1:
            del mutant[at : at + chance.randrange(40)]
        else:
            mutant[at:at] = mutant[at : at + chance.randrange(200)]
    return bytes(mutant)


def test_every_mutant_is_filed_set_aside_or_kept_apart(config: Config, sessions: Sessions):  # T08, T09
    """What came in is what was settled, to the last mail; none is too slow to read, and each can be stored."""
    chance, store = random.Random(20261122), blobs.open_store(config)
    with sessions() as session:
        make_mailbox(session)
        for number in range(MUTANTS):
            raw, path = altered(chance), f"sender{number}@example.com"
            accept_mail(session, store, raw, source="smtp", envelope_from=path, recipients=[CARE], now=NOW)
        session.commit()
    while file_received(config, sessions):
        pass
    with sessions() as session:
        assert amiss(session, MUTANTS) == []
        states = set(session.scalars(sa.select(InboundMail.state)))
    assert states == {InboundState.FILED, InboundState.IGNORED, InboundState.QUARANTINED}
    # The negative control: one lost, one that waits for ever, one filed to nowhere, one that was too slow.
    filed = sa.select(sa.func.min(InboundMail.id)).where(InboundMail.state == InboundState.FILED).scalar_subquery()
    for harm in (
        sa.delete(InboundMail),
        sa.update(InboundMail).values(state=InboundState.RECEIVED),
        sa.update(InboundMail).values(message_id=None),
        sa.update(InboundMail).values(state=InboundState.QUARANTINED, reason="too-slow"),
    ):
        with sessions() as session:
            session.execute(harm.where(InboundMail.id == filed))
            assert amiss(session, MUTANTS), harm
            session.rollback()


def amiss(session: Session, came: int) -> list[str]:
    """What speaks against it that each of so many mails was read in time, and settled where it says."""
    states = Counter(session.scalars(sa.select(InboundMail.state)))
    reasons = Counter(session.scalars(sa.select(InboundMail.reason)))
    found = [f"{states.total()} of {came} are here"] * (states.total() != came)
    found += [f"{states[InboundState.RECEIVED]} wait"] * (InboundState.RECEIVED in states)
    found += [each for each in ("too-slow", "too-much-memory", "crash", "surprise", "not-filed") if each in reasons]
    return found + ["the sums differ"] * (not reckon(session).agrees)


def test_the_check_itself_sees_what_is_not_lawful():
    """Negative control."""
    mail = parse_mail(SMALL[0])
    assert isinstance(mail, ParsedMail)
    values = {name: getattr(mail, name) for name in ParsedMail.__slots__}
    assert not lawful(ParsedMail(**values | {"text": "a\0b"}))
    assert not lawful(ParsedMail(**values | {"subject": "\ud800"}))
    assert not lawful(ParsedMail(**values | {"fold_at": 10**9}))
    assert not lawful(Unreadable("surprise"))
