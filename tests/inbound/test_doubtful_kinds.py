"""Mails that a machine might have written and a person, too: what is decided of each (T26)."""

import pytest

from tests.inbound.arriving import letter
from tests.inbound.test_kinds import AWAY, kind_of, read

SUPPRESS = "X-Auto-Response-Suppress: All"


@pytest.mark.parametrize("value", ["All", "OOF, AutoReply", "DR, RN, NRN, OOF, AutoReply"])
@pytest.mark.parametrize(
    "words",
    [
        "Good morning Nadia, I take the green dress in 38.",
        "We are away until Friday. Please send it to the hotel.",
        "Buongiorno, sono in ferie fino al 12: potete tenermi i sandali?",
        "Thank you for your message. The parcel is here, the shoes are lovely!",
        "x",
    ],
)
def test_who_writes_through_a_system_that_wants_no_machines_answer_is_a_person(words: str, value: str):
    assert kind_of(words, extra=f"X-Auto-Response-Suppress: {value}") == "human"


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("Your sandals", "I am out of the office until Monday and will reply when I am back."),
        ("Your sandals", "Sono in ferie fino al 3 giugno. Risponderò al mio rientro."),
        ("[Ticket #48213] Your sandals", "Your request has been received. An agent will look at it."),
    ],
)
def test_such_a_mail_is_a_machines_if_its_words_are(subject: str, words: str):
    mail = read(letter(subject=subject, text=words, extra=SUPPRESS))
    assert (mail.kind.value, mail.kind_reason) == ("automatic", "auto-suppress")
    assert kind_of(words, subject=subject) == "human"


def test_a_form_that_wants_no_answer_carries_a_persons_words():
    words = "This is an automated message.\nName: Barbara\nMessage: the turquoise sandals in 36, please."
    extra = f"{SUPPRESS}\r\nReply-To: barbara@example.com"
    assert kind_of(words, extra=extra, sender="noreply@form.example") == "human"


def test_who_says_only_that_she_is_away_and_answers_later_waits_for_nobody_whoever_wrote_it():
    words = "Thank you for your email. I'm away until Sunday, I'll reply properly when I return."
    assert kind_of(words) == "automatic"
    assert kind_of(f"{words} Keep the sandals for me until then.") == "human"
    assert kind_of(words.replace("Sunday", "Sunday, please keep the sandals for me")) == "human"


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("Out of office", "Please bring the parcel to the neighbours, I am out of the office until 5"),
        ("Out of office", "I am out of the office until 5, could you bring the parcel to the neighbours?"),
        ("Fuori ufficio", "Per favore lasciate il pacco ai vicini, sono fuori ufficio fino alle 5."),
        ("Absence du bureau", "Merci de laisser le colis aux voisins, je suis absente jusqu'à 17 h."),
        ("Abwesend", "Ich bin bis Freitag nicht im Büro, bitte liefern Sie das Kleid am Montag."),
        ("Fuera de la oficina", "Por favor dejen el paquete en casa, estoy fuera de la oficina hasta las 5."),
        ("Fora do escritório", "Por favor deixe na portaria, estou fora do escritório até às 17."),
        ("Afwezig", "Ik ben tot 5 uur afwezig, alstublieft bij de buren brengen."),
        ("Abwesend", "Bitte rufen Sie mich an, ich bin bis Freitag nicht im Büro."),
        ("Fuori ufficio", "Per favore chiamatemi, sono fuori ufficio fino alle 5."),
        ("Nieobecność", "Proszę zostawić paczkę u sąsiadów, nie ma mnie do piątku."),
    ],
)
def test_who_is_out_of_the_office_and_asks_us_for_something_is_a_person(subject: str, words: str):
    assert kind_of(words, subject=subject) == "human"


@pytest.mark.parametrize("language", AWAY)
def test_below_such_a_subject_a_machine_is_still_one(language: str):
    assert kind_of(AWAY[language], subject="Out of office") == "automatic"


@pytest.mark.parametrize(
    "words",
    [
        "Please note that I am out of the office until Monday.",
        "I am out of the office until Monday. Please contact Maria at maria@example.com.",
        "I am out of the office until Monday. Please do not reply to this e-mail.",
        "Ich bin bis Montag nicht im Büro. Bitte wenden Sie sich an Frau Müller.",
        "Sono fuori ufficio. Per favore contattate Maria.",
    ],
)
def test_a_machine_asks_to_note_it_and_to_write_to_others(words: str):
    assert kind_of(words, subject="Out of office") == "automatic"


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("[Request received]", "Your request (48213) has been received and is being reviewed by our support staff."),
        ("[Request received] Your sandals", "Hello,\n\nwe have received your request and will answer soon."),
        ("Ticket received: Your sandals", "Hi Nadia,\nyour ticket was received. We are looking into it."),
        ("Ticket created", "Your ticket has been successfully created."),
        ("Richiesta ricevuta", "Gentile cliente, abbiamo ricevuto la sua richiesta."),
        ("Demande reçue : vos sandales", "Bonjour, votre demande a bien été enregistrée."),
        ("Anfrage erhalten", "Guten Tag, Ihre Anfrage ist bei uns eingegangen."),
        ("Solicitud recibida", "Hola, su solicitud ha sido recibida."),
        ("Pedido recebido", "Olá, recebemos o seu pedido."),
        ("Aanvraag ontvangen", "Goedendag, uw aanvraag is ontvangen."),
        ("Zgłoszenie przyjęte", "Dzień dobry, państwa zgłoszenie zostało zarejestrowane."),
        ("【お問い合わせ受付】", "お問い合わせを受け付けました。担当者よりご返事します。"),
        ("您的请求已收到", "您好，已收到您的请求。"),
    ],
)
def test_a_desk_that_says_it_has_our_request_is_a_machine(subject: str, words: str):
    mail = read(letter(subject=subject, text=words))
    assert (mail.kind.value, mail.kind_reason) == ("automatic", "auto-words")
    assert kind_of("They are here, thank you! I wear them tonight.", subject=subject) == "human"
    assert kind_of(f"{words}\nWhere are the sandals?", subject=subject) == "human"
    assert kind_of(words) == "human"


@pytest.mark.parametrize(
    "words", ["We have received the tickets for the show, thank you!", "Ticket received, see you there. Anna"]
)
def test_who_got_a_ticket_is_a_person(words: str):
    assert kind_of(words, subject="Ticket received") == "human"


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("Message received", "Thank you, I have received your message. I take them in blue, send them to Paris."),
        ("Request received", "I have received your request for my measurements: waist 70, hips 92. Chloe"),
        ("Richiesta ricevuta", "Buongiorno, ho ricevuto la sua richiesta di misure: 38, vita 70"),
        ("Anfrage eingegangen", "Ich habe Ihre Anfrage erhalten, hier meine Maße: 38."),
        ("Demande reçue", "J'ai bien reçu votre demande, voici mes mesures: 38."),
    ],
)
def test_who_says_that_she_has_our_request_herself_is_a_person(subject: str, words: str):
    assert kind_of(words, subject=subject) == "human"


@pytest.mark.parametrize("kindly", ["Send them to my hotel, kindly.", "Mandateli in albergo, cortesemente."])
def test_whoever_asks_kindly_asks(kindly: str):
    away = "I am out of the office until Monday and need the sandals before. "
    assert kind_of(away + kindly, subject="Out of office: sandals") == "human"


@pytest.mark.parametrize("subject", ["[AUTO GENERATED] Your parcel", "Automatically generated: your parcel"])
def test_a_subject_that_calls_itself_generated_is_a_machines_and_an_answer_to_it_a_persons(subject: str):
    assert kind_of("The parcel has left.", subject=subject) == "automatic"
    assert kind_of("Lovely.", subject=f"Re: {subject}") == "human"


@pytest.mark.parametrize("field", ["X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-Autogenerated"])
def test_a_field_that_says_it_is_no_machines_answer_is_believed(field: str):
    assert kind_of("I take the dress.", extra=f"{field}: no") == "human"
    assert kind_of("I take the dress.", extra=f"{field}: yes") == "automatic"
    assert kind_of("I take the dress.", extra=f"{field}: No dress") == "automatic"
