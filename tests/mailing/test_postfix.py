"""A real relay: what Postfix passes on arrives, what it puts off or brings back is understood (F04, F12, T26, T28)."""

import re
import smtplib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as Connection
from sqlalchemy.orm import Session

from concierge.addresses import Address
from concierge.config import Config
from concierge.db import Sessions, reading
from concierge.inbound.jobs import file_received
from concierge.inbound.models import InboundMail, InboundState
from concierge.inbound.sources.smtp import open_door
from concierge.mailing.commands import queue_delivery
from concierge.mailing.dkim import Signer
from concierge.mailing.jobs import deliver_due
from concierge.mailing.models import Delivery, Suppression
from concierge.mailing.providers.smtp import SmtpProvider
from tests.factories import NOW, make_mailbox
from tests.houses import free_port
from tests.inbound.arriving import CARE, arrive, letter
from tests.mailing.doubles import AnyPort
from tests.mailing.postfix import IS_HERE, Postfix, postfix
from tests.mailing.samples import make_mail
from tests.mailing.test_dkim import RSA, is_genuine

pytestmark = pytest.mark.skipif(not IS_HERE, reason="needs Postfix with its users, and root to start it")

GONE, FULL = "550 5.1.1 No such person here", "552 5.2.2 Her mailbox is full"
UNWANTED, LATER = "554 5.7.1 We want no mail of this kind", "450 4.2.0 Come back in a minute"
# What each one's mail system says (to her name, or when it has the mail), and what becomes of ours: its state, the code
# that is told, and whether her address is mailed no more.
BROUGHT_BACK = (GONE, "bounced", "5.1.1", True)
CASES = {
    "chloe@example.com": ("", "sent", "", False),
    "barbara@example.com": BROUGHT_BACK,
    "full@example.com": (FULL, "bounced", "5.2.2", False),
    "unwanted@example.com": (f"data {UNWANTED}", "bounced", "5.7.1", False),
    "later@example.com": (LATER, "deferred", "4.2.0", False),
    "łucja@bücher.example": BROUGHT_BACK,  # the report is in UTF-8 itself (RFC 6533)
    "zoë@example.com": ("", "bounced", "5.6.7", False),  # her mail system speaks no SMTPUTF8
}
BACK = "bounces@back.maison-solenne.example"
ALSO = {f"{name}@example.com": BROUGHT_BACK for name in ("large", "by-smtp", "plain")}


@dataclass
class Elsewhere:
    """The mail systems of the customers: what they say, by the name before the @, and what was taken for each."""

    says: dict[str, str]
    took: dict[str, bytes] = field(default_factory=dict)

    async def handle_RCPT(
        self, server: SMTP, session: Connection, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address.partition("@")[0])
        said = self.says.get(envelope.rcpt_tos[0])
        return said if said and not said.startswith("data ") else "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Connection, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        [name] = envelope.rcpt_tos
        if said := self.says.get(name):
            return said.removeprefix("data ")
        self.took[name] = envelope.content
        return "250 2.0.0 Ok"


@dataclass
class World:
    """Our house, its relay, and where its customers have their mailboxes."""

    config: Config
    sessions: Sessions
    relay: Postfix
    elsewhere: Elsewhere

    def send(self, *addresses: str, return_path: str = "", port: int = 0, **changes: Any) -> None:
        """A mail of ours to each, by the relay."""
        with self.sessions() as session:
            for address in addresses:
                mail = make_mail(to=Address("", address), message_id=f"<{id_of(address)}>", **changes)
                queue_delivery(session, mail, key=f"reply:{address}", purpose="reply", now=NOW)
            session.commit()
        carrier = SmtpProvider(f"smtp://127.0.0.1:{port or self.relay.port}", signer=Signer(RSA, "concierge"))
        config = self.config.model_copy(update={"return_path": return_path})
        assert deliver_due(config, self.sessions, carrier) == len(addresses)
        carrier.close()

    def becomes(self, expected: dict[str, tuple[str, str, bool]]) -> None:
        """Wait until this has become of the mail to each."""
        self.until(lambda: {to: became for to, became in self.found().items() if to in expected} == expected)

    def until(self, is_so: Callable[[], bool]) -> None:
        """File what comes in until that is so."""
        latest = time.monotonic() + 30
        while not is_so():
            if time.monotonic() > latest:
                raise AssertionError(f"{self.found()}\n{self.relay.log}")
            file_received(self.config, self.sessions)
            time.sleep(0.02)

    def ask(self, statement: sa.Select[Any]) -> list[Any]:
        """The first column of what the house has."""
        with reading(self.sessions) as session:
            return list(session.scalars(statement))

    def found(self) -> dict[str, tuple[str, str, bool]]:
        """What became of the mail to each: its state, the code that is told, whether she is mailed no more."""
        with reading(self.sessions) as session:
            no_more = set(session.scalars(sa.select(Suppression.normalised)))
            return {
                each.to_address: (each.state.value, code_in(each.reason), each.to_normalised in no_more)
                for each in session.scalars(sa.select(Delivery))
            }


def code_in(reason: str) -> str:
    """The first code of RFC 3463 in it."""
    found = re.search(r"\b[245]\.\d\.\d\b", reason)
    return found[0] if found else ""


def id_of(address: str) -> str:
    """The Message-ID of our mail to her."""
    return f"{address.encode().hex()}@maison-solenne.example"


@pytest.fixture
def world(config: Config, sessions: Sessions, session: Session, at: Callable[..., None]) -> Iterator[World]:
    """Mail to our domain comes in by LMTP, to our return path by SMTP; one of their systems speaks SMTPUTF8."""
    at(NOW)
    make_mailbox(session)
    session.commit()
    ports = {"smtp_port": free_port(), "lmtp_port": free_port()}
    config = config.model_copy(update={**ports, "return_path": BACK})
    elsewhere = Elsewhere({to.partition("@")[0]: case[0] for to, case in (CASES | ALSO).items()})
    theirs = [AnyPort(elsewhere, "127.0.0.1", 0, enable_SMTPUTF8=utf8) for utf8 in (False, True)]
    doors = [open_door(config), *theirs]
    for door in doors:
        door.start()
    ways = {
        "maison-solenne.example": f"lmtp:[127.0.0.1]:{config.lmtp_port}",
        "back.maison-solenne.example": f"smtp:[127.0.0.1]:{config.smtp_port}",
        "example.com": f"smtp:[127.0.0.1]:{theirs[0].port}",
        "xn--bcher-kva.example": f"smtp:[127.0.0.1]:{theirs[1].port}",
    }
    try:
        with postfix(ways) as relay:
            yield World(config, sessions, relay, elsewhere)
    finally:
        for door in doors:
            door.stop()


def test_what_postfix_passes_on_arrives_and_what_it_puts_off_or_brings_back_is_understood(world, store):
    world.send(*CASES)
    world.send("large@example.com", text="Dear Barbara,\n" * 2_000)  # too large to be enclosed whole
    world.send("by-smtp@example.com", return_path=BACK)
    world.send("plain@example.com", port=world.relay.strict_port)
    world.becomes({to: (state, code, gone) for to, (_says, state, code, gone) in (CASES | ALSO).items()})
    assert is_genuine(world.elsewhere.took["chloe"], Signer(RSA, "concierge"))
    [known_as] = world.ask(sa.select(Delivery.provider_id).where(Delivery.to_address == "chloe@example.com"))
    assert f"{known_as}: to=<chloe@example.com>" in world.relay.log
    # What it gives up after days: she may be there tomorrow, whatever else the report says.
    world.relay.give_up()
    world.becomes({"later@example.com": ("bounced", "4.2.0", False)})
    with smtplib.SMTP("127.0.0.1", world.relay.port) as hers:
        hers.sendmail("chloe@example.com", CARE, letter("Chloé Martin <chloe@example.com>"))
    world.until(lambda: world.ask(sa.select(sa.func.count()).where(InboundMail.state == InboundState.FILED)) == [1])
    assert Counter(world.ask(sa.select(InboundMail.source))) == {"lmtp": 10, "smtp": 1}

    # The negative control: a report on her, by whoever does not know the name of our mail to her; and by who does.
    reports = map(store.get, world.ask(sa.select(InboundMail.blob_key)))
    real = next(raw for raw in reports if b"Final-Recipient: rfc822; barbara@example.com" in raw)
    forged = re.sub(rb"care\+\w+@", b"care@", real.replace(b"barbara@", b"chloe@"))
    assert arrive(world.config, world.sessions, forged, envelope_from="").reason == "no-matter"
    assert world.found()["chloe@example.com"] == ("sent", "", False)
    names = [id_of(f"{name}@example.com").encode() for name in ("barbara", "chloe")]
    known = forged.replace(*names).replace(b"\nMessage-Id: <", b"\nMessage-Id: <another.")
    assert arrive(world.config, world.sessions, known, envelope_from="").reason == "noted"
    assert world.found()["chloe@example.com"] == ("bounced", "5.1.1", True)
