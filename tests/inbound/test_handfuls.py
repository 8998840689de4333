"""Several mails in one transaction: what comes out is what comes out of one after the other."""

import random
import shutil
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from concierge import tokens
from concierge.accounts.queries import read_house
from concierge.blobs import BlobStore
from concierge.config import Config, read_config
from concierge.conversations.models import Message
from concierge.db import Base, make_sessions
from concierge.inbound import jobs
from concierge.inbound.claims import claim_mails
from concierge.inbound.models import BY_HAND, InboundMail, InboundState
from concierge.inbound.parsed import Kind, ParsedMail
from concierge.inbound.parsing import parse_mail
from tests.factories import NOW, make_mailbox
from tests.inbound.arriving import CARE, AllAtOnce, letter, receive
from tests.inbound.test_effects import SECRET, House, mail_of

CIAO = "ciao@maison-solenne.example"
PEOPLE = ("Barbara <barbara@example.com>", "Chloé <chloe@example.com>", "Mallory <mallory@example.com>", f"Us <{CARE}>")
MAILS = 40
REASON = list(InboundMail.__table__.columns.keys()).index("reason")
read_mail = lru_cache(parse_mail)
Rows = dict[str, list[tuple[Any, ...]]]


def pour(chance: random.Random, house: House) -> list[InboundMail]:
    """Mails of few people that name each other's mails, reports, repeats, and some that somebody let in."""
    raws: list[bytes] = []
    for number in range(MAILS):
        sender, pick = chance.choice(PEOPLE), chance.random()
        if number == 2:
            raws.append(mail_of(Kind.BOUNCE, house))
        elif pick < 0.15 and raws:
            raws.append(chance.choice(raws))
        elif pick < 0.45:
            raws.append(mail_of(chance.choice(list(Kind)), house, sender=sender))
        else:
            named = " ".join(f"<{chance.randrange(MAILS)}@x>" for _ in range(chance.randrange(3)))
            extra = f"References: {named}" if named else ""
            raws.append(letter(sender, text=f"Letter {number}, about it", message_id=f"{number}@x", extra=extra))
    keyed = f"care+{tokens.reply_key(SECRET, house.conversation.id)}@maison-solenne.example"
    return [
        InboundMail(
            source=chance.choice(["smtp", "import"]), blob_key=f"{number:064d}", size=len(raw), received_at=NOW,
            recipients=[chance.choice([CARE, CARE, CARE, CIAO, keyed, "nobody@example.com"])],
            envelope_from=chance.choice([None, "barbara@example.com"]), reason=chance.choice(["", "", "", BY_HAND]),
            verdicts={"raw": raw.decode("latin-1")},  # where this test keeps its bytes
        )
        for number, raw in enumerate(raws)
    ]  # fmt: skip


def come_out(folder: Path, migrated: Path, seed: int, size: int, *, backwards: bool = False) -> Rows:
    """Every row of a house in which these mails were filed, so many at a time."""
    folder.mkdir()
    shutil.copy(migrated, folder / "concierge.db")
    config = read_config(data=folder, secret_key=SECRET, provider="memory", demo=True)
    sessions = make_sessions(config)
    with sessions() as session:
        house = House(session)
        make_mailbox(session, CIAO, language="it")
        mails = pour(random.Random(seed), house)
        session.add_all(mails)
        session.flush()
        raws = {mail.id: str(mail.verdicts["raw"]).encode("latin-1") for mail in mails if mail.verdicts}
        for mail in mails:
            mail.verdicts = None
        session.flush()
        claims = claim_mails(session, list(raws), now=NOW)
        session.commit()
        known = read_house(session)
    desk = jobs._Desk(config, sessions, BlobStore(config.blobs_url), jobs.MailReader())
    read: list[tuple[jobs._Taken, ParsedMail]] = []
    for claim in claims:
        parsed = read_mail(raws[claim.mail_id])
        assert isinstance(parsed, ParsedMail)
        read.append((jobs._Taken(claim, known), parsed))
    for start in range(0, MAILS, size):
        handful = read[start : start + size]
        if size == 1:
            assert jobs._file_one(desk, *handful[0])
        else:
            assert jobs._file_together(desk, handful[::-1] if backwards else handful)
    with sessions() as session:
        rows = {name: _rows(session, table) for name, table in Base.metadata.tables.items()}
        rows["words"] = [tuple(row) for row in session.execute(sa.text("SELECT * FROM message_search ORDER BY rowid"))]
    sessions.kw["bind"].dispose()
    return rows


def _rows(session: Any, table: sa.Table) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in session.execute(sa.select(table).order_by(*table.primary_key.columns))]


@pytest.mark.parametrize("seed", [4, 5])
def test_a_handful_comes_out_as_if_each_had_been_filed_alone(tmp_path, migrated, at, seed):
    alone = come_out(tmp_path / "1", migrated, seed, 1)
    reasons = {row[REASON] for row in alone["inbound_mail"]}
    assert reasons == {"", "seen-before", "our-own-copy", "no-mailbox"}
    assert len(alone["message"]) > MAILS // 3
    assert alone["suppression"]  # one of ours came back
    for size in (3, MAILS):
        together = come_out(tmp_path / str(size), migrated, seed, size)
        assert {name for name in alone if together[name] != alone[name]} == set()


def test_the_comparison_sees_mails_filed_in_another_order(tmp_path, migrated, at):
    """Negative control."""
    as_they_came = come_out(tmp_path / "1", migrated, 0, MAILS)
    backwards = come_out(tmp_path / "2", migrated, 0, MAILS, backwards=True)
    assert as_they_came["message"] != backwards["message"]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is due is one handful."""
    monkeypatch.setattr(jobs, "_reader", lambda _most_bytes: AllAtOnce())


def test_one_that_cannot_be_filed_spoils_it_for_nobody(config: Config, sessions, session, monkeypatch, at_once):
    make_mailbox(session)
    session.commit()
    settle, tried = jobs.settle_mail, []

    def surprise(session: Any, claim: Any, mail: Any, **given: Any) -> Any:
        done = settle(session, claim, mail, **given)
        tried.append(claim.mail_id)
        if "poison" in mail.parsed.text:  # when all of it stands there already
            raise RuntimeError("a rule nobody thought of")
        return done

    monkeypatch.setattr(jobs, "settle_mail", surprise)
    texts = ["one", "two", "poison", "four", "five"]
    numbers = [receive(config, sessions, letter(text=text, message_id=f"{text}@x")) for text in texts]
    while jobs.file_received(config, sessions):
        pass
    states = {number: session.get_one(InboundMail, number).state for number in numbers}
    assert states.pop(numbers[2]) is InboundState.QUARANTINED
    assert set(states.values()) == {InboundState.FILED}
    assert sorted(session.scalars(sa.select(Message.text))) == ["five", "four", "one", "two"]
    assert tried.count(numbers[2]) >= config.policy.filing_attempts


def test_a_claim_lost_in_the_middle_of_a_handful_undoes_it_and_leaves_that_mail_to_its_new_owner(
    config: Config, sessions, session, monkeypatch, at_once
):
    make_mailbox(session)
    session.commit()
    numbers = [receive(config, sessions, letter(text=text, message_id=f"{text}@x")) for text in ("a", "b", "c")]
    taken, together = [], jobs._file_together

    def meanwhile(desk: Any, handful: Any) -> bool:
        if not taken:  # the lease of the second ran out, and somebody else has it
            taken.append(numbers[1])
            with sessions() as other:
                other.execute(sa.update(InboundMail).where(InboundMail.id == numbers[1]).values(claimed_at=NOW))
                other.commit()
        return together(desk, handful)

    monkeypatch.setattr(jobs, "_file_together", meanwhile)
    assert jobs.file_received(config, sessions) == 2
    assert sorted(session.scalars(sa.select(Message.text))) == ["a", "c"]
    assert session.get_one(InboundMail, numbers[1]).state is InboundState.RECEIVED
