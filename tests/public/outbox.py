"""Every kind of mail the house writes, written by the house itself and handed to a carrier; and what stands in them."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge import clock
from concierge.config import Config
from concierge.db import Sessions
from concierge.drafts import jobs as drafts
from concierge.mailing import jobs as mailing
from concierge.mailing.mail import Mail
from concierge.mailing.models import Delivery
from concierge.mailing.providers.memory import MemoryProvider
from concierge.wishes import letters, offering, release, requests
from concierge.wishes.models import WishState
from concierge.wishes.moulds import moulds_of
from concierge.wishes.offer_models import OfferEnding
from tests.catalogue.builders import make_product
from tests.conversations.stories import receive
from tests.drafts.people import send, write
from tests.factories import make_customer, make_editor
from tests.public.circle import ask
from tests.wishes.builders import offers, sandals, save_policy, share_out, wish_for

KINDS = {
    "wish_request", "wish_confirm", "wish_link", "offer", "offer_gone", "still_wanted", "reply", "staff",
}  # fmt: skip
_LINK = re.compile(r"""https?://[^\s"'<>)\]]+""")


def fill(client: FlaskClient, session: Session, config: Config, sessions: Sessions) -> list[Mail]:
    """Let each kind of mail leave, an offer of one piece and one of several among them; what the carrier was given."""
    now = clock.now()
    nadia = make_editor(session)
    save_policy(session, wakes_at=0, sleeps_at=24, saved_at=now)
    small, large = sandals(session, s36=3, s37=0)
    boots = make_product(session, "BRERA", name="Brera boots", category="boots", sizes={"36": 1}).variants[0]
    barbara = make_customer(session, timezone="Europe/Rome")
    asked = receive(session, "Anna Verdi", text="Will the Calanque come back in 37?", at=now)
    for piece in (small, boots):
        wish_for(session, piece, customer=barbara, now=now - timedelta(days=3), or_similar=True)
    wish_for(session, small, name="Chloe Martin", now=now - timedelta(days=2))
    lost = wish_for(session, small, name="Grace Byron", now=now - timedelta(days=1))
    waits = wish_for(session, large, name="Rosa Neri", now=now - timedelta(days=1))
    noted = wish_for(
        session, large, customer=asked.conversation.customer, conversation=asked.conversation, confirmed=False
    )
    for piece in (small, boots):
        share_out(session, piece, now=now)
    session.commit()
    assert release.release_due(config, sessions) == 4
    table = letters.Table(session, config, moulds_of(config.blobs_url), now)
    gone = next(each for each in offers(session) if each.wish_id == lost.id)
    offering.end_offer(session, gone, OfferEnding.UNITS_GONE, now=now)
    letters.apologise(table, gone)
    letters.ask_to_confirm(table, noted, by=nadia)
    assert letters.ask_whether_wanted(table, waits) and waits.state is WishState.WAITING
    requests.send_fresh_link(session, config, barbara, now=now)
    session.commit()
    ask(client, sku=["CAL-TUR-37"], email="stranger@example.com")
    client.post("/reset", data={"email": nadia.email})
    _answer(session, config, sessions)
    return _deliver(session, config, sessions)


def _answer(session: Session, config: Config, sessions: Sessions) -> None:
    """An editor's own answer, with a card and a link."""
    asked = receive(session, "Ida Conti", text="Which ones were they?", at=clock.now())
    text = f"These: {asked.conversation.customer.first_name}, do look.\n\n[product CAL-TUR-36]"
    nadia = make_editor(session, "Chiara Neri")
    session.flush()
    past = clock.now() - timedelta(minutes=5)
    send(session, write(session, asked.conversation, nadia, text, now=past), now=past)
    session.commit()
    assert drafts.release_due(config, sessions) == 1


def _deliver(session: Session, config: Config, sessions: Sessions) -> list[Mail]:
    carrier = MemoryProvider()
    while mailing.deliver_due(config, sessions, carrier):
        continue
    session.rollback()
    kinds = set(session.scalars(sa.select(Delivery.purpose)))
    assert kinds == KINDS, kinds ^ KINDS
    assert len(carrier.sent) == session.scalar(sa.select(sa.func.count()).select_from(Delivery))
    session.rollback()
    return [parcel.mail for parcel in carrier.sent]


def links_in(mails: list[Mail], config: Config) -> list[str]:
    """Every link to this house that stands in them, in text, HTML and headers, as a path; each once."""
    found: dict[str, None] = {}
    for mail in mails:
        for text in (mail.text, unescape(mail.html), *mail.headers.values()):
            found |= dict.fromkeys(_LINK.findall(text))
    ours = urlsplit(config.base_url).netloc
    parts = [urlsplit(link.rstrip(".,;")) for link in found]
    return [each.path + (f"?{each.query}" if each.query else "") for each in parts if each.netloc == ours]
