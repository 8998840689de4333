"""When, as people say it: English and Italian, read to the end or not at all."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from concierge.followups.moments import Meant, read_phrase

ROME = ZoneInfo("Europe/Rome")
NOW = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)  # Tuesday, 11:30 in Rome


def read(text: str) -> Meant | None:
    return read_phrase(text, NOW, ROME)


@pytest.mark.parametrize(
    ("text", "wall"),
    [
        ("in 3 days", "2026-05-15T10:00"),
        ("In three days, if she has not replied", "2026-05-15T10:00"),
        ("in 3 days if she hasn’t answered", "2026-05-15T10:00"),
        ("tra 3 giorni", "2026-05-15T10:00"),
        ("tra tre giorni se non ha risposto", "2026-05-15T10:00"),
        ("fra una settimana se non risponde", "2026-05-19T10:00"),
        ("in a month", "2026-06-12T10:00"),
        ("3 days", "2026-05-15T10:00"),
        ("in a fortnight", "2026-05-26T10:00"),
        ("tra un anno", "2027-05-12T10:00"),
        ("next week", "2026-05-18T10:00"),
        ("la prossima settimana", "2026-05-18T10:00"),
        ("in 3 days at 16:00", "2026-05-15T16:00"),
        ("a week from now", "2026-05-19T10:00"),
        ("3 days from now, if she hasn't answered", "2026-05-15T10:00"),
        ("two weeks from today at 16:00", "2026-05-26T16:00"),
        ("una settimana da oggi", "2026-05-19T10:00"),
        ("fra due settimane a partire da adesso", "2026-05-26T10:00"),
        ("in two weeks’ time", "2026-05-26T10:00"),
        ("in a week's time at 16:00", "2026-05-19T16:00"),
        ("da qui a due settimane", "2026-05-26T10:00"),
        ("in a couple of days", "2026-05-14T10:00"),
        ("tra un paio di giorni", "2026-05-14T10:00"),
        ("next month", "2026-06-12T10:00"),
        ("next month at 16:00, if no reply", "2026-06-12T16:00"),
        ("il mese prossimo", "2026-06-12T10:00"),
        ("il prossimo mese alle 9", "2026-06-12T09:00"),
    ],
)
def test_days_are_counted_and_no_day_is_named(text: str, wall: str):
    assert read(text) == Meant(datetime.fromisoformat(wall), is_named=False)


@pytest.mark.parametrize(
    ("text", "wall"),
    [
        ("Friday 10:00 her time", "2026-05-15T10:00"),
        ("on Friday at 10", "2026-05-15T10:00"),
        ("venerdì alle 10.30", "2026-05-15T10:30"),
        ("venerdì alle 10 ora sua", "2026-05-15T10:00"),
        ("friday evening", "2026-05-15T18:00"),
        ("next Tuesday", "2026-05-19T10:00"),
        ("lunedì mattina", "2026-05-18T10:00"),
        ("tomorrow", "2026-05-13T10:00"),
        ("domani alle 9", "2026-05-13T09:00"),
        ("the day after tomorrow", "2026-05-14T10:00"),
        ("stasera", "2026-05-12T18:00"),
        ("tra un’ora", "2026-05-12T12:30"),
        ("in 2 hours", "2026-05-12T13:30"),
        ("2 hours from now", "2026-05-12T13:30"),
        ("in an hour’s time", "2026-05-12T12:30"),
        ("fra un paio d’ore", "2026-05-12T13:30"),
        ("in half an hour", "2026-05-12T12:00"),
        ("half an hour from now", "2026-05-12T12:00"),
        ("tra mezz’ora", "2026-05-12T12:00"),
        ("fra mezz'ora se non ha risposto", "2026-05-12T12:00"),
        ("in a quarter of an hour", "2026-05-12T11:45"),
        ("tra un’ora e mezza", "2026-05-12T13:00"),
        ("the 5th of next month", "2026-06-05T10:00"),
        ("il 5 del mese prossimo alle 11", "2026-06-05T11:00"),
        ("3 pm", "2026-05-12T15:00"),
        ("10am", "2026-05-13T10:00"),
        ("12 June, 9:30", "2026-06-12T09:30"),
        ("8 marzo", "2027-03-08T10:00"),
        ("May 20th", "2026-05-20T10:00"),
        ("giovedì 14 maggio alle 10", "2026-05-14T10:00"),
        ("12/6", "2026-06-12T10:00"),
        ("12/06/2027 18:15", "2027-06-12T18:15"),
        ("2026-05-20T10:30", "2026-05-20T10:30"),
        ("2026-11-26T10:00", "2026-11-26T10:00"),
        ("26-11-2026", "2026-11-26T10:00"),
        ("Friday 15", "2026-05-15T10:00"),
        ("venerdì 5 alle 9", "2026-06-05T09:00"),
        ("Friday 15 9am", "2026-05-15T09:00"),
        ("mar 19", "2026-05-19T10:00"),
        ("19 mar", "2027-03-19T10:00"),
        ("the 27th", "2026-05-27T10:00"),
        ("il 27 alle 11", "2026-05-27T11:00"),
        ("l’8 dicembre", "2026-12-08T10:00"),
        ("il 1° giugno", "2026-06-01T10:00"),
        ("il primo maggio", "2027-05-01T10:00"),
        ("Thursday next week", "2026-05-21T10:00"),
        ("tomorrow at nine", "2026-05-13T09:00"),
        ("domani alle nove", "2026-05-13T09:00"),
        ("tomorrow 9", "2026-05-13T09:00"),
        ("tomorrow evening at 7", "2026-05-13T19:00"),
        ("domani sera alle 20", "2026-05-13T20:00"),
        ("tonight at 8", "2026-05-12T20:00"),
        ("domattina", "2026-05-13T10:00"),
        ("this morning", "2026-05-12T10:00"),
        ("alle 5 del pomeriggio", "2026-05-12T17:00"),
        ("nel pomeriggio", "2026-05-12T15:00"),
        ("domani a mezzogiorno", "2026-05-13T12:00"),
        ("questo venerdì alle 11", "2026-05-15T11:00"),
        ("lunedì alle nove e mezza", "2026-05-18T09:30"),
        ("tomorrow at half past nine", "2026-05-13T09:30"),
    ],
)
def test_a_named_moment_is_meant_as_it_is_said(text: str, wall: str):
    assert read(text) == Meant(datetime.fromisoformat(wall), is_named=True)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "whenever", "friday or saturday", "Friday 14 May", "31 February", "25:00", "in 900 days", "10:75",
     "in 3 days but not on Sunday", "99999999999999999999", "in 3 weeks and 2 days", "0/0/0000",
     "Friday 4", "venerdì 4", "friday the 13th", "mar 10", "tomorrow 13pm", "0am", "tomorrow 12am", "midnight",
     "the 32nd", "10", "tomorrow morning at 14", "evening at 3", "noon in the evening", "the day after", "26-11.2026",
     "next month 9", "Friday next month", "venerdì del mese prossimo", "the 31st of next month", "the month after next",
     "end of next month", "after next month", "dopo il mese prossimo", "in 2 weeks next month", "a week from Friday",
     "una settimana da venerdì", "in half an hour tomorrow", "tra mezz'ora domani", "half an hour after delivery",
     "in two weeks' holiday", "half nine"],
)  # fmt: skip
def test_what_is_not_understood_to_its_end_is_not_guessed(text: str):
    assert read(text) is None


@pytest.mark.parametrize("text", ["next month", "il mese prossimo"])
def test_a_month_that_has_no_such_day_means_its_last(text: str):
    for day, meant in (
        (datetime(2026, 1, 31, 9), datetime(2026, 2, 28, 10)),
        (datetime(2026, 12, 9, 9), datetime(2027, 1, 9, 10)),
    ):
        assert read_phrase(text, day.replace(tzinfo=UTC), ROME) == Meant(meant)


def test_hours_are_counted_by_the_stopwatch_when_the_clock_is_turned():
    night = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)  # half past midnight, before summer time
    assert read_phrase("in 2 hours", night, ROME) == Meant(datetime(2026, 3, 29, 3, 30), is_named=True)


@pytest.mark.parametrize(
    ("text", "days", "hour"),
    [
        ("two weeks after it is delivered", 14, 10),
        ("2 weeks after it’s delivered, if she hasn’t answered", 14, 10),
        ("10 days after she has it at 16:00", 10, 16),
        ("a week after delivery", 7, 10),
        ("14 days after it is delivered at 10:00", 14, 10),
        ("3 days after her parcel arrives", 3, 10),
        ("2 settimane dopo la consegna", 14, 10),
        ("una settimana dopo che è arrivato, alle 11", 7, 11),
        ("due settimane dopo che Le è arrivato", 14, 10),
        ("10 giorni dalla consegna", 10, 10),
        ("tre giorni dopo che l’ha ricevuto", 3, 10),
        ("the day after delivery", 1, 10),
        ("il giorno dopo la consegna, alle 9", 1, 9),
    ],
)
def test_days_are_counted_from_a_delivery(text: str, days: int, hour: int):
    assert read(text) == Meant(datetime(2026, 5, 12, hour) + timedelta(days=days), after_delivery=days)


@pytest.mark.parametrize("text", ["after it is delivered", "two weeks after the opera", "2 hours after delivery"])
def test_what_is_after_something_else_is_not_read(text: str):
    assert read(text) is None


@pytest.mark.parametrize(
    "ending",
    ["if she hasn't answered", "if she hasn’t answered yet", "if she doesn't respond", "if he has not replied to me",
     "if they haven't written", "if she still hasn't answered my mail", "if she hasn't bought or written",
     "if she did not write back", "if she's still not answered",
     "if she hasn't got back to us by then", "if I haven't heard from her",
     "if we don’t get an answer", "unless she writes", "unless she answers", "unless she's already replied",
     "unless she buys or writes", "if no reply", "if there is no answer", "if there isn't an answer from her",
     "without an answer", "se non risponde", "se non ha risposto", "se lei non ha ancora risposto",
     "se non mi scrive", "se non si fa sentire", "se non si è fatta viva", "se non risponderà nel frattempo",
     "se nel frattempo non ha risposto",
     "se non ha comprato o scritto", "se non scrive né compra", "se non c’è risposta", "se non ricevo sue notizie",
     "a meno che non scriva", "a meno che non abbia già risposto", "a meno che non si faccia sentire",
     "salvo risposta", "senza una sua risposta", "in assenza di risposta"],
)  # fmt: skip
@pytest.mark.parametrize("start", ["in 3 days", "tra 3 giorni,"])
def test_what_always_holds_may_be_said(start: str, ending: str):
    assert read(f"{start} {ending}") == Meant(datetime(2026, 5, 15, 10))


@pytest.mark.parametrize(
    "ending",
    ["if she answers", "if she has answered", "if she wrote", "if she's written", "if she writes back", "if she buys",
     "unless she hasn't answered", "unless she doesn't write", "if she hasn't bought and written",
     "if she hasn't answered but bought", "if she hasn't complained", "if she hasn't answered my sister",
     "if she hasn't", "if there is an answer", "if I hear from her", "unless there is no answer",
     "if she has not read it", "when she answers", "once she hasn't", "if she hasn't answered or if it rains",
     "if it hasn't arrived",
     "se risponde", "se ha risposto", "se scrive", "se lei ha scritto", "se si fa sentire", "se compra",
     "a meno che risponda", "se non ha risposto ma ha comprato", "se non piove", "se non", "se c’è risposta",
     "se non scrive o non compra", "quando risponde", "se non ha risposto e compra"],
)  # fmt: skip
@pytest.mark.parametrize("start", ["in 3 days", "fra 3 giorni"])
def test_another_condition_is_not_swallowed(start: str, ending: str):
    assert read(f"{start} {ending}") is None
