"""The days on which an editor is away: the rules by hand-made cases, and how she enters them and takes them back."""

from datetime import UTC, date, datetime, timedelta
from threading import Thread

import pytest
import sqlalchemy as sa

from concierge import audit
from concierge.accounts import commands, queries
from concierge.accounts.absences import Away, away_on, find_stand_in, overlaps
from concierge.accounts.models import (
    Absence,
    DaysBackwards,
    DaysOver,
    DaysTaken,
    DaysTooMany,
    NoStandIn,
    Role,
)
from concierge.accounts.wording import away_words, span_words
from tests.factories import DAY, NOW, make_editor, sign_in

TODAY = NOW.date()  # a Tuesday
ONE = timedelta(days=1)
TOMORROW = TODAY + ONE
FRIDAY = TODAY + 3 * ONE


@pytest.fixture
def nadia(session, at):
    nadia = make_editor(session)
    session.commit()
    return nadia


@pytest.fixture
def chiara(session, nadia):
    chiara = make_editor(session, "Chiara Bellini")
    session.commit()
    return chiara


def enter(session, editor, first_day=TODAY, last_day=FRIDAY, **values):
    entered = commands.enter_absence(
        session, editor, first_day=first_day, last_day=last_day, **{"by": editor, "now": NOW} | values
    )
    session.commit()
    return entered


@pytest.mark.parametrize(
    ("day", "until"),
    [(-1, None), (0, 2), (2, 2), (3, None), (10, 16), (13, 16), (14, 16), (16, 16), (17, None)],
)
def test_absences_that_follow_each_other_are_one(day, until):
    spans = [(14, 16), (0, 2), (10, 13)]
    absences = [Away(TODAY + ONE * first, TODAY + ONE * last) for first, last in spans]
    found = away_on(absences, TODAY + ONE * day)
    assert (found and found.last_day) == (None if until is None else TODAY + ONE * until)


@pytest.mark.parametrize(("first", "last", "met"), [(0, 3, False), (0, 4, True), (6, 6, True), (8, 9, False)])
def test_days_overlap_where_one_day_is_in_both(first, last, met):
    there = [Away(TODAY + ONE * 4, TODAY + ONE * 7)]
    assert overlaps(there, TODAY + ONE * first, TODAY + ONE * last) is met


def _away(**named):
    return {int(number[1:]): Away(TODAY, TODAY, stand_in) for number, stand_in in named.items()}


@pytest.mark.parametrize(
    ("away", "writes"),
    [
        (_away(n1=2), 2),
        (_away(n1=None), None),
        (_away(n1=2, n2=3), 3),  # whom she named is away, and named another
        (_away(n1=2, n2=None), None),
        (_away(n1=2, n2=1), None),  # in a circle
        (_away(n1=2, n2=3, n3=2), None),
        (_away(n1=9), None),  # has left
        (_away(n2=3), None),  # she is there herself
    ],
)
def test_whom_she_named_writes_or_whom_that_one_named(away, writes):
    assert find_stand_in(away, 1, answering={1, 2, 3}) == writes


def test_an_absence_is_entered_and_taken_back_and_both_are_written_down(session, nadia, chiara):
    absence = enter(session, nadia, stand_in=chiara)
    away = queries.list_away(session, [nadia, chiara], now=NOW)
    assert away == {nadia.id: Away(TODAY, FRIDAY, chiara.id, absence.id)}
    commands.take_back_absence(session, nadia, absence.id, by=chiara, now=NOW)
    session.commit()
    assert queries.list_away(session, [nadia, chiara], now=NOW) == {}
    entered, taken_back = audit.list_for(session, nadia)
    days = {"first_day": "2026-05-12", "last_day": "2026-05-15", "stand_in": chiara.id}
    assert (entered.verb, entered.editor_id, entered.details) == ("editor.absence_entered", nadia.id, days)
    assert (taken_back.verb, taken_back.editor_id, taken_back.details) == (
        "editor.absence_taken_back",
        chiara.id,
        days,
    )


@pytest.mark.parametrize(
    ("first", "last", "wrong"),
    [
        (3, 2, DaysBackwards),
        (-9, -1, DaysOver),
        (0, 400, DaysTooMany),
        (12, 14, DaysTaken),
        (8, 10, DaysTaken),
        (9, 20, DaysTaken),
        (11, 11, DaysTaken),
    ],
)
def test_days_that_can_not_be_are_refused(session, nadia, first, last, wrong):
    enter(session, nadia, TODAY + 10 * ONE, TODAY + 12 * ONE)
    with pytest.raises(wrong):
        enter(session, nadia, TODAY + first * ONE, TODAY + last * ONE)
    session.rollback()
    assert session.scalar(sa.select(sa.func.count()).select_from(Absence)) == 1
    session.commit()


def test_days_entered_twice_at_once_are_kept_once(sessions, session, nadia):  # F08
    """She and an admin press at the same moment; the second waits for the first, and is told."""
    number, outcomes = nadia.id, []

    def press():
        with sessions() as his:
            try:
                enter(his, queries.get_editor(his, number))
                outcomes.append("kept")
            except DaysTaken:
                outcomes.append("taken")

    with sessions() as hers:
        herself = queries.get_editor(hers, number)
        commands.enter_absence(hers, herself, first_day=TODAY, last_day=FRIDAY, by=herself, now=NOW)
        hers.flush()
        other = Thread(target=press)
        other.start()
        other.join(0.3)
        hers.commit()
    other.join()
    assert outcomes == ["taken"]
    assert session.scalar(sa.select(sa.func.count()).select_from(Absence)) == 1
    session.commit()


def test_her_own_days_and_a_colleagues_do_not_meet(session, nadia, chiara):
    enter(session, nadia)
    enter(session, chiara)
    enter(session, nadia, FRIDAY + ONE, FRIDAY + ONE)
    assert len(queries.list_absences(session, now=NOW)[nadia.id]) == 2


@pytest.mark.parametrize("role", [Role.MERCHANDISER, Role.EDITOR])
def test_she_is_covered_by_another_who_may_answer(session, nadia, role):
    other = make_editor(session, "Marta Greco", role=role, active=role is Role.MERCHANDISER)
    for each in (nadia, other):
        with pytest.raises(NoStandIn):
            enter(session, nadia, stand_in=each)


@pytest.mark.parametrize(
    ("zone", "at", "is_away"),
    [
        ("Pacific/Auckland", "2026-05-12T11:59", False),  # 23:59 there
        ("Pacific/Auckland", "2026-05-12T12:00", True),  # Wednesday there already
        ("Pacific/Auckland", "2026-05-14T11:59", True),
        ("Pacific/Auckland", "2026-05-14T12:00", False),
        ("Pacific/Honolulu", "2026-05-13T09:59", False),  # Tuesday there still
        ("Pacific/Honolulu", "2026-05-13T10:00", True),
        ("Pacific/Honolulu", "2026-05-15T09:59", True),  # its last day is over nearly everywhere else
        ("Pacific/Honolulu", "2026-05-15T10:00", False),
        ("Nowhere/AtAll", "2026-05-13T00:00", True),
    ],
)
def test_her_days_are_those_of_her_own_calendar(session, nadia, zone, at, is_away):
    nadia.timezone = zone
    enter(session, nadia, TOMORROW, TOMORROW + ONE)
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert (nadia.id in queries.list_away(session, [nadia], now=moment)) is is_away


def test_a_day_that_is_over_for_the_house_may_still_be_hers(session, nadia):
    nadia.timezone = "Pacific/Honolulu"
    at_night = datetime(2026, 5, 13, 6, 0, tzinfo=UTC)  # Tuesday evening there
    enter(session, nadia, TODAY, TODAY, now=at_night)
    nadia.timezone = "Europe/Rome"
    with pytest.raises(DaysOver):
        enter(session, nadia, TODAY - ONE, TODAY, now=at_night)


@pytest.mark.parametrize(
    ("language", "days", "words"),
    [
        ("en", 0, "away today"),
        ("en", 1, "away until tomorrow"),
        ("en", 3, "away until Friday"),
        ("en", 27, "away until Monday 8 June"),
        ("it", 0, "assente oggi"),
        ("it", 1, "assente fino a domani"),
        ("it", 3, "assente fino a venerdì"),
        ("it", 27, "assente fino a lunedì 8 giugno"),
        ("it", 300, "assente fino a lunedì 8 marzo 2027"),
    ],
)
def test_until_when_is_said_in_days(app, language, days, words):
    with app.test_request_context(headers={"Accept-Language": language}):
        away = Away(TODAY, TODAY + days * ONE)
        assert away_words(away, TODAY) == words
        assert span_words(Away(FRIDAY, FRIDAY), TODAY) in {"Friday 15 May", "venerdì 15 maggio"}


def _form(first_day=TOMORROW, last_day=FRIDAY, stand_in=0):
    days = (day.isoformat() if isinstance(day, date) else day for day in (first_day, last_day))
    return dict(zip(("first_day", "last_day", "stand_in"), (*days, str(stand_in)), strict=True))


def test_she_enters_her_days_on_her_profile_and_takes_them_back(client, session, nadia, chiara):
    sign_in(client, nadia)
    here = f"/editors/{nadia.id}/absences"
    assert f'action="{here}"' in client.get("/profile").get_data(as_text=True)
    answer = client.post(here, data=_form(stand_in=chiara.id))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/profile#absences")
    shown = client.get("/profile").get_data(as_text=True)
    assert "Wednesday 13 May to Friday 15 May" in shown
    assert "Chiara Bellini writes meanwhile" in shown
    absence = session.scalars(sa.select(Absence)).one()
    session.commit()
    taken_back = client.post(f"{here}/{absence.id}/take-back")
    assert (taken_back.status_code, taken_back.headers["Location"]) == (303, "/profile#absences")
    assert client.post(f"{here}/{absence.id}/take-back").status_code == 404
    assert "Wednesday 13 May to" not in client.get("/profile").get_data(as_text=True)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (_form(FRIDAY, TOMORROW), "The last day comes before the first."),
        (_form(date(2026, 5, 1), date(2026, 5, 11)), "These days are over."),
        (_form("soon", ""), "Write a day of the calendar, like 2026-08-17."),
        (_form(FRIDAY + 7 * ONE, FRIDAY + 9 * ONE), "take that one back first."),
        (_form(TODAY, TODAY, 9999), "Not a valid choice"),
    ],
)
def test_what_can_not_be_is_said_beside_the_days(client, session, nadia, form, words):
    enter(session, nadia, FRIDAY + 8 * ONE, FRIDAY + 8 * ONE)
    sign_in(client, nadia)
    answer = client.post(f"/editors/{nadia.id}/absences", data=form)
    assert (answer.status_code, words in answer.get_data(as_text=True)) == (422, True)
    assert session.scalar(sa.select(sa.func.count()).select_from(Absence)) == 1


def test_an_admin_enters_them_for_who_fell_ill_and_nobody_else_does(app, client, session, nadia, chiara):  # T35
    omar = make_editor(session, "Omar Haddad", role=Role.ADMIN)
    session.commit()
    his, here = app.test_client(), f"/editors/{nadia.id}/absences"
    sign_in(his, omar)
    assert his.post(here, data=_form(TODAY)).headers["Location"] == f"{here}#absences"
    assert "When Nadia is away" in his.get(here).get_data(as_text=True)
    staff = his.get("/staff").get_data(as_text=True)
    assert staff.count("away until Friday") == 1
    absence = session.scalars(sa.select(Absence.id)).one()
    session.commit()
    sign_in(client, chiara)
    assert [client.get(here).status_code, client.post(here, data=_form()).status_code] == [403, 403]
    assert client.post(f"{here}/{absence}/take-back").status_code == 403
    assert client.post(f"/editors/{chiara.id}/absences/{absence}/take-back").status_code == 404  # it is Nadia's
    assert session.scalars(sa.select(Absence.editor_id)).all() == [nadia.id]


def test_what_is_over_is_not_shown_any_more(client, session, nadia, at):
    enter(session, nadia, TODAY, TOMORROW)
    at(NOW + 2 * DAY)
    sign_in(client, nadia)
    assert "Tuesday 12 May" not in client.get("/profile").get_data(as_text=True)


def test_a_merchandiser_is_asked_for_no_days(client, session, at):
    marta = make_editor(session, "Marta Greco", role=Role.MERCHANDISER)
    session.commit()
    sign_in(client, marta)
    assert 'id="absences"' not in client.get("/profile").get_data(as_text=True)
