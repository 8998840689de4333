"""Nothing happens by itself: not by looking (T30), nor by a machine's mail (T26), nor in an old session (T37)."""

import hashlib
import re
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge import clock
from concierge.accounts.models import Editor, Role
from concierge.db import Base
from concierge.drafts import jobs as drafts
from concierge.mailing.mail import Mail
from concierge.mailing.models import Delivery
from concierge.worker import TIMETABLE
from tests.drafts.people import begin, make_sandals, send, write
from tests.factories import NOW, make_editor, sign_in
from tests.inbound.arriving import arrive, letter
from tests.test_routes import _url

# These stay open for as long as the browser listens; they read the audit log and nothing else.
ENDLESS = {"live.live"}


def contents(session: Session) -> str:
    """A fingerprint of every row of every table."""
    digest = hashlib.sha256()
    for table in Base.metadata.sorted_tables:
        rows = sorted(repr(tuple(row)) for row in session.execute(sa.select(table)))
        digest.update(repr((table.name, rows)).encode())
    session.rollback()
    return digest.hexdigest()


@pytest.fixture
def house(config, sessions, session, monkeypatch) -> Session:
    """Omar is here; Barbara wrote, Nadia answered with a product's card, and has begun another answer."""
    make_editor(session, "Omar Haddad", role=Role.ADMIN)
    nadia, conversation = make_editor(session), begin(session)
    make_sandals(session)
    text = "They are here: https://maison-solenne.example/products/calanque\n\n[product CAL-TUR-36]"
    send(session, write(session, conversation, nadia, text))
    session.commit()
    with monkeypatch.context() as later:
        later.setattr(clock, "now", lambda: NOW.replace(hour=NOW.hour + 1))
        assert drafts.release_due(config, sessions) == 1
    session.refresh(conversation)
    write(session, conversation, nadia)
    session.commit()
    return session


def find(session: Session, first_name: str) -> Editor:
    """One of the house's editors; the test's session lets go of the database."""
    editor = session.scalars(sa.select(Editor).where(Editor.name.startswith(first_name))).one()
    session.commit()
    return editor


def addresses(app: Flask, session: Session) -> set[str]:
    """Every route, and every link in every mail that left."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in rule.methods and rule.endpoint not in ENDLESS]
    found = {_url(app, rule) for rule in rules} - {"/sign-out"}
    for delivery in session.scalars(sa.select(Delivery)):
        mail = Mail.from_json(delivery.content)
        links = re.findall(r'(?:href|src)="([^"]+)"', mail.html) + re.findall(r"https?://\S+", mail.text)
        found |= {f"{urlsplit(link).path}?{urlsplit(link).query}" for link in links if link.startswith("http")}
    session.commit()
    return found


def look_at(client: FlaskClient, urls: set[str], methods: tuple[str, ...] = ("HEAD", "GET")) -> set[str]:
    """Look at each; those that are for somebody else."""
    forbidden = set()
    for url in sorted(urls):
        for method in methods:
            answer = client.open(url, method=method)
            # No worker runs here, and /readyz says so.
            assert answer.status_code < 500 or url == "/readyz", (url, answer.status_code)
            forbidden |= {url} if answer.status_code == 403 else set()
            answer.close()
    return forbidden


def test_looking_at_everything_changes_nothing(app, house):  # T30
    """A stranger, Nadia, and Omar where Nadia may not look."""
    nadia, omar = app.test_client(), app.test_client()
    sign_in(nadia, find(house, "Nadia"))
    sign_in(omar, find(house, "Omar"))
    everything, before = addresses(app, house), contents(house)
    assert len(everything) > 50
    look_at(app.test_client(), everything)
    for_others = look_at(nadia, everything, ("GET",))  # for HEAD the same view runs
    assert for_others
    look_at(omar, for_others)
    assert contents(house) == before


def test_the_check_itself_sees_a_change(client, house):
    """Negative control: one verb, and the fingerprint is another."""
    nadia = find(house, "Nadia")
    sign_in(client, nadia)
    before = contents(house)
    assert client.post("/conversations/1/close").status_code in {200, 303}
    assert contents(house) != before


MACHINES = {
    "auto-submitted": "Auto-Submitted: auto-replied",
    "a list": "List-Id: <news.example.com>\r\nPrecedence: list",
    "bulk": "Precedence: bulk",
    "an autoreply": "X-Autoreply: yes",
    "another": "X-Auto-Response-Suppress: All",
    "nobody": "",
}


def test_nothing_in_the_house_answers_by_itself(config, sessions, house):  # T26
    """Whoever writes and however often, machine or not: what is sent is what an editor sent."""
    sent = house.scalar(sa.select(sa.func.count()).select_from(Delivery))
    house.commit()
    for number, (name, header) in enumerate(MACHINES.items()):
        sender = f"{name.replace(' ', '.')}@example.com" if header else "noreply@example.com"
        raw = letter(sender, subject=f"Automatic reply: {name}", message_id=f"{number}@x", extra=header)
        arrive(config, sessions, raw, envelope_from="" if number % 2 else sender)
        arrive(config, sessions, letter(f"h{number}@example.com", message_id=f"h{number}@x", extra=""))
    for _round in range(2):
        for line in TIMETABLE:
            line.job(config, sessions)
    assert house.scalar(sa.select(sa.func.count()).select_from(Delivery)) == sent == 1


def test_each_sign_in_is_a_new_session_and_the_old_one_is_worth_nothing_to_mallory(app, house):  # T37
    """A cookie that Mallory planted before does not become Nadia's; a password reset ends what was open."""
    nadia = find(house, "Nadia")
    client, mallory = app.test_client(), app.test_client()
    client.get("/sign-in")
    planted = client.get_cookie("concierge")
    sign_in(client, nadia)
    assert client.get_cookie("concierge").value != (planted.value if planted else "")
    if planted:
        mallory.set_cookie("concierge", planted.value)
    assert mallory.get("/mail-in").status_code == 302
    first = client.get_cookie("concierge").value
    again = app.test_client()
    sign_in(again, nadia)
    assert again.get_cookie("concierge").value != first
