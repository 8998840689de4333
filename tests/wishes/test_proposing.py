"""What a conversation proposes to wish for, in English and Italian, and what it must not; whether a mail asks."""

import pytest

from concierge.wishes.asking import asking_sentence
from concierge.wishes.mentions import read, read_sizes
from concierge.wishes.proposing import Heard, Item, Piece, propose, sought, source
from concierge.wishes.radar import assign_softly


def piece(code: str, names: str, category: str, colour: str, sizes: str, **values: str) -> Piece:
    (name, nome), system = names.split(" / "), values.get("system", "EU")
    items = [Item(f"{code}-{size}", colour, size, system) for size in sizes.split()] or [Item(code, colour)]
    link = f"https://maison-solenne.example/products/{name.lower().replace(' ', '-')}-{colour.lower()}"
    return Piece(code, (name, nome), values.get("designer", "Atelier Mirelle"), category, link, tuple(items))


SHOES = "35 35.5 36 36.5 37 37.5 38"
CALANQUE = piece("CAL-TUR", "Calanque sandals / Sandali Calanque", "sandals", "Turquoise", SHOES)
CORAL = piece("CAL-COR", "Calanque sandals / Sandali Calanque", "sandals", "Coral", SHOES)
MAREA = piece("MAR-BLK", "Marea mules / Mules Marea", "sandals", "Black", SHOES)
CORSO = piece("COR-BUR", "Corso pumps / Décolleté Corso", "shoes", "Burgundy", SHOES, designer="Casa Orsola")
BRERA = piece("BRE-BLK", "Brera ankle boots / Stivaletti Brera", "boots", "Black", SHOES)
ALBA = piece("ALB-CHA", "Alba slip dress / Abito sottoveste Alba", "dresses", "Champagne", "38 40 42", system="IT")
CAMPO = piece("CAM-NVY", "Campo dress / Abito Campo", "dresses", "Navy", "38 40 42", system="IT")
NIVEA = piece("NIV-ROS", "Nivea cardigan / Cardigan Nivea", "knitwear", "Rose", "XS S M L", system="INT")
LUCE = piece("LUC-HOO", "Luce hoops / Orecchini Luce", "jewellery", "Gold", "")
EVERYTHING = [CALANQUE, CORAL, MAREA, CORSO, BRERA, ALBA, CAMPO, NIVEA, LUCE]


def chosen(*texts: str, quoted: tuple[str, ...] = (), **values: object) -> list[str]:
    """The SKUs ticked of the likeliest piece; its code alone when none is; nothing for no proposal."""
    heard = Heard(tuple(map(source, texts)), tuple(map(source, quoted)), **values)
    found = propose(heard, EVERYTHING)
    return list(found[0].skus or (found[0].code,)) if found else []


SIZES = [
    ("is there a pair left in 36?", "36"), ("36½", "36.5"), ("36 1/2", "36.5"), ("36,5", "36.5"),
    ("36.5 please", "36.5"),
    ("size 36", "36"), ("Size: 36", "36"), ("taglia 36", "36"), ("numero 36", "36"), ("il numero è 36", "36"),
    ("36 e mezzo", "36.5"), ("thirty-six and a half", "36.5"), ("un trentasei", "36"), ("trentotto e mezzo", "38.5"),
    ("IT 38", "IT38"), ("EU 37", "EU37"), ("a UK 4", "UK4"), ("US 6.5", "US6.5"), ("taglia IT 40", "IT40"),
    ("38 FR", "FR38"),
    ("S/M", "S M"), ("size small", "S"), ("taglia M", "M"), ("in XS or S", "XS S"), ("size 8", "8"), ("tg. 42", "42"),
    ("36 or 36.5", "36 36.5"), ("36 o 36,5", "36 36.5"), ("36/37", "36 37"), ("a 36 would do, or a 36.5", "36 36.5"),
    ("dal 36 al 37", "36 37"), ("the 37 is too big, 36 please", "36"), ("il 37 mi sta troppo grande: 36", "36"),
    ("not the 37, the 36", "36"), ("non il 37 ma il 36", "36"), ("36 instead of the 37", "36"),
    ("invece del 37 il 36", "36"),
    ("36 is sold out, and so is the half size", "36"), ("tell us 36", "36"), ("do you have it in 36", "36"),
]  # fmt: skip
NO_SIZES = [
    "36 years ago", "in 36 giorni", "€ 36", "36 euro", "£36", "36 guests", "36 invitati", "at 18:36", "12/05/2026",
    "via Roma 36", "order 36", "36%", "36 cm of heel", "tel. 36", "S-49436", "3612", "I am 36",
    "Warmly, S. Rossi", "a small bow", "+39 333 3637", "36 ore fa", "the 37 was too tight",
]  # fmt: skip


@pytest.mark.parametrize(("text", "sizes"), SIZES)
def test_a_size_is_read_however_it_is_said(text, sizes):
    assert " ".join(each.system + each.value for each in read_sizes(text)) == sizes


@pytest.mark.parametrize("text", NO_SIZES)
def test_a_number_that_is_no_size_is_none(text):
    assert read_sizes(text) == ()


MEANT = [
    ("Are the turquoise sandals back in 36?", "CAL-TUR-36"),
    ("Avete i sandali turchesi nel 36 e mezzo?", "CAL-TUR-36.5"),
    ("Cerco i sandali in raso turchese, numero 37", "CAL-TUR-37"),
    ("I love the Calanque in coral, size 36 or 36½", "CAL-COR-36 CAL-COR-36.5"),
    ("le Calanque corallo, taglia 38", "CAL-COR-38"),
    ("The black mules in UK 4, please", "MAR-BLK-37"),
    ("the marea mules in US 6", "MAR-BLK-36"),
    ("the burgundy pumps by Orsola, 37.5", "COR-BUR-37.5"),
    ("le décolleté bordeaux nel 37", "COR-BUR-37"),
    ("the black ankle boots in 38", "BRE-BLK-38"),
    ("gli stivaletti neri in 38, per favore", "BRE-BLK-38"),
    ("l'abito Alba in IT 40", "ALB-CHA-40"),
    ("the Alba dress, UK 8", "ALB-CHA-40"),
    ("il vestito blu navy taglia 42", "CAM-NVY-42"),
    ("the blue dress in 40", "CAM-NVY-40"),
    ("the rose cardigan, S or M", "NIV-ROS-S NIV-ROS-M"),
    ("il cardigan rosa, taglia S", "NIV-ROS-S"),
    ("the gold hoops", "LUC-HOO"),
    ("gli orecchini dorati", "LUC-HOO"),
    ("this one: https://maison-solenne.example/products/marea-mules-black in 36", "MAR-BLK-36"),
    ("https://shop.example/shop/CAL-TUR?size=36 in 36 please", "CAL-TUR-36"),
    ("I mean CAL-TUR-36.5", "CAL-TUR-36.5"),
    ("art. cal-cor, numero 36", "CAL-COR-36"),
    ("not the turquoise sandals, the coral sandals in 36", "CAL-COR-36"),
    ("non i sandali turchesi ma i sandali corallo, 36", "CAL-COR-36"),
    ("the Calanques in turquoise", "CAL-TUR"),
    ("the turquoise sandals in 41", "CAL-TUR"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "skus"), MEANT)
def test_the_piece_and_the_sizes_she_mentions_are_proposed(text, skus):
    assert chosen(text) == skus.split()


@pytest.mark.parametrize(
    "text",
    [
        "", "Thank you so much for everything.", "Where is my parcel?", "Is it true that 36 is sold out?",
    "Something in black?",
        "My daughter marries in six weeks.", "I adore sandals.", "Vorrei sapere gli orari della boutique.",
    "Warmly, Alba",
        "Grazie mille, Marea Bianchi", "The invoice says 42.", "I have 36 guests and no dress.",
    ],
)  # fmt: skip
def test_where_she_names_no_piece_none_is_proposed(text):
    assert chosen(text) == []


def test_her_newest_words_come_first_and_older_ones_only_fill_what_they_leave_open():
    older = "Do you have the turquoise sandals in 36?"
    assert chosen("And the black ankle boots in 37?", older) == ["BRE-BLK-37"]
    assert chosen("Yes please, tell me when they are back!", "I am sorry, none left.", older) == ["CAL-TUR-36"]
    assert chosen("A 36.5 would do too.", older) == ["CAL-TUR-36.5"]
    assert chosen("And in coral?", older) == ["CAL-COR-36"]
    assert chosen("The Calanque sandals in turquoise, please.", older) == ["CAL-TUR-36"]


def test_what_is_quoted_counts_only_where_nobody_wrote_anything_of_a_piece():
    old = "the black ankle boots in 38"
    assert chosen("The turquoise sandals in 36?", quoted=(old,)) == ["CAL-TUR-36"]
    assert chosen("In 36, please.", quoted=(old,)) == []
    assert chosen("Yes, please do.", quoted=(old,)) == ["BRE-BLK-38"]


def test_a_card_chosen_for_the_answer_is_a_piece_spoken_of():
    heard = Heard((source("Oh yes, those!"), source("These are here:", ["MAR-BLK-37"])))
    assert propose(heard, EVERYTHING)[0].skus == ("MAR-BLK-37",)
    named = Heard((source("No, the turquoise sandals in 36"), source("These are here:", ["MAR-BLK-37"])))
    assert propose(named, EVERYTHING)[0].skus == ("CAL-TUR-36",)


def test_without_a_size_her_usual_one_is_ticked_and_said_to_be_that():
    usual = {"shoes": ("UK", "4"), "clothes": ("IT", "40")}
    [first, *_] = propose(Heard((source("the turquoise sandals"),), usual=usual), EVERYTHING)
    assert (first.skus, first.is_usual) == (("CAL-TUR-37",), True)
    assert chosen("the Alba dress", usual=usual) == ["ALB-CHA-40"]
    assert chosen("the turquoise sandals in 36", usual=usual) == ["CAL-TUR-36"]


def test_a_small_number_is_read_in_the_system_of_her_country():
    assert chosen("the turquoise sandals in size 4", system="UK") == ["CAL-TUR-37"]
    assert chosen("the turquoise sandals in size 6", system="US") == ["CAL-TUR-36"]
    assert chosen("the turquoise sandals in size 6", system="IT") == ["CAL-TUR"]


def test_who_is_named_like_a_piece_is_not_the_piece():
    assert chosen("the dress is lovely. Yours, the Alba", people=frozenset({"alba"})) == []


def test_pieces_that_may_both_be_meant_are_both_proposed_the_likelier_first():
    found = propose(Heard((source("the Calanque sandals in 36, in turquoise if possible"),)), EVERYTHING)
    assert [each.code for each in found[:2]] == ["CAL-TUR", "CAL-COR"]


def test_the_catalogue_is_asked_for_few_words():
    asked = sought(Heard((source("Dear house, are the turquoise Calanque sandals (CAL-TUR) back in 36? " * 40),)))
    assert asked.kinds == {"sandals"} and asked.colours == {"turquoise"} and asked.codes == {"CAL-TUR"}
    assert "calanqu" in asked.names and len(asked.names) <= 5


def test_a_long_or_hostile_text_is_read_in_no_time():
    for text in (
        "36 or " * 20_000,
        "size " * 20_000,
        "not the " * 20_000 + "36",
        "a" * 200_000,
        "36/" * 30_000,
        "1 " * 40_000,
    ):
        read(text)
        asking_sentence(text)


ASKS = [
    "Please let me know if it comes back.", "Could you tell me when they are back in stock?",
    "I'd love it in 36 if one turns up.",
    "Fatemi sapere se tornano, per favore.", "Mi può avvisare quando sono di nuovo disponibili?",
    "Is there any chance at all?",
    "Put me on the waiting list, please.", "I would take the ones in the window.", "Mi metta in lista d'attesa.",
    "Vorrei i sandali turchesi nel 36.", "Keep a pair for me should one be returned.",
    "Mi scriva appena ritorna il 36.",
]  # fmt: skip
ASKS_NOT = [
    "Thank you, they arrived.", "Where is my parcel? Let me know when it arrives.",
    "Please don't tell me when they are back.",
    "Non mi interessano più, grazie.", "I have changed my mind, I would take nothing.", "Let me know your address.",
    "Fatemi sapere quando arriva il pacco.", "What a lovely letter.", "Ho già comprato i sandali altrove.",
]  # fmt: skip


@pytest.mark.parametrize("text", ASKS)
def test_a_mail_that_asks_is_seen_to_ask_in_her_own_words(text):
    assert asking_sentence(f"Dear house,\n\nhow are you? {text}\n\nBarbara") == text


@pytest.mark.parametrize("text", ASKS_NOT)
def test_a_mail_that_asks_for_something_else_or_nothing_does_not(text):
    assert asking_sentence(text) == ""


def test_coming_units_are_for_the_first_in_line_who_want_no_more_than_there_are():
    assert assign_softly([(1, 2), (2, 1), (3, 1)], 1) == (2,)
    assert assign_softly([(1, 2), (2, 1), (3, 1)], 3) == (1, 2)
    assert assign_softly([(1, 1)], 0) == ()
