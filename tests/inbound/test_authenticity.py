"""Whose word on a sender counts, and what it is worth (T11)."""

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.config import Config
from concierge.conversations.models import Message
from concierge.db import Sessions
from concierge.inbound.authenticity import Trust, believed, is_authentic, read_posted, read_score, read_verdicts
from concierge.inbound.headers import split_message
from concierge.inbound.jobs import file_received
from concierge.inbound.models import InboundMail, InboundState
from concierge.inbound.parsed import ParsedMail, Verdict
from concierge.inbound.parsing import parse_mail
from concierge.inbound.wire import pack_answer, unpack_answer
from tests.factories import make_customer, make_editor, make_mailbox, sign_in
from tests.inbound.arriving import arrive, letter, message_of
from tests.inbound.test_webhook import ENVELOPE, form, post

OURS = "mx.maison-solenne.example"
GMAIL = (
    "mx.google.com;\r\n dkim=pass header.i=@example.com header.s=s1 header.b=AbC;\r\n"
    " spf=pass (google.com: domain of b@example.com designates 1.2.3.4 (a (deep) one) as permitted sender)"
    " smtp.mailfrom=b@example.com;\r\n dmarc=pass (p=NONE) header.from=example.com"
)
MICROSOFT = (
    "spf=pass (sender IP is 1.2.3.4)\r\n smtp.mailfrom=example.com; dkim=none (not signed) header.d=none;"
    "dmarc=bestguesspass action=none header.from=example.com;compauth=pass reason=109"
)


def judged(*fields: str, trusted: str = OURS, domain: str = "example.com") -> bool | None:
    """What is thought of a mail with these fields, the uppermost first."""
    raw = "".join(f"Authentication-Results: {each}\r\n" for each in fields) + "From: x@example.com\r\n\r\n"
    headers, _end = split_message(raw.encode())
    return is_authentic(domain, believed(read_verdicts(headers), Trust(frozenset({trusted}))))


@pytest.mark.parametrize(
    ("field", "found"),
    [
        (f"{OURS}; dkim=pass header.d=example.com", True),
        (f"{OURS} 1; dkim=pass (2048-bit; a comment) header.d=mail.example.com", True),
        (f"{OURS}; dkim=pass header.d=mallory.example; spf=pass smtp.mailfrom=mallory.example", None),
        (f"{OURS}; dkim=pass header.d=com", None),
        (f"{OURS}; spf=pass smtp.mailfrom=b@example.com", True),
        (f"{OURS}; spf=softfail smtp.mailfrom=b@example.com", None),
        (f"{OURS}; spf=fail smtp.mailfrom=b@example.com", False),
        (f"{OURS}; spf=fail smtp.mailfrom=b@example.com; dkim=pass header.d=example.com", True),  # forwarded
        (f"{OURS}; dkim=pass header.d=example.com; dmarc=fail header.from=example.com", False),
        (f"{OURS}; dmarc=pass header.from=mallory.example", None),
        (f"{OURS}; dkim=temperror header.d=example.com", None),
        (f"{OURS}; none", None),
        (f"{OURS}", None),
        ("", None),
        (f"{OURS}; dkim=pass ((((((" + "(" * 5000, None),
    ],
)
def test_a_field_of_ours_is_worth_what_it_says_of_the_from_line(field: str, found: bool | None):
    assert judged(field) is found


def test_the_great_houses_are_understood():
    assert judged(GMAIL, trusted="mx.google.com") is True
    assert judged(MICROSOFT, trusted="nameless") is True
    assert judged(GMAIL.replace("dmarc=pass", "dmarc=fail"), trusted="mx.google.com") is False


def test_what_anybody_else_says_counts_for_nothing():  # T11
    assert judged(GMAIL) is None
    assert judged(MICROSOFT) is None
    assert judged(f"{OURS}.mallory.example; dkim=pass header.d=example.com") is None


def test_a_forged_field_below_ours_counts_for_nothing():  # T11
    forged = f"{OURS}; dkim=pass header.d=example.com; dmarc=pass header.from=example.com"
    assert judged(forged) is True  # negative control: it would do
    assert judged(f"{OURS}; dkim=none; dmarc=fail header.from=example.com", forged) is False
    assert judged(f"{OURS}; dkim=none; dmarc=none header.from=example.com", forged) is None


def test_what_sendgrid_posts_is_read():
    fail = read_posted({"spf": "fail", "dkim": "{@example.com : fail}"}, "b@example.com")
    assert is_authentic("example.com", fail) is False
    good = read_posted({"spf": "none", "dkim": "{@news.example : fail, @example.com : pass}"}, "b@example.com")
    assert is_authentic("example.com", good) is True
    assert is_authentic("example.com", read_posted({"spf": "pass", "dkim": "none"}, "b@elsewhere.example")) is None
    assert [read_score({"spam_score": each}) for each in ("7.2", "-1", "nan", "inf", "x", "")][:2] == [7.2, -1.0]
    assert not any(read_score({"spam_score": each}) >= 5 for each in ("nan", "inf", "x", ""))


def test_what_was_found_comes_out_of_the_reading_process_as_it_went_in():
    parsed = parse_mail(letter(extra=f"Authentication-Results: {GMAIL}"))
    assert isinstance(parsed, ParsedMail)
    assert parsed.verdicts[0] == Verdict("mx.google.com", "dkim", "pass", "example.com")
    assert unpack_answer(pack_answer(parsed)) == parsed


def test_the_mark_beneath_a_mail(config: Config, sessions: Sessions, session: Session, client: FlaskClient):
    make_mailbox(session)
    editor = make_editor(session)
    session.commit()
    sign_in(client, editor)
    house = config.model_copy(update={"trusted_receivers": OURS})
    pages = {}
    for result in ("pass", "fail", "none"):
        field = f"Authentication-Results: {OURS}; dmarc={result} header.from=example.com"
        mail = arrive(house, sessions, letter(message_id=f"{result}@x", text=result, extra=field))
        message = message_of(session, mail)
        assert message.authentic is {"pass": True, "fail": False}.get(result)
        pages[result] = client.get(f"/conversations/{message.conversation_id}").get_data(as_text=True)
    assert [("Sender confirmed" in page, "A check of its sender failed" in page) for page in pages.values()] == [
        (True, False),
        (False, True),
        (False, False),
    ]


@pytest.mark.parametrize("case", [(b"9.5", 5.0, "quarantined"), (b"4.9", 5.0, "filed"), (b"9.5", 0.0, "filed")])
def test_sendgrids_fields_are_kept_and_its_score_counts(config, sessions, session, client, case):
    score, most, state = case
    make_mailbox(session)
    session.commit()
    fields = (("SPF", b"fail"), ("dkim", b"{@example.com : pass}"), ("spam_score", score))
    assert post(client, form(*fields, ("email", letter()), ("envelope", ENVELOPE))) == 200
    file_received(config.model_copy(update={"policy": config.policy.model_copy(update={"spam_score": most})}), sessions)
    mail = session.scalars(sa.select(InboundMail)).one()
    assert mail.verdicts == {"spf": "fail", "dkim": "{@example.com : pass}", "spam_score": score.decode()}
    assert (mail.state, mail.reason) == (InboundState(state), "spam" if state == "quarantined" else "")
    assert [each.authentic for each in session.scalars(sa.select(Message))] == [True] * (state == "filed")


def test_a_customers_own_mail_of_a_high_score_comes_with_a_warning(config, sessions, session, client):
    make_mailbox(session)
    make_customer(session)
    session.commit()
    assert post(client, form(("spam_score", b"9"), ("email", letter()), ("envelope", ENVELOPE))) == 200
    file_received(config, sessions)
    assert session.scalars(sa.select(Message)).one().flags == ["spam"]
