"""What does not add up is seen: on a page, in the bar, by `concierge check`; and goes when it is mended."""

import pytest
import sqlalchemy as sa

from concierge import clock
from concierge.accounts.models import Role
from concierge.checking import NotWorking, check_sums
from concierge.wishes import jobs
from concierge.wishes.offer_models import Offer
from concierge.wishes.soundness import list_broken
from tests.factories import DAY, HOUR, NOW, make_editor, sign_in
from tests.wishes.builders import sandals, share_out, wish_for


def at(monkeypatch, moment):
    monkeypatch.setattr(clock, "now", lambda: moment)


def test_a_broken_row_is_seen_with_since_when_until_it_is_mended(session, sessions, config, client, monkeypatch):
    """With its own negative control: nothing is said of a sound house."""
    omar = make_editor(session, "Omar Haddad", role=Role.ADMIN)
    session.commit()
    sign_in(client, omar)
    [variant] = sandals(session, s36=2)
    wish_for(session, variant)
    share_out(session, variant, now=NOW)
    session.commit()
    assert jobs.check_invariants(config, sessions) == 0
    assert "Everything adds up." in client.get("/wishes/broken").get_data(as_text=True)
    assert "Holds, sales and units agree" in check_sums(config)

    session.execute(sa.text("UPDATE variant SET promised = 2"))
    session.execute(sa.text("UPDATE wish SET state = 'waiting'"))
    session.commit()
    for moment in (NOW, NOW + HOUR):
        at(monkeypatch, moment)
        assert jobs.check_invariants(config, sessions) == 3
    found = list_broken(session)
    session.commit()
    assert {each.rule for each in found} == {
        "what is promised is what is held and sold",
        "an open offer's wish is offered",
        "a queue agrees with its wishes",
    }
    assert {(each.since, each.seen_at) for each in found} == {(NOW, NOW + HOUR)}
    page = client.get("/wishes/broken").get_data(as_text=True)
    assert "2 units count as promised, 1 are held or sold" in page
    assert '<a href="/catalogue/CAL-TUR">variant 1</a>' in page
    assert '<a href="/customers/1">offer 1</a>' in page
    assert "3<span" in client.get("/wishes").get_data(as_text=True)
    with pytest.raises(NotWorking, match="variant 1: what is promised is what is held and sold"):
        check_sums(config)

    session.execute(sa.text("UPDATE variant SET promised = 1"))
    session.execute(sa.text("UPDATE wish SET state = 'offered'"))
    session.commit()
    at(monkeypatch, NOW + DAY)
    assert jobs.check_invariants(config, sessions) == 0
    assert list_broken(session) == []
    session.commit()
    assert "bar__broken" not in client.get("/wishes").get_data(as_text=True)
    assert session.scalar(sa.select(sa.func.count()).select_from(Offer)) == 1


def test_editors_are_not_troubled_with_it(session, client):
    nadia = make_editor(session)
    session.commit()
    sign_in(client, nadia)
    assert client.get("/wishes/broken").status_code == 403
