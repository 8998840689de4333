"""What editors really write of what they will do, and of what comes by itself: promises and what only sounds so."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from concierge.followups.promises import find_promises

ROME = ZoneInfo("Europe/Rome")
TUESDAY, FRIDAY = datetime(2026, 5, 12, 9, 30, tzinfo=UTC), datetime(2026, 5, 15, 9, 30, tzinfo=UTC)


def days(text: str, said_at: datetime = TUESDAY) -> list[date]:
    return [each.due_on for each in find_promises(text, said_at, ROME)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("I've asked Milan to hold a pair and will write as soon as I hear, tomorrow at the latest.", 13),
        ("I'm sending the invoice over by the end of today.", 12),
        ("I'm calling the atelier this afternoon and will come back to you.", 12),
        ("I am holding the 38 for you until Saturday evening.", 16),
        ("You can expect my reply by Friday.", 15),
        ("Expect to hear from me by Friday.", 15),
        ("I'll be back on Monday and will write to you then.", 18),
        ("The refund will be with you within 3 days.", 15),
        ("We'll refund the difference within five working days.", 19),
        ("I'll check with Paris and revert within the hour.", 12),
        ("I won't be able to send it before Friday, but I'll write tomorrow.", 13),
        ("When I'm back on Monday, I'll write to you.", 18),
        ("I'll come back to you no later than Friday.", 15),
        ("Mi informo in magazzino entro domani.", 13),
        ("Chiedo a Parigi e torno da Lei entro giovedì.", 14),
        ("Torno a scriverLe entro giovedì.", 14),
        ("Tornerò a scriverLe giovedì.", 14),
        ("Rientrerò lunedì e Le scriverò subito.", 18),
        ("Mi faccio viva entro venerdì.", 15),
        ("La chiamo domani.", 13),
        ("La sento domani.", 13),
        ("Potrò dirLe di più venerdì.", 15),
        ("Avrò una risposta per Lei venerdì.", 15),
        ("Non mancherò di scriverLe entro venerdì.", 15),
        ("Non lo avremo prima di venerdì, ma domani Le scrivo.", 13),
        ("Appena torno lunedì, Le scrivo.", 18),
        ("Appena la sento, domani, Le scrivo.", 13),
        ("Le rispondo entro le 15.", 12),
        ("Le rispondo entro le 48 ore.", None),
        ("Le rispondo nel giro di due giorni.", 14),
        ("Provvederò al rimborso entro cinque giorni lavorativi.", 19),
        ("Entro domani riceverà una mia mail.", 13),
        ("Le mando domani le foto della sfilata di venerdì.", 13),
        ("Le scriverò entro la mattina di venerdì.", 15),
        ("Le scriverò entro le 10 di venerdì.", 15),
    ],
)
def test_what_she_says_that_she_does_is_promised(text: str, number: int | None):
    assert days(text) == ([date(2026, 5, number)] if number else [])


@pytest.mark.parametrize(
    "text",
    [
        "Please tell me by Friday, and I'll put it aside.",
        "You said you need it by Friday, and I'll do my best.",
        "Once you have told me your size, I'll reserve it until Friday.",
        "When you come by on Friday, I'll show you the whole line.",
        "I'll see you on Friday at eleven, then.",
        "We'll see each other on Thursday.",
        "I'll expect you on Friday at three.",
        "I'll miss you on Friday.",
        "I'll need your size by Friday.",
        "We'll close on Friday at six.",
        "I don't think I'll have it by Friday.",
        "We close on Friday at six, and will be closed on Monday.",
        "The parcel leaves today and will arrive on Friday.",
        "Mi dica entro venerdì, e Le metto da parte il paio.",
        "Quando passerà venerdì, Le mostrerò tutta la linea.",
        "Appena mi dice la taglia, glielo riservo fino a venerdì.",
        "Le confermo l'appuntamento di venerdì.",
        "Le mando il link della sfilata di venerdì.",
        "La aspetteremo venerdì in boutique.",
        "Ci vedremo venerdì in boutique.",
        "Tornerò in ufficio lunedì.",
        "Resteremo chiusi lunedì.",
        "Chiuderemo venerdì alle sei.",
        "Non Le prometto nulla per venerdì.",
        "Non lo avremo prima di venerdì, ma ne arriva un altro domani.",
    ],
)
def test_what_only_sounds_so_is_left_alone(text: str):
    assert days(text) == []


@pytest.mark.parametrize(
    ("text", "due_on"),
    [
        ("I'll write by Friday.", "2026-05-15"),
        ("Le scriverò entro venerdì.", "2026-05-15"),
        ("Per venerdì Le preparo una selezione.", "2026-05-15"),
        ("I'll write by Friday at 6 pm.", "2026-05-15"),
        ("Le scriverò entro venerdì alle 18.", "2026-05-15"),
        ("I'll write by Friday at 9 am.", "2026-05-22"),
        ("I'll write by next Friday.", "2026-05-22"),
        ("Le scriverò entro venerdì prossimo.", "2026-05-22"),
        ("I'll write on Friday.", "2026-05-22"),
        ("Le scriverò venerdì.", "2026-05-22"),
        ("Le tengo da parte il paio fino a venerdì.", "2026-05-22"),
        ("I'll write before Friday.", "2026-05-22"),
        ("I'll write by Monday.", "2026-05-18"),
    ],
)
def test_by_friday_said_on_a_friday_is_this_friday(text: str, due_on: str):
    assert days(text, FRIDAY) == [date.fromisoformat(due_on)]
