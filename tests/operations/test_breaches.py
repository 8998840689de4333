"""What browsers report of our policy: read, counted, bounded; and nobody's page is told by it (T15–T18)."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.accounts.models import Role
from concierge.operations.breaches import read_breaches
from concierge.operations.commands import KEPT, MOST_KEPT, note_breaches
from concierge.operations.models import Breach
from concierge.web.security import BREACHES
from tests.factories import NOW, make_editor, sign_in

PAGE = "http://localhost/messages/7/body?pictures=1"
OLD = {"document-uri": PAGE, "violated-directive": "img-src 'self'", "blocked-uri": "https://track.example/p.gif?b=1"}
NEW = {"documentURL": PAGE, "effectiveDirective": "script-src-elem", "blockedURL": "inline", "sample": "said()"}


def old(**changes: object) -> dict[str, object]:
    return {"csp-report": OLD | {name.replace("_", "-"): value for name, value in changes.items()}}


def new(**changes: object) -> dict[str, object]:
    return {"type": "csp-violation", "age": 3, "url": PAGE, "body": NEW | changes}


@pytest.mark.parametrize(
    ("posted", "told"),
    [
        (old(), [("img-src", "track.example")]),
        ([new(), new(blockedURL="data:,x")], [("script-src-elem", "inline"), ("script-src-elem", "data")]),
        ([new(), {"type": "deprecation", "body": {}}, 7], [("script-src-elem", "inline")]),
        (old(blocked_uri="https://bücher.example/<b>"), []),
        (old(blocked_uri="chrome-extension://abc/x.js"), []),
        (old(source_file="moz-extension://abc/x.js"), []),
        (old(violated_directive="<b>"), []),
        (old(document_uri=None), [("img-src", "track.example")]),
        ([new()] * 500, [("script-src-elem", "inline")] * 20),
    ],
)  # fmt: skip
def test_either_form_is_read_and_says_where_to_and_no_more(posted: object, told: list[tuple[str, str]]):
    found = read_breaches(json.dumps(posted).encode())
    assert [(each.directive, each.blocked) for each in found] == told
    assert {each.url for each in found} <= {PAGE, ""}


@pytest.mark.parametrize("posted", [b"", b"\xff", b"[" * 100_000, b'{"csp-report": 1}', b"null", b'{"a": 1}'])
def test_what_is_no_report_says_nothing(posted: bytes):
    assert read_breaches(posted) == ()


def rows(session: Session) -> list[tuple[str, str, str, int]]:
    session.expire_all()
    found = session.execute(sa.select(Breach.page, Breach.directive, Breach.blocked, Breach.count).order_by(Breach.id))
    rows = [tuple(row) for row in found]
    session.commit()  # SQLite: the next report may write
    return rows


def test_they_are_counted_by_kind_of_page_and_shown_to_admins(client: FlaskClient, session: Session):
    omar = make_editor(session, "Omar Haddad", role=Role.ADMIN, language="en")
    session.commit()
    sign_in(client, omar)
    assert "would be counted here" in client.get("/operations").text
    for each in (old(), [new(), new()], old(document_uri="http://localhost/messages/8/body")):
        assert client.post(BREACHES, data=json.dumps(each), content_type="application/csp-report").status_code == 204
    assert client.post(BREACHES, data=b"x" * 70_000).status_code == 413
    for elsewhere in ("https://elsewhere.example/messages/7/body", "http://localhost/no/such/page", "http://[", ""):
        client.post(BREACHES, data=json.dumps(old(document_uri=elsewhere)))
    assert rows(session) == [
        ("mails.body", "img-src", "track.example", 2),
        ("mails.body", "script-src-elem", "inline", 2),
    ]
    assert "track.example" in client.get("/operations").text


def test_whoever_reports_more_than_a_browser_would_is_not_heard(client: FlaskClient, session: Session):
    said = [client.post(BREACHES, data=json.dumps(old())).status_code for _each in range(32)]
    assert (said.count(204), said.count(429), rows(session)[0][3]) == (30, 2, 30)


def test_no_more_kinds_are_kept_than_anybody_reads(session: Session):
    def seen(number: int) -> dict[str, object]:
        at = NOW + timedelta(seconds=number)
        return {
            "page": "mails.body",
            "directive": "img-src",
            "blocked": f"{number}",
            "count": 1,
            "first_at": at,
            "last_at": at,
        }

    session.execute(sa.insert(Breach), [seen(number) for number in range(MOST_KEPT)])
    note_breaches(session, [("mails.body", "img-src", "new.example")], now=NOW + KEPT)
    kept = [blocked for _page, _directive, blocked, _count in rows(session)]
    assert (len(kept), kept[0], kept[-1]) == (MOST_KEPT, "1", "new.example")
    note_breaches(session, [("mails.body", "img-src", "new.example")], now=NOW + KEPT + timedelta(days=1))
    assert rows(session) == [("mails.body", "img-src", "new.example", 2)]


def test_every_page_says_where_to_report(client: FlaskClient):
    plain = client.get("/sign-in").headers
    assert plain["Content-Security-Policy"].endswith(f"; report-uri {BREACHES}")
    assert "Reporting-Endpoints" not in plain
    safe = client.get("/sign-in", base_url="https://localhost").headers
    assert safe["Content-Security-Policy"].endswith("; report-to breaches")
    assert safe["Reporting-Endpoints"] == f'breaches="{BREACHES}"'
    asked = client.options(BREACHES, headers={"Origin": "null"})
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, "*")
