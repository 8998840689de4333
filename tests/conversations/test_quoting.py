"""New words against earlier mails and signatures, as the programs of ten languages write them (T10)."""

import time
import timeit
from collections.abc import Callable

import lxml.html
import pytest

from concierge.conversations.quoting import find_fold, own_words, part_letter
from concierge.inbound.markup import fold_html, html_to_text

HERS = "Yes please, the turquoise ones in 36."
OURS = "Dear Barbara,\nthe sandals are back.\nNadia"
NADIA = "Nadia Conti <care@maison-solenne.example>"

# How programs introduce an earlier mail, by language.
ATTRIBUTIONS = {
    "en Gmail": f"On Tue, 12 May 2026 at 10:12, {NADIA} wrote:",
    "en Gmail, broken": "On Tue, May 12, 2026 at 10:12 AM Nadia Conti <\ncare@maison-solenne.example> wrote:",
    "en Apple": f"On 12 May 2026, at 10:12, {NADIA} wrote:",
    "en Yahoo": f"On Tuesday, 12 May 2026 at 10:12:13 BST, {NADIA} wrote:",
    "en Thunderbird": "On 12/05/2026 10:12, Nadia Conti wrote:",
    "it Gmail": "Il giorno mar 12 mag 2026 alle ore 10:12 Nadia Conti <\ncare@maison-solenne.example> ha scritto:",
    "it iPhone": f"Il giorno 12 mag 2026, alle ore 10:12, {NADIA} ha scritto:",
    "it Thunderbird": "Il 12/05/2026 10:12, Nadia Conti ha scritto:",
    "it Yahoo": f"Il martedì 12 maggio 2026 alle ore 10:12:13 CEST, {NADIA} ha\nscritto:",
    "fr Gmail": f"Le mar. 12 mai 2026 à 10:12, {NADIA} a écrit :",
    "fr iPhone": f"Le 12 mai 2026 à 10:12, {NADIA} a écrit\u00a0:",
    "de Gmail": f"Am Di., 12. Mai 2026 um 10:12 Uhr schrieb {NADIA}:",
    "de Apple": f"Am 12.05.2026 um 10:12 schrieb {NADIA}:",
    "es Gmail": "El mar, 12 may 2026 a las 10:12, Nadia Conti (<care@maison-solenne.example>) escribió:",
    "es iPhone": f"El 12 may 2026, a las 10:12, {NADIA} escribió:",
    "pt Gmail": f"Em ter., 12 de mai. de 2026 às 10:12, {NADIA}\nescreveu:",
    "pt iPhone": f"No dia 12/05/2026, às 10:12, {NADIA} escreveu:",
    "nl Gmail": f"Op di 12 mei 2026 om 10:12 schreef {NADIA}:",
    "nl Apple": f"Op 12 mei 2026 om 10:12 heeft {NADIA} het volgende geschreven:",
    "pl Gmail": f"wt., 12 maj 2026 o 10:12 {NADIA} napisał(a):",
    "pl Apple": f"Wiadomość napisana przez {NADIA} w dniu 12 maj 2026, o godz. 10:12:",
    "pl Thunderbird": "W dniu 12.05.2026 o 10:12, Nadia Conti pisze:",
    "ja Gmail": f"2026年5月12日(火) 10:12 {NADIA}:",
    "ja iPhone": f"2026/05/12 10:12、{NADIA}のメール:",
    "zh Gmail": f"{NADIA} 于2026年5月12日周二 10:12写道：",
    "zh iPhone": f"在 2026年5月12日，10:12，{NADIA} 写道：",
    "zh Taiwan": f"{NADIA} 於 2026年5月12日 週二 上午10:12寫道：",
    "old Gmail": "2026-05-12 10:12 GMT+02:00 Nadia Conti <\ncare@maison-solenne.example>:",
    "Samsung": f"-------- Original message --------\nFrom: {NADIA}\nDate: 12/05/2026 10:12 (GMT+01:00)\nTo: B <b@x.example>",
    "Android": "---- Nadia Conti wrote ----",
}  # fmt: skip
# What Outlook and its kin repeat of the earlier mail's header: from, sent, to, subject.
HEADERS = {
    "en": "From: {}\nSent: Tuesday, May 12, 2026 10:12 AM\nTo: Barbara\nSubject: Sandals",
    "en bold": "*From:* {}\n*Sent:* Tuesday, May 12, 2026 10:12 AM\n*To:* Barbara\n*Subject:* Sandals",
    "it": "Da: {}\nInviato: martedì 12 maggio 2026 10:12\nA: Barbara\nOggetto: Sandali",
    "fr": "De : {}\nEnvoyé : mardi 12 mai 2026 10:12\nÀ : Barbara\nObjet : Sandales",
    "de": "Von: {}\nGesendet: Dienstag, 12. Mai 2026 10:12\nAn: Barbara\nBetreff: Sandalen",
    "es": "De: {}\nEnviado el: martes, 12 de mayo de 2026 10:12\nPara: Barbara\nAsunto: Sandalias",
    "pt": "De: {}\nEnviado: terça-feira, 12 de maio de 2026 10:12\nPara: Barbara\nAssunto: Sandálias",
    "nl": "Van: {}\nVerzonden: dinsdag 12 mei 2026 10:12\nAan: Barbara\nOnderwerp: Sandalen",
    "pl": "Od: {}\nWysłano: wtorek, 12 maja 2026 10:12\nDo: Barbara\nTemat: Sandały",
    "ja": "差出人: {}\n送信日時: 2026年5月12日 10:12\n宛先: Barbara\n件名: サンダル",
    "zh": "发件人: {}\n发送时间: 2026年5月12日 10:12\n收件人: Barbara\n主题: 凉鞋",
    "zh Taiwan": "寄件者： {}\n日期： 2026年5月12日 10:12\n收件者： Barbara\n主旨： 涼鞋",
}
DIVIDERS = [
    *("-----Original Message-----", "-----Messaggio originale-----", "-----Message d'origine-----"),
    *("-----Ursprüngliche Nachricht-----", "-----Mensaje original-----", "-----Mensagem original-----"),
    *("-----Oorspronkelijk bericht-----", "-----Wiadomość oryginalna-----", "----- 元のメッセージ -----"),
    "------------------ 原始邮件 ------------------",
]
SIGNATURES = [
    *("-- \nBarbara Rossi\n+39 055 1234567", "Sent from my iPhone", "Sent from Yahoo Mail on Android", "Get Outlook for iOS"),
    *("Inviato da iPhone", "Inviato da Outlook per Android", "Scarica Outlook per iOS", "Inviato dal mio Galaxy"),
    *("Envoyé de mon iPhone", "Télécharger Outlook pour iOS", "Envoyé depuis l'application Mail Orange"),
    *("Von meinem iPhone gesendet", "Gesendet mit der GMX Mail App", "Holen Sie sich Outlook für iOS"),
    *("Enviado desde mi iPhone", "Obtener Outlook para Android", "Enviado do meu iPhone", "Obter o Outlook para iOS"),
    *("Verstuurd vanaf mijn iPhone", "Verzonden met Outlook voor Android", "Wysłane z iPhone'a", "Wysłano z iPhone"),
    *("iPhoneから送信", "Yahoo!メールから送信", "发自我的iPhone", "從我的 iPhone 傳送", "来自我的华为手机"),
]  # fmt: skip


def quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def folded(text: str) -> str:
    fold = find_fold(text)
    return text[:fold].strip() if fold is not None else text.strip()


@pytest.mark.parametrize("words", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_what_stands_below_who_wrote_it_is_folded_marked_or_not(words: str):
    for below in (quoted(OURS), OURS):
        text = f"{HERS}\n\n{words}\n\n{below}"
        assert folded(text) == own_words(text) == HERS


@pytest.mark.parametrize("words", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_what_she_writes_below_a_quote_or_within_it_stays_in_view(words: str):
    if words.startswith("---"):
        pytest.skip("what follows such a line is never marked")
    below = f"{words}\n{quoted(OURS)}\n\n{HERS}"
    assert folded(below) == below
    assert own_words(below) == HERS
    between = f"Hello\n\n{words}\n> Which colour?\n\nTurquoise\n\n> Which size?\n\n36, thank you"
    assert folded(between) == between
    assert own_words(between).split() == ["Hello", "Turquoise", "36,", "thank", "you"]


@pytest.mark.parametrize("fields", HEADERS.values(), ids=HEADERS)
def test_a_repeated_header_begins_an_earlier_mail(fields: str):
    for line in ("", "_" * 32 + "\n"):
        assert folded(f"{HERS}\n\n{line}{fields.format(NADIA)}\n\n{OURS}") == HERS


@pytest.mark.parametrize("line", DIVIDERS)
def test_a_line_that_says_original_message_begins_one(line: str):
    assert folded(f"{HERS}\n\n{line}\n\n{OURS}") == HERS


@pytest.mark.parametrize("words", SIGNATURES)
def test_a_signature_is_folded_with_what_stands_below(words: str):
    assert folded(f"{HERS}\n\n{words}") == HERS
    assert folded(f"{HERS}\n\n{words}\n\n{ATTRIBUTIONS['en Gmail']}\n\n{quoted(OURS)}") == HERS


@pytest.mark.parametrize(
    "text",
    [
        "My mother wrote:\nplease ask them for the red ones\nand so I do",
        "From Rome I travel on: to Paris, a: b",
        "I need three things:\n1. sandals\n2. a bag\n\nOn 12 May I travel.",
        "Visit us\n>>> the shop <<<\nor write",
        "Sent from my iPhone is what my husband always writes, I do not.\nBest,\nBarbara",
        "-- I mean the blue ones",
        "Ho visto alle 10:30 le scarpe rosse:\nsono ancora disponibili?",
    ],
)
def test_her_own_words_are_not_taken_for_a_quote(text: str):
    assert find_fold(text) is None
    assert own_words(text) == text


@pytest.mark.parametrize(
    "line",
    ["---------- Forwarded message ---------", "---------- Messaggio inoltrato ---------", "Begin forwarded message:",
     "Inizio messaggio inoltrato:", "Anfang der weitergeleiteten Nachricht:", "---------- 转发的邮件 ----------"],
)  # fmt: skip
def test_a_mail_she_passes_on_is_what_she_wants_read(line: str):
    text = f"See below, please\n\nSent from my iPhone\n\n{line}\n\n{HEADERS['en'].format(NADIA)}\n\nYour order"
    assert find_fold(text) is None
    assert own_words(text) == text


def test_her_words_and_who_wrote_on_one_line_are_told_apart():
    text = f"Yes, gladly On Tue, 12 May 2026 at 10:12, {NADIA} wrote:\n{quoted(OURS)}"
    assert folded(text) == "Yes, gladly"
    dashed = f"{HERS}\n\n- Le 2026-05-12 10:12, {NADIA} a écrit :\n{quoted(OURS)}"
    assert folded(dashed) == HERS


def block(text: str) -> str:
    return "".join(f"<div>{line}</div>" for line in text.replace("<", "&lt;").split("\n"))


def shown(html: str) -> str:
    """What is seen of HTML before anything is unfolded."""
    root = lxml.html.document_fromstring(fold_html(html))
    for details in root.xpath("//details[@data-fold]"):
        details.drop_tree()
    return " ".join(root.text_content().split())


_CITE = f'<blockquote type="cite">{block(OURS)}</blockquote>'
_BORDER = '<div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
HTML = {
    "Gmail": '<div dir="ltr">{}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">'
    f'On Tue<br></div><blockquote class="gmail_quote">{block(OURS)}</blockquote></div>',
    "Apple": f'<html><body>{{}}<br><div><br><blockquote type="cite"><div>On 12 May 2026</div></blockquote></div>{_CITE}',
    "iPhone": f'<div dir="ltr">{{}}</div><div dir="ltr"><br><blockquote type="cite">On 12 May {block(OURS)}</blockquote></div>',
    "Yahoo": f'<div class="yahoo-style-wrap">{{}}</div><div id="yahoo_quoted_1" class="yahoo_quoted">{block(OURS)}</div>',
    "Thunderbird": f'<p>{{}}</p><div class="moz-cite-prefix">Am 12.05.26 um 10:12 schrieb Nadia:</div>{_CITE}',
    "Proton": f'<div>{{}}</div><div class="protonmail_quote">{block(OURS)}</div>',
    "Outlook web": f'<div>{{}}</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>Da:</b> N</div>{block(OURS)}',
    "Outlook Mac": f'<div>{{}}</div><span id="OLK_SRC_BODY_SECTION">{block(OURS)}</span>',
    "Outlook of old": f'<p>{{}}</p><div class="OutlookMessageHeader"><b>From:</b> N</div>{block(OURS)}',
    "desktop Outlook": f"<div class=WordSection1><p>{{}}</p><div>{_BORDER}<p><b>Von:</b> Nadia<br><b>Gesendet:</b> Di"
    f"<br><b>An:</b> B</p></div></div>{block(OURS)}</div>",
    "Samsung": '<div>{}</div><div><br></div><div>-------- Messaggio originale --------</div><div>Da: Nadia</div>'
    f"<div>Data: 12/05/26</div>{block(OURS)}",
    "Hotmail": f"<div>{{}}</div><hr>Date: Tue, 12 May 2026 10:12:00<br>From: n@x.example<br>To: b@x.example<br>{block(OURS)}",
    "words alone": "<div>{}<br>" + ATTRIBUTIONS["nl Gmail"].replace("<", "&lt;") + f"<br></div>{block(OURS)}",
    "a plain blockquote": f"<p>{{}}</p><p>{ATTRIBUTIONS['fr Gmail'].replace('<', '&lt;')}</p><blockquote>{OURS}</blockquote>",
    "a plain blockquote of a day": f"<p>{{}}</p><p>On 12 May 2026, Nadia wrote:</p><blockquote>{OURS}</blockquote>",
    "a phone's signature": "<div>{}</div><div><br></div><div>Enviado desde mi iPhone</div>",
    "a page of plain text": "<pre>{}\n\nOn 12 May 2026 at 10:12, Nadia &lt;n@x.example&gt; wrote:\n&gt; back\n&gt; Nadia\n</pre>",
    "text as written": f"<div style='white-space: pre-wrap'>{{}}\n\nSent from my iPhone</div>{_CITE}",
    "a signature above": f"<p>{{}}</p><div class='x-signature'>Barbara</div><div class='moz-cite-prefix'>On 12/5</div>{_CITE}",
    "a signature": '<div>{}</div><div class="gmail_signature">Barbara Rossi<br>+39 055</div>',
    "ten levels deep": "<div>" * 10 + "<p>{}</p>" + _CITE + "</div>" * 10,
}  # fmt: skip


@pytest.mark.parametrize("html", HTML.values(), ids=HTML)
def test_the_tail_of_html_is_folded_once_and_kept(html: str):
    html = html.format(HERS)
    assert shown(html) == HERS
    out = fold_html(html)
    assert out.count("<details data-fold") == 1
    everything = lxml.html.document_fromstring(html).text_content().split()
    kept = lxml.html.document_fromstring(out).text_content().replace("…", "", 1)
    assert "".join(kept.split()) == "".join(everything)


def test_html_shows_what_she_writes_below_between_and_passes_on():
    below = f"<p>Hello </p>{_CITE}<p>{HERS}</p>"
    assert shown(below) == f"Hello {HERS}"
    between = f"<p>Hello</p>{_CITE}<p>Turquoise</p>{_CITE}<p>36</p>{_CITE}<p>Thank you</p>"
    assert "Dear Barbara" in shown(between)
    forwarded = (
        f'<div>See below</div><div class="gmail_quote">---------- Forwarded message ---------<br>{block(OURS)}</div>'
    )
    assert "Dear Barbara" in shown(forwarded)
    assert "Dear Barbara" in shown(f'<div class="gmail_quote">{block(OURS)}</div>')  # never folded whole
    indented = f"<p>Hello</p><blockquote>{HERS}</blockquote>"
    assert HERS in shown(indented)
    apple = f'<p>See:</p><blockquote type="cite"><div>Inizio messaggio inoltrato:</div><br>{block(OURS)}</blockquote>'
    assert "Dear Barbara" in shown(apple)
    table = f'<p>See:</p><table style="border-top: solid 1px"><tr><td>From: Florence</td></tr></table><p>{HERS}</p>'
    assert HERS in shown(table)


def test_breaking_plain_text_in_html_into_lines_costs_little():
    for html in (
        "<pre>" + "<i>x</i>\n" * 9_900,
        '<div style="white-space: pre">a\n' * 170,
        "<pre>" + "a\n> b\n" * 90_000,
    ):
        started = time.process_time()
        fold_html(html)
        assert time.process_time() - started < 1


def test_the_tail_folds_where_it_stands_in_an_element_no_mail_should_have():
    for damaged in ('<div\0id="appendonsend">', '<di"v>', '<div a<b="c">'):
        html = f"<p>{HERS}</p>{damaged}<p>Hello</p>{_CITE}</div>"
        assert shown(html).startswith(HERS)
        assert "Dear Barbara" not in shown(html)


def test_the_text_of_html_marks_what_is_quoted():
    text = html_to_text(f"<p>Hello</p>{_CITE}<p>{HERS}</p>")
    assert "> Dear Barbara," in text.split("\n")
    assert own_words(text).split("\n") == ["Hello", "", "", HERS]


@pytest.mark.parametrize("words", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_her_words_right_above_are_hers_whatever_figures_they_hold(words: str):
    for hers in (
        *("In 37 please", "Il 37 va bene, grazie!", "2 pairs, on 12 June 2026", "Call me: 055 123456 <mobile>"),
        *("Op 12 mei kom ik langs", "Em 12 de maio chego", "On Monday I can come at 10:30", "W dniu 12 maja będę"),
    ):
        assert folded(f"{hers}\n{words}\n{quoted(OURS)}") == hers


@pytest.mark.parametrize("words", HEADERS.values(), ids=HEADERS)
def test_a_line_of_hers_that_looks_like_a_headers_is_hers(words: str):
    for hers in ("Subject: sandals 37", "Date: 12 May is fine", "Luca ha scritto il 12.05.2026:\nle prendo"):
        for divider in ("", "-----Original Message-----\n"):
            assert folded(f"{hers}\n\n{divider}{words.format(NADIA)}\n\n{OURS}") == hers


@pytest.mark.parametrize(
    "letter",
    [
        *("Hello,\n\nOn Monday 4 May 2026 I wrote:\n\nPlease send it to Rome.", "On 4 May at 10:12 you wrote:\nIt is back."),
        *("Guten Tag,\nam 3. Mai 2026 haben Sie mir geschrieben:\nSie kommen im Juni.", "Bonjour,\nLe 3 mai 2026 vous m'avez écrit :\nOui."),
        *("Hello,\nYou wrote on 12 May 2026 at 10:30:\nIt is back.", "Ciao,\nio sono anna@x.example\nMi ha scritto Chiara alle 10:30:\nOk"),
        *("Bonjour,\nLe 12 mai 2026 à 10:12 mon mari a écrit :\nla 38.", "Oi,\nEm 12/05/2026 10:12 minha irmã escreveu:\n38."),
        *("Ciao,\nil 3 maggio 2026 vi ho scritto:\nVorrei i sandali.", "Please send it\nFrom: Florence\nTo: Milan\nDate: 12 May at 10:30\nThanks"),
    ],
)  # fmt: skip
def test_what_she_tells_of_letters_and_journeys_stays_in_view(letter: str):
    assert folded(letter) == own_words(letter) == letter


@pytest.mark.parametrize(
    "letter",
    [
        *("It is late.\n\nSent from my husband's office it was, on Monday.", "Hi\nSent via a friend in Rome\nDid it arrive?"),
        *("Hallo\nVerzonden met PostNL op maandag\nNiets gezien.", "Salve\nInviato con posta ordinaria\nÈ arrivato?"),
        "Salve\nInviato da mail room, grazie\nvorrei il 38",
        "Hello\n\n-- \nBarbara\n\nOne more thing: could you add the scarf?",
        "Yes please.\n(Sent from my mother's phone, answer to anna@x.example)",
        *("你好\n来自QQ的朋友推荐你们的凉鞋\n有37码吗？", "Yes.\n-- \nAnna\n\nP.S. And the bag as well, in blue."),
    ],
)  # fmt: skip
def test_a_letter_goes_on_below_what_looks_like_a_signature(letter: str):
    assert folded(letter) == own_words(letter) == letter


def test_angles_around_an_hour_begin_no_earlier_mail():
    letter = "Yes.\n>>> my size is 38, at 12:30 >>>\nto Capri, please"
    assert folded(letter) == letter
    assert own_words(letter) == "Yes.\nto Capri, please"


@pytest.mark.parametrize(
    "signature",
    [
        *("Sent from Proton Mail for iOS", "Sent from my Verizon, Samsung Galaxy smartphone", "Inviato dall'app mobile di Alice Mail"),
        *("Gesendet mit der Telekom Mail App", "Enviado via iPhone", "Verzonden vanuit Mail voor Windows", "Wysłane z iPada"),
        *("Outlook for iOS を入手", "发自 Windows 10 版邮件应用", "Von meinem/meiner Galaxy gesendet", "Provenance : Courrier pour Windows 10"),
        *("(Sent from my phone)", "[Inviato da iPhone]", "Sent from Mailbox for iPad"),
    ],
)  # fmt: skip
def test_what_more_programs_add_is_folded(signature: str):
    assert folded(f"{HERS}\n\n{signature}\n\n{quoted(OURS)}") == folded(f"{HERS}\n\n{signature}") == HERS


@pytest.mark.parametrize(
    "line",
    [
        *("From: Nadia\nSent: Saturday, 7 February 2026 21:03\nTo: Barbara\n",),
        *("От: Nadia\nОтправлено: суббота, 7 февраля 2026 г. 21:03\nКому: Barbara\n",),
        *(f">>> {NADIA} 07.02.2026 21:03 >>>", "-------- Oprindelig besked --------", "---- Replied Message ----"),
        *("------------------&nbsp;原始邮件&nbsp;------------------", "---- 回复的原邮件 ----"),
    ],
)
def test_more_lines_that_stand_above_an_earlier_mail(line: str):
    assert folded(f"{HERS}\n\n{line}\n{OURS}") == HERS


def test_lines_drawn_of_stars_cost_no_more_than_lines_of_dashes():
    """Each star was tried as one before the line and as part of it: squares of 399."""
    stars, dashes = (f"{sign * 399}:\n" * 100 for sign in "*-")
    assert _least_time(lambda: part_letter(stars)) < 6 * _least_time(lambda: part_letter(dashes))


def _least_time(work: Callable[[], object]) -> float:
    return min(timeit.repeat(work, timer=time.process_time, number=1, repeat=3))


def test_words_above_a_quote_within_one_indent_are_hers():
    indent = (
        f"<blockquote>{{}}<div>On 12 May 2026 at 10:12, {block(NADIA)} wrote:</div><p>Dear Barbara</p></blockquote>"
    )
    assert HERS in own_words(html_to_text(f"<p>Hello</p>{indent.format(HERS)}"))
    assert HERS in own_words(html_to_text(indent.format(f"<p>{HERS}</p>")))
    assert own_words(html_to_text(f"<p>{HERS}</p>{indent.format('')}")) == HERS


def test_a_line_drawn_across_parts_her_name_from_an_earlier_mails_header():
    header = (
        "<b>From: </b>Nadia Conti<br><b>To: </b>Barbara<br><b>Sent: </b>12 May 2026 10:12<br><b>Subject: </b>Sandals"
    )
    text = html_to_text(f"<div>{HERS}<div>Barbara<hr>{header}<p>Dear Barbara</p></div></div>")
    assert own_words(text).split() == [*HERS.split(), "Barbara"]


@pytest.mark.parametrize("style", ["border-top: 1px solid grey", "border-top-color: grey; border-top-style: solid"])
def test_a_thin_line_on_top_of_an_earlier_mails_header_may_be_drawn_in_parts(style: str):
    header = "<b>Von:</b>&nbsp;Nadia Conti, Maison Solenne, 12<br><b>Gesendet:</b>&nbsp;gestern"
    html = f"<div>{HERS}</div><div style='{style}'>{header}</div><div>Dear Barbara</div>"
    assert shown(html) == HERS


@pytest.mark.parametrize("hers", ["the green one", "Green", "38", "anna@x.example", "https://shop.example/dress", ":)"])
def test_an_answer_right_below_a_long_question_is_hers(hers: str):
    question = "Which of the two would you like us to keep aside for you until Friday?"
    letter = f"Hi\n\n{ATTRIBUTIONS['en Gmail']}\n> {question}\n{hers}\n> Nadia"
    assert folded(letter) == letter
    assert own_words(letter).split() == ["Hi", *hers.split()]


def test_the_rest_of_a_quoted_line_that_a_program_broke_is_not_hers():
    long = "> The turquoise sandals that you saw in Florence are back in the boutique"
    for rest in ("in 36", "and would you like us to keep them aside for you until Friday", "(https://shop.example/1)"):
        letter = f"{HERS}\n\n{ATTRIBUTIONS['en Gmail']}\n{long}\n{rest}\n> Nadia"
        assert folded(letter) == own_words(letter) == HERS


def test_a_list_of_hers_drawn_with_angles_stays_in_view():
    assert folded("I would like:\n> green, 38\n> red, 39") == "I would like:\n> green, 38\n> red, 39"
    assert folded("Yes please\n\n> the green one") == "Yes please"
