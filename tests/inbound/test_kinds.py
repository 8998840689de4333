"""What kind a mail is, whom a report names, and that a person's mail is never taken for a machine's (T26, T28)."""

import pytest

from concierge.conversations.models import MessageKind
from concierge.inbound.bounces import is_hard
from concierge.inbound.effects import EFFECTS, Stranger
from concierge.inbound.parsed import Kind, ParsedMail
from concierge.inbound.parsing import parse_mail
from concierge.inbound.reasons import codes
from concierge.inbound.wire import pack_answer, unpack_answer
from tests.inbound.arriving import letter
from tests.inbound.dialects import Report, dsn, group, reports
from tests.inbound.odd_mails.making import multi, part

REPORTS = list(reports())


def read(raw: bytes) -> ParsedMail:
    mail = parse_mail(raw)
    assert isinstance(mail, ParsedMail), mail
    return mail


def kind_of(
    text: str, subject: str = "Re: Your sandals", extra: str = "", sender: str = "Barbara <barbara@example.com>"
) -> str:
    return read(letter(sender, subject=subject, text=text.replace("\n", "\r\n"), extra=extra)).kind.value


@pytest.mark.parametrize("report", REPORTS, ids=[each.name for each in REPORTS])
def test_a_report_is_understood_in_every_dialect(report: Report):
    mail = read(report.raw)
    assert (mail.kind.value, mail.kind_reason in codes()) == (report.kind, True)
    assert tuple((each.addresses[0], each.hard, each.status) for each in mail.failures) == report.failed
    if report.returned:
        assert mail.returned[0] == report.returned
    assert unpack_answer(pack_answer(mail)) == mail


def test_a_forwarded_recipient_is_known_by_the_address_we_wrote_to_as_well():
    report = next(each for each in REPORTS if each.name == "forwarded by her")
    assert "barbara@example.com" in read(report.raw).failures[0].addresses


@pytest.mark.parametrize(
    ("status", "words", "hard"),
    [
        ("5.1.1", "", True), ("5.1.2", "", True), ("5.1.6", "moved", True), ("5.2.1", "disabled", True),
        ("5.1.8", "bad sender's address", False), ("5.1.0", "", False), ("5.2.2", "no such user", False),
        ("5.7.1", "", False), ("5.3.4", "too big", False), ("4.1.1", "user unknown", False), ("5.5.0", "user unknown", False),
        ("5.0.0", "", False), ("", "550 No such user here", True), ("5.7.1", "550 user unknown", True),
        ("5.1.1", "blocked using spamhaus", False), ("", "mailbox is full", False),
    ],
)  # fmt: skip
def test_only_an_address_that_is_gone_is_hard(status: str, words: str, hard: bool):
    assert is_hard(status, words) is hard


AWAY = {
    "en": "Thank you for your email. I am out of the office until Monday 3 June with limited access to email.\nFor urgent matters please contact maria@example.com.",
    "it": "Grazie per la sua e-mail. Sono assente fino al 3 giugno. Risponderò al mio rientro.",
    "fr": "Merci pour votre message. Je suis absente jusqu'au 3 juin et vous répondrai à mon retour.",
    "de": "Vielen Dank für Ihre Nachricht. Ich bin bis zum 3. Juni nicht im Büro. In dringenden Fällen wenden Sie sich an Maria.",
    "es": "Gracias por su correo. Estoy fuera de la oficina hasta el 3 de junio. Responderé a mi regreso.",
    "pt": "Obrigada pelo seu e-mail. Estou de férias até 3 de junho. Responderei quando regressar.",
    "nl": "Bedankt voor uw bericht. Ik ben tot 3 juni afwezig. Bij mijn terugkeer, na mijn vakantie, lees ik uw mail.",
    "pl": "Dziękuję za wiadomość. Jestem na urlopie do 3 czerwca. Odpowiem po powrocie.",
    "ja": "メールをいただきありがとうございます。6月3日まで不在にしております。戻り次第ご連絡いたします。",
    "zh": "感谢您的来信。我目前休假至6月3日，回来后尽快回复。",
}
MACHINE = {
    "en": "Hello,\n\nwe have your mail.\n\nThis is an automated message, please do not reply.",
    "it": "Abbiamo ricevuto la sua richiesta.\nQuesto è un messaggio automatico, non rispondere.",
    "fr": "Votre message a été reçu.\nCeci est un message automatique, merci de ne pas y répondre.",
    "de": "Wir haben Ihre Anfrage erhalten.\nDiese E-Mail wurde automatisch erstellt.",
    "es": "Hemos recibido su mensaje.\nEste es un mensaje automático, no responda.",
    "pt": "Recebemos a sua mensagem.\nEsta é uma mensagem automática.",
    "nl": "Wij hebben uw bericht ontvangen.\nDit is een automatisch gegenereerd bericht.",
    "pl": "Otrzymaliśmy zgłoszenie.\nTo jest wiadomość wygenerowana automatycznie.",
    "ja": "お問い合わせを受け付けました。\nこのメールは自動送信されています。",
    "zh": "我们已收到您的邮件。\n此邮件为系统自动发送，请勿回复。",
}


MORE_AWAY = [
    "Danke für Ihre Nachricht. Ich bin derzeit im Urlaub. In dringenden Fällen wenden Sie sich bitte an Frau Müller.",
    "Merci pour votre message. Actuellement en congés. En cas d'urgence, merci de contacter ma collègue.",
    "Grazie per il messaggio. Sono fuori ufficio fino al 12 giugno e risponderò al mio rientro.",
    "Merci pour votre message. Je suis absente jusqu'au 12 juin. Je vous répondrai dès mon retour.",
    "Obrigada pela sua mensagem. Estou de férias até 12 de junho. Responderei assim que voltar.",
    "您好，感谢您的来信。我目前正在休假，6月12日返回办公室后会尽快回复您。",
]


GOT_OURS = [
    *("I have received your email.\nThis is an automated response.", "Ho ricevuto la sua mail.\nQuesta è una risposta automatica."),
    *("J'ai bien reçu votre message.\nCeci est une réponse automatique.", "Ich habe Ihre Mail erhalten.\nDies ist eine automatische Antwort."),
    *("He recibido su mensaje.\nEsta es una respuesta automática.", "Recebi a sua mensagem.\nEsta é uma resposta automática."),
    *("Ik heb uw mail ontvangen.\nDit is een automatisch antwoord.", "我收到您的邮件。\n此邮件为系统自动发送。"),
]  # fmt: skip


@pytest.mark.parametrize("words", [*AWAY.values(), *MORE_AWAY, *MACHINE.values(), *GOT_OURS])
def test_a_machine_that_does_not_say_so_in_its_header_is_known_by_its_words(words: str):
    assert kind_of(words) == "automatic"


def test_a_desk_that_numbers_the_matter_is_a_machine():
    words = "Thank you for contacting Bright Support. We have received your request and will answer soon."
    assert kind_of(words, subject="[Ticket #48213] Your sandals") == "automatic"
    assert kind_of(words) == "human"


@pytest.mark.parametrize(
    "words",
    [
        "I am on vacation until 12 June, so please send them to my hotel. I have limited access to email.",
        "Thank you for your message. I am out of the office on Friday; could you call me on Monday?",
        "Grazie per la sua e-mail. Sono in vacanza, i sandali mi servono urgentemente al mare!",
        "I got “This is an automated message, please do not reply” from you. That was not very kind.",
        "Ich bin im Urlaub und brauche die Sandalen dringend.",
        "Thank you for your email! I am away from home, please leave the parcel with the neighbours.",
        "Je suis en vacances et je voudrais savoir si les sandales sont arrivées.",
        "不在票が入っていました。再配達をお願いします。",
        "Merci pour votre message. Je suis en vacances jusqu'au 12, gardez-les, je passerai à mon retour.",
        "Thank you for your email. I am away until Monday, I will return the shoes as soon as I am back.",
        "Gracias por su correo. Estoy de viaje, los recogeré a mi regreso.",
        "Grazie per la mail. Sono in ferie fino al 12, passo a prenderli al mio ritorno.",
        "Please stop the order, I would like to unsubscribe from the newsletter and get the dress in 38 instead.",
        "I take the green dress in 38. I'm travelling until Friday; if it is urgent call me on +39 333 1234567.",
        "Prendo il vestito in 38. Sono in ferie a Capri fino a venerdì: per cose urgenti mi chiami al 333 1234567.",
        "Ich nehme das Kleid in 38. Ich bin bis Freitag im Urlaub. In dringenden Fällen erreichen Sie mich mobil.",
        "Je prends la robe en 38. Je suis en vacances; en cas d'urgence vous pouvez m'appeler.",
        "Thank you for your message. I am away until Monday, I will contact you to arrange the return of the shoes.",
        "Thanks for your message! I'm on holiday in Capri. Please contact DHL for the return, the parcel is there.",
        "Stop",
        "My friend told me the dress is delayed and has not yet been delivered. Failed again!",
    ],
)
def test_a_person_is_never_taken_for_a_machine(words: str):
    assert kind_of(words) == "human"


@pytest.mark.parametrize(
    "subject",
    [
        "Vacation",
        "Urlaub",
        "Auto: RE: sandals",
        "Férias em Roma",
        "Delivery failed? Where is my parcel",
        "Absence of my size",
        "Absence : ma commande",
    ],
)
def test_a_subject_that_only_sounds_like_a_machine_is_a_persons(subject: str):
    assert kind_of("Hello, do you have them in 36?", subject=subject) == "human"


def test_a_letter_that_speaks_of_what_was_read_is_a_persons():
    words = "Subject: order 12345 was deleted without being read by my husband, please send it again"
    assert kind_of(words, subject="Read: my order") == "human"


def test_a_contact_form_that_says_it_is_a_machine_carries_a_persons_words():
    words = "This is an automated message.\nName: Barbara\nMessage: the turquoise sandals in 36, please."
    assert kind_of(words, extra="Reply-To: barbara@example.com", sender="noreply@form.example") == "human"


@pytest.mark.parametrize(
    "words",
    [
        "unsubscribe", "Please unsubscribe me.\n\nThanks,\nBarbara", "Remove me from your mailing list", "Disiscrivetemi per favore",
        "Non desidero più ricevere le vostre e-mail.\nCordiali saluti\nBarbara Rossi", "Désabonnez-moi svp", "Je ne souhaite plus recevoir vos mails",
        "Bitte abmelden", "Bitte keine weiteren E-Mails mehr", "Darme de baja por favor", "Cancelar a minha inscrição", "Uitschrijven graag",
        "Proszę wypisz mnie z listy", "配信停止をお願いします", "退订",
    ],
)  # fmt: skip
def test_who_says_only_that_she_wants_no_more_mails_unsubscribes(words: str):
    assert kind_of(words) == "unsubscribe"
    assert kind_of(words + "\nAnd the sandals, are they there?") == "human"


@pytest.mark.parametrize(
    ("extra", "kind"),
    [
        ("X-Spam-Flag: YES", "spam"), ("X-Spam-Status: Yes, score=9.1 required=5.0", "spam"), ("X-SES-Spam-Verdict: FAIL", "spam"),
        ("X-Forefront-Antispam-Report: CIP:192.0.2.1;CTRY:;SFV:SPM;", "spam"), ("X-MS-Exchange-Organization-SCL: 6", "spam"),
        ("X-MS-Exchange-Organization-SCL: 1", "human"), ("X-Spam-Status: No, score=-1.9", "human"), ("X-Spam-Flag: NO", "human"),
        ("List-Id: Friends <friends.example.org>", "list"), ("List-Unsubscribe: <https://x.example>", "list"),
        ("Auto-Submitted: auto-replied\r\nList-Id: <x.example>", "automatic"),
    ],
)  # fmt: skip
def test_what_the_header_says_counts(extra: str, kind: str):
    assert kind_of("Hello, the sandals in 36?", extra=extra) == kind


def test_a_list_is_known_by_its_addresses():
    extra = "List-Post: <mailto:care@maison-solenne.example>\r\nList-ID: <care.maison-solenne.example>"
    mail = read(letter(extra=extra))
    assert set(mail.lists) == {"care@maison-solenne.example"}


def test_every_kind_has_one_row_and_only_a_persons_moves_the_turn():
    assert set(EFFECTS) == set(Kind)
    for kind, effect in EFFECTS.items():
        assert effect.moves_turn == (effect.filed_as is MessageKind.HUMAN), kind
    quiet = {kind for kind, effect in EFFECTS.items() if not effect.moves_turn}
    assert quiet == {Kind.AUTOMATIC, Kind.LIST, Kind.RECEIPT, Kind.BOUNCE, Kind.DELAY}
    assert {kind for kind, effect in EFFECTS.items() if effect.stranger is Stranger.WAITS} == {Kind.SPAM}


@pytest.mark.parametrize(
    "subject",
    [
        *("Absence : Re: Sandales", "Absent(e) du bureau : Sandales", "AUTO: Anna Verdi ist außer Haus (Rückkehr am 12.02.2026)"),
        *("AUTO: Anna Verdi is out of the office (returning 12/02/2026)", "AUTO: Anna Verdi è fuori ufficio (ritorno 12/02)"),
        *("Respuesta automatica: Sandalias", "Resposta Automática de Ausência: x", "Afwezigheidsmelding: Sandalen"),
        *("【自動返信】サンダル", "[Auto-Reply] Sandals", "Automatic acknowledgement: Sandals", "Autosvar: Sandaler"),
    ],
)  # fmt: skip
def test_more_subjects_only_machines_write(subject: str):
    assert kind_of("x", subject=subject) == "automatic"


@pytest.mark.parametrize("subject", ["AUTO: out of office hours, when do you open?", "Absence: I was not home"])
def test_more_subjects_people_write(subject: str):
    assert kind_of("x", subject=subject) == "human"


def test_an_old_programs_word_that_a_mail_was_read_is_a_receipt():
    told = "Your message\n\n   To: anna\n   Subject: Sandals\n\nwas read on Saturday, February 7, 2026 9:30:00 PM."
    assert kind_of(told, subject="Read: Sandals") == "receipt"
    assert kind_of("I read your letter, it was read on the train.", subject="Read: your letter") == "human"
    assert kind_of(f"{told}\nDo you have 37?", subject="Read: Sandals") == "human"


def test_what_a_mail_system_says_beside_failures_is_no_persons():
    words = "Your message was successfully delivered.\n\n<anna@gone.example>: 250 ok"
    daemon = "MAILER-DAEMON@relay.example"
    assert kind_of(words, subject="Successful Mail Delivery Report", sender=daemon) == "automatic"
    assert kind_of("Do you have 37?", sender="Luca <postmaster@small.example>") == "human"


@pytest.mark.parametrize(
    "words",
    [
        *("Vi prego di cancellarmi dalla newsletter. Grazie", "I no longer wish to receive these emails.\nThanks, Anna"),
        *("Proszę o wypisanie z newslettera", "Guten Tag,\nbitte streichen Sie mich aus Ihrem Verteiler.\nMfG Anna"),
        *("Quero cancelar a subscrição", "Buongiorno,\nchiedo di essere cancellata dalla vostra mailing list.\nAnna Verdi"),
    ],
)  # fmt: skip
def test_who_wants_no_more_mail_says_so_in_many_ways(words: str):
    assert kind_of(words) == "unsubscribe"


@pytest.mark.parametrize(
    "words",
    [
        "Vorrei cancellare l'ordine",
        "Toglietemi dalla lista d'attesa",
        "Tolta",
        "Baja, gracias",
        "Vorrei cancellare",
        "Prego cancellare. Grazie",
        "Please remove",
        "Removed, thanks",
        "Take me off the waiting list for the bag",
    ],
)
def test_who_wants_less_than_no_mail_is_heard_by_a_person(words: str):
    assert kind_of(words) == "human"


@pytest.mark.parametrize(
    "words",
    [
        "Thank you for your email. I am away until Monday and will reply when I am back. Meanwhile please keep me the red dress in 38.",
        "Grazie per la sua mail. Sono in ferie fino al 12, le rispondo quando rientro. Intanto prendo il vestito verde in 38.",
        "Merci pour votre message. Je suis en vacances jusqu'au 12 et je vous répondrai à mon retour. La robe verte me plaît beaucoup.",
        "Vielen Dank für Ihre Nachricht. Ich bin im Urlaub und antworte, sobald ich zurück bin. Das grüne Kleid nehme ich auf jeden Fall.",
        "Gracias por su mensaje. Estoy de viaje y contestaré a mi vuelta. El vestido verde me gusta mucho.",
        "Obrigada pela mensagem. Estou de férias e respondo quando voltar. O vestido verde quero com certeza.",
        "Bedankt voor uw mail. Ik ben op vakantie en antwoord als ik terug ben. De groene jurk wil ik graag hebben.",
        "Dziękuję za wiadomość. Jestem na urlopie i odpowiem po powrocie. Zieloną sukienkę biorę na pewno.",
        "メールをいただきありがとうございます。休暇中ですので戻り次第ご連絡します。緑のドレスは38でぜひお願いいたします。",
        "感谢您的来信。我正在休假，回来后回复您。绿色的那条裙子请帮我留一件三十八码。",
    ],
)
def test_who_is_away_and_speaks_of_anything_else_is_a_person(words: str):
    assert kind_of(words) == "human"


@pytest.mark.parametrize(
    "words",
    [
        "Dear Sender,\n\nThank you for your message. I am on annual leave until 8 June.\nIf your matter is urgent please contact Jane Smith.\n\nBest,\nAnna",
        "Sehr geehrte Damen und Herren,\n\nvielen Dank für Ihre Nachricht. Ich bin vom 1. bis 12. Juni nicht im Büro. Ihre E-Mail wird nicht weitergeleitet.\n\nMit freundlichen Grüßen\nAnna Verdi\nLeiterin der Abteilung für Einkauf",
        "Olá, obrigado pela sua mensagem. Encontro-me de férias até 3 de junho. Responderei assim que regressar.",
        "お世話になっております。\nメールをいただきありがとうございます。\n6月3日まで休暇をいただいております。\nお急ぎの場合は田中までご連絡ください。",
    ],
)
def test_who_is_away_and_speaks_of_nothing_else_is_a_machine_however_she_signs(words: str):
    assert kind_of(words) == "automatic"


@pytest.mark.parametrize(
    "words",
    [
        "I got this from you:\n\nThis is an automated message, please do not reply.\n\nBut I never ordered anything.",
        "Ho ricevuto questa mail:\nQuesto è un messaggio automatico, non rispondere.\nNon ho ordinato nulla.",
        "J'ai reçu ceci :\nCeci est un message automatique, merci de ne pas y répondre.\nJe n'ai rien commandé.",
        "Ich habe diese Mail bekommen:\nDies ist eine automatische Nachricht.\nIch habe nichts bestellt.",
        "He recibido esto:\nEste es un mensaje automático.\nNo he pedido nada.",
        "Recebi isto:\nEsta é uma mensagem automática.\nNão encomendei nada.",
        "Ik kreeg dit:\nDit is een automatisch gegenereerd bericht.\nIk heb niets besteld.",
        "Dostałam to:\nTo jest wiadomość wygenerowana automatycznie.\nNiczego nie zamawiałam.",
        "メールが届きました。\nこのメールは自動送信されています。\n注文していません。",
        "我收到了这个：\n此邮件为系统自动发送，请勿回复。\n我没有订购。",
    ],
)
def test_who_shows_a_machines_mail_is_a_person(words: str):
    assert kind_of(words) == "human"


@pytest.mark.parametrize(
    ("subject", "words", "kind"),
    [
        ("Out of office: Your sandals", "I am away until Friday.", "automatic"), ("Fuori sede: Sandali", "Sarò assente fino a venerdì.", "automatic"),
        ("Abwesenheit: Ihre Sandalen", "Ich bin im Urlaub und ab Montag wieder da.", "automatic"), ("Afwezig: Sandalen", "x", "automatic"),
        ("Nieobecność: Sandały", "Nie ma mnie w biurze do piątku.", "automatic"), ("Absence du bureau", "", "automatic"),
        ("Out of office - a dress for the party", "Hi, 38 please", "human"), ("Fuori ufficio: look per la sera", "Buongiorno, il vestito in 38.", "human"),
        ("Abwesend", "Ich war abwesend, bitte nochmal liefern.", "human"), ("Assente", "Ero assente alla consegna, potete ripassare?", "human"),
        ("Message automatique d'absence : Sandales", "Do you have any?", "automatic"), ("Automatische Eingangsbestätigung: Ihre Mail", "Hallo", "automatic"),
        ("Respuesta automática de ausencia: Sandalias", "Hola", "automatic"), ("Automatische beantwoording: Sandalen", "Hallo", "automatic"),
    ],
)  # fmt: skip
def test_a_subject_that_says_away_needs_words_that_say_so_too(subject: str, words: str, kind: str):
    assert kind_of(words, subject=subject) == kind


def test_who_writes_as_the_postmaster_of_her_own_domain_may_speak_of_what_was_not_delivered():
    anna = "Anna <postmaster@annaverdi.example>"
    assert kind_of("I could not be reached by your courier. 38 please.", sender=anna) == "human"
    assert kind_of("The courier was unable to deliver it.", subject="Delivery failed", sender=anna) == "human"
    report = "Your message could not be delivered to:\n\nbarbara@example.com\n550 5.1.1 user unknown"
    assert kind_of(report, subject="Undeliverable: Sandals", sender=anna) == "bounce"
    assert kind_of(report, subject="Your message", sender=anna) == "bounce"


@pytest.mark.parametrize("subject", ["未送达: 凉鞋", "无法传递: 凉鞋", "Your message"])
def test_a_report_in_chinese_is_a_bounce(subject: str):
    words = "未能传递到以下收件人或组:\n\nbarbara@example.com\n550 5.1.1 RESOLVER.ADR.RecipNotFound"
    assert kind_of(words, subject=subject, sender="postmaster@mx.example.com") == "bounce"
    assert kind_of("请重寄包裹", subject="退信了，请重寄包裹") == "human"


@pytest.mark.parametrize(
    "address", ["nao-responda", "niet-beantwoorden", "nie-odpowiadaj", "non-rispondere", "no-responder", "ne-pas-repondre"]
)  # fmt: skip
def test_nobody_answers_at_an_address_that_says_so(address: str):
    assert kind_of("Your parcel is here", sender=f"Post <{address}@post.example>") == "automatic"


@pytest.mark.parametrize(
    "words",
    [
        *("Vorrei disiscrivermi dalla newsletter", "Je souhaite me désabonner de la newsletter", "Ich möchte keinen Newsletter mehr"),
        *("Por favor, dadme de baja de la newsletter", "Quero descadastrar-me", "Por favor remova-me da lista", "Ik wil me uitschrijven"),
        *("Graag afmelden voor de nieuwsbrief", "Chcę się wypisać z newslettera"),
    ],
)  # fmt: skip
def test_more_ways_to_want_no_more_mail(words: str):
    assert kind_of(words) == "unsubscribe"
    assert kind_of(f"{words}, but keep me the sandals") == "human"


def test_a_phones_signature_below_nothing_leaves_the_subject_to_speak():
    assert kind_of("Sent from my iPhone", subject="Unsubscribe") == "unsubscribe"
    assert kind_of("The sandals in 36\n\nSent from my iPhone", subject="Unsubscribe") == "human"


@pytest.mark.parametrize("subject", ["Fwd: Undelivered Mail Returned to Sender", "I could not write to you"])
def test_a_report_that_a_person_shows_us_is_her_letter(subject: str):
    words = part("text/plain; charset=utf-8", b"I got this when I wrote to you. I take the sandals in 38.")
    report = dsn("Undelivered Mail", "It failed.", group("failed", "5.1.1", "550 user unknown"))
    whole = report[report.index(b"Content-Type: ") :]
    status = part(
        "message/delivery-status", b"Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\nStatus: 5.1.1"
    )
    head = f"From: Barbara <barbara@example.com>\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n".encode()
    for pieces in ((words, whole), (words, status), (part("text/plain", b""), status)):
        mail = read(head + multi("mixed", *pieces, boundary=b"shown"))
        silent = not mail.text.strip() and not subject.startswith("Fwd")
        assert (mail.kind.value, bool(mail.failures)) == (("bounce", True) if silent else ("human", False))
    assert read(b"Return-Path: <>\r\n" + head + multi("mixed", words, status, boundary=b"shown")).kind.value == "bounce"
