"""What was promised, and by when: verbs and dates in English and Italian, and what only looks like a promise."""

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from concierge.followups.promises import find_promises

ROME = ZoneInfo("Europe/Rome")
TUESDAY = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)


def found(text: str) -> list[tuple[str, date]]:
    return [(each.words, each.due_on) for each in find_promises(text, TUESDAY, ROME)]


def day(text: str) -> date | None:
    promised = found(text)
    return promised[0][1] if promised else None


@pytest.mark.parametrize(
    ("text", "due_on"),
    [
        ("I’ll look for it in navy by Friday.", "2026-05-15"),
        ("I will write to you on Thursday with the photographs.", "2026-05-14"),
        ("We'll let you know tomorrow, I promise.", "2026-05-13"),
        ("I'm going to ask our atelier and come back to you within two days.", "2026-05-14"),
        ("You'll hear from me by 20 May.", "2026-05-20"),
        ("I shall send the sketches before the weekend.", "2026-05-15"),
        ("I'll have an answer for you by the end of the week.", "2026-05-15"),
        ("I will call the boutique in Milan later today.", "2026-05-12"),
        ("Let me check with the workshop and write again next week.", "2026-05-22"),
        ("Glielo cercherò in blu entro venerdì.", "2026-05-15"),
        ("Le scriverò domani con le fotografie.", "2026-05-13"),
        ("Le faccio sapere entro giovedì.", "2026-05-14"),
        ("La ricontatto entro due giorni.", "2026-05-14"),
        ("Le manderò le misure in giornata.", "2026-05-12"),
        ("Controlleremo in magazzino entro la settimana.", "2026-05-15"),
        ("Verificherò e Le darò notizie la prossima settimana.", "2026-05-22"),
        ("Le farò sapere entro il 20 maggio.", "2026-05-20"),
        ("I will be in touch by Friday.", "2026-05-15"),
        ("I'll be able to tell you by Friday.", "2026-05-15"),
        ("It’ll be with you on Friday.", "2026-05-15"),
        ("I'll send you the sketches by the 27th.", "2026-05-27"),
        ("Le scriverò entro il 27.", "2026-05-27"),
        ("Le scriverò entro l’8 giugno.", "2026-06-08"),
        ("Entro venerdì avrà una risposta.", "2026-05-15"),
        ("Entro il 20 maggio avrà mie notizie.", "2026-05-20"),
        ("Per venerdì Le preparo una selezione.", "2026-05-15"),
        ("I'll see by Friday if we have it in navy.", "2026-05-15"),
        ("I'll let you know by Friday if it comes.", "2026-05-15"),
        ("Le farò sapere entro venerdì se è disponibile.", "2026-05-15"),
        ("I'll write to you by Friday, even if nothing has come.", "2026-05-15"),
        ("I'll write to you by Friday, if not sooner.", "2026-05-15"),
        ("Le scriverò entro venerdì, anche se non arriva.", "2026-05-15"),
        ("Le scriverò il 20 maggio con le misure.", "2026-05-20"),
        ("Le scriverò l’8 giugno.", "2026-06-08"),
        ("Le scriverò prima del 20 maggio.", "2026-05-20"),
        ("Le tengo da parte il paio fino al 20 maggio.", "2026-05-20"),
        ("Spedirò il pacco il primo giugno.", "2026-06-01"),
        ("La terremo aggiornata entro venerdì.", "2026-05-15"),
        ("We will keep you informed by Friday.", "2026-05-15"),
        ("Le daremo notizie entro venerdì.", "2026-05-15"),
        ("Sapremo dirLe entro venerdì.", "2026-05-15"),
        ("Lo cerco in blu entro venerdì.", "2026-05-15"),
        ("La cerchiamo in blu entro venerdì.", "2026-05-15"),
        ("Mi impegno a trovarlo entro venerdì.", "2026-05-15"),
        ("La teniamo informata entro fine mese.", "2026-05-31"),
        ("I'll write by the end of the month.", "2026-05-31"),
        ("I'll write before the end of this month.", "2026-05-31"),
        ("I'll write by month's end.", "2026-05-31"),
        ("I'll write by the end of next month.", "2026-06-30"),
        ("I'll write by the end of February.", "2027-02-28"),
        ("Entro fine mese Le mando il catalogo.", "2026-05-31"),
        ("Le scriverò entro la fine del mese.", "2026-05-31"),
        ("Le scriverò prima della fine del mese.", "2026-05-31"),
        ("Le scriverò entro la fine del mese prossimo.", "2026-06-30"),
        ("Le scriverò entro la fine di giugno.", "2026-06-30"),
        ("Le scriverò entro questa settimana.", "2026-05-15"),
        ("Le scriverò entro la fine della settimana prossima.", "2026-05-22"),
        ("I'll write by the end of the day on Friday.", "2026-05-15"),
        ("Le scriverò entro la giornata di venerdì.", "2026-05-15"),
        ("I'll write the day after tomorrow.", "2026-05-14"),
        ("I'll write on Friday, 29 May.", "2026-05-29"),
        ("Le scriverò lunedì o martedì.", "2026-05-18"),
        ("I'm in Paris on Friday, but I'll write to you on Monday.", "2026-05-18"),
        ("Venerdì sono a Parigi, ma Le scrivo lunedì.", "2026-05-18"),
        ("I'll send the sketches on Friday, and the boots by Thursday.", "2026-05-14"),
    ],
)
def test_a_promise_has_its_day(text: str, due_on: str):
    assert day(text) == date.fromisoformat(due_on)


@pytest.mark.parametrize(
    ("text", "due_on"),
    [
        ("I'll write to you on Tuesday next week.", "2026-05-19"),
        ("I'll write on Tuesday morning at 10 next week.", "2026-05-19"),
        ("I'll write to you next week, on Monday.", "2026-05-18"),
        ("I'll write early next week, on Monday.", "2026-05-18"),
        ("I'll write on Thursday or Friday next week.", "2026-05-21"),
        ("I'll write by Friday of next week.", "2026-05-22"),
        ("I'll write on Tuesday the week after next.", "2026-05-26"),
        ("I'll write on Wednesday this week.", "2026-05-13"),
        ("I'll write this week, on Thursday.", "2026-05-14"),
        ("Le scriverò martedì della prossima settimana.", "2026-05-19"),
        ("Le scriverò la settimana prossima, lunedì.", "2026-05-18"),
        ("La richiamo martedì o mercoledì della prossima settimana.", "2026-05-19"),
        ("Le scriverò mercoledì di questa settimana.", "2026-05-13"),
        ("Le scriverò questa settimana, mercoledì.", "2026-05-13"),
        ("Le scrivo mercoledì questa settimana.", "2026-05-13"),
        ("I'm in Paris on Monday, but I'll write next week.", "2026-05-22"),
    ],
)
def test_a_weekday_beside_a_week_is_that_weeks(text: str, due_on: str):
    assert day(text) == date.fromisoformat(due_on)


@pytest.mark.parametrize("text", ["I'll write next week, on Tuesday.", "Le scriverò martedì della prossima settimana."])
def test_next_week_begins_tomorrow_on_a_sunday(text: str):
    sunday = datetime(2026, 5, 17, 9, 30, tzinfo=UTC)
    assert [each.due_on for each in find_promises(text, sunday, ROME)] == [date(2026, 5, 19)]


ENGLISH = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
ITALIAN = "lunedì martedì mercoledì giovedì venerdì sabato domenica".split()


@pytest.mark.parametrize(
    ("text", "names", "weeks"),
    [
        ("I'll write on {} next week.", ENGLISH, 1),
        ("I'll write next week, on {}.", ENGLISH, 1),
        ("I'll write by {} of this week.", ENGLISH, 0),
        ("I'll write the week after next, on {}.", ENGLISH, 2),
        ("Le scriverò {} della prossima settimana.", ITALIAN, 1),
        ("La settimana prossima, entro {}, Le scriverò.", ITALIAN, 1),
        ("Le scriverò entro {} di questa settimana.", ITALIAN, 0),
    ],
)
def test_whatever_day_it_is_a_weeks_weekday_is_that_weeks_or_nothing(text: str, names: list[str], weeks: int):
    monday = date(2026, 5, 11)
    for today in (TUESDAY + timedelta(days=days) for days in range(-1, 6)):
        for number, name in enumerate(names):
            meant = monday + timedelta(weeks=weeks, days=number)
            found = [each.due_on for each in find_promises(text.format(name), today, ROME)]
            assert found == ([meant] if meant >= today.date() else []), (text.format(name), today)


def test_a_sentence_without_end_keeps_nobody_waiting():
    began = time.monotonic()
    find_promises("I'll write " + "on Tuesday next week, by the end of the month, il 20 maggio " * 5000, TUESDAY, ROME)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "text",
    [
        "I'll write early next week.",
        "Le scriverò all'inizio della prossima settimana.",
        "I'll write after the end of the month.",
        "Le scriverò dopo la fine del mese.",
        "I'll write on Monday this week.",
        "I'll write by next month.",
        "I'll write by Friday next month.",
        "I'll write by the 5th of next month.",
        "Le scriverò entro il mese prossimo.",
        "Le scriverò il primo venerdì di giugno.",
        "I'll write on the last Friday of the month.",
        "I'll write on Friday week.",
        "I'll write a week on Friday.",
        "I'll write on Friday in two weeks.",
        "I'll write in two weeks, on Friday.",
        "Le scriverò venerdì fra due settimane.",
        "I'll write by Friday 4 June.",
        "I'll write on 20 May, 2027.",
        "Le scriverò il 20 maggio del 2027.",
        "I'll write after Friday.",
        "Le scriverò non prima di venerdì.",
        "I'll write next week about your fitting on Tuesday.",
        "I'll tell you on Thursday what comes next week.",
        "Le preparo il 27 in blu.",
    ],
)
def test_rather_no_day_than_a_wrong_one(text: str):
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "I will not be able to answer before Friday.",
        "I'll be in Paris on Friday.",
        "Shall I put it aside for you until Friday?",
        "Your parcel will arrive on Friday.",
        "I looked for it on Friday.",
        "I'll keep an eye on it.",
        "I will think of you whenever I see turquoise.",
        "Non riuscirò a risponderLe prima di venerdì.",
        "Venerdì sarò a Parigi.",
        "Il pacco arriva venerdì.",
        "È davvero bello, e costa caro: arriva venerdì.",
        "Però i resi arrivano il martedì e il venerdì.",
        "If you need them before, I will send you a new pair tomorrow.",
        "Se le servono prima, le manderò domani un paio nuovo.",
        "Let me know by Friday which you prefer.",
        "I'll write to you by Friday, if it comes.",
        "I'll write to you by Friday if it comes.",
        "I'll let you know by Friday, if it comes.",
        "I'll send it on Friday unless you tell me otherwise.",
        "Le scriverò entro venerdì, se arriva.",
        "Le scriverò entro venerdì se arriva.",
        "Le scriverò entro venerdì, a meno che non arrivi prima.",
        "I'll be back on Friday.",
        "I won't be able to tell you by Friday.",
        "I'll be travelling until Friday.",
        "La boutique avrà una risposta entro venerdì.",
        "Entro venerdì non avrà una risposta.",
        "Entro venerdì avrà freddo.",
        "The ivory will be on sale on Friday.",
        "I won't forget you by Friday.",
        "Venerdì saremo a Parigi.",
        "Lo trovo splendido, arriva venerdì.",
        "Le confermo che arriva venerdì.",
        "Le scrivo per dirLe che arriva venerdì.",
        "Non La terremo in attesa fino a venerdì.",
        "",
    ],
)
def test_what_promises_nothing_is_left_alone(text: str):
    assert found(text) == []


def test_each_sentence_is_found_where_it_stands_with_its_own_words():
    text = (
        "Dear Barbara,\n\nhow lovely to hear from you. I'll ask in Florence by Thursday. The ivory is 420 euro.\n"
        "I will send you the drawing on Friday!\n\nWarmly,\nNadia"
    )
    assert found(text) == [
        ("I'll ask in Florence by Thursday.", date(2026, 5, 14)),
        ("I will send you the drawing on Friday!", date(2026, 5, 15)),
    ]


def test_her_calendar_is_the_writers_own():
    late = datetime(2026, 5, 12, 23, 30, tzinfo=UTC)  # Wednesday already, in Rome
    [promise] = find_promises("I'll write tomorrow.", late, ROME)
    assert promise.due_on == date(2026, 5, 14)
