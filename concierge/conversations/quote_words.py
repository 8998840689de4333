"""How mail programs introduce an earlier mail, in the languages our customers' programs speak; patterns, no rules."""

import re

# "wrote", and what stands in its place: it must come with a date or an address to count (see `quoting`).
_WROTE = (
    *("wrote", "writes", "sent", "has written"),
    *("ha(?: +|\n)scritto", "scrive", "ha inviato"),
    *("a(?: +|\n)[ée]crit", "a envoyé"),
    *("schrieb", "schreibt", "geschrieben", "hat gesendet"),
    *("escribi[óo]", "envió"),
    *("escreveu", "enviou"),
    *("schreef", "geschreven"),
    *("napisał(?:a|\\(a\\)|/a|o)?", "pisze", "nadesłał(?:a|\\(a\\))?", "napisana przez"),
    *("のメール", "さんは書きました", "が書きました", "は書きました", "さんからのメール"),
    *("写道", "寫道", "写信说", "撰写"),
    *(
        "skrev",
        "kirjoitti",
        "napsala?(?:\\(a\\))?",
        "написал(?:а|\\(а\\))?",
        "писал(?:а)?",
        "пишет",
        "yazdı",
        "đã viết",
    ),
    *("작성", "έγραψε", "a scris", "írta", "escrigué", "va escriure", "missatge de"),
)
WROTE = re.compile(rf"(?:(?<![^\W\d_])|(?<=[^\x00-\u2e7f]))(?:{'|'.join(_WROTE)})(?![^\W\d_a-zàèéìòù])", re.IGNORECASE)
WROTE_CJK = re.compile("のメール|書きました|写道|寫道|撰写|작성")
# A day or an hour, in figures: something no sentence of hers needs before "wrote:".
MOMENT = re.compile(
    r"\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b|\b\d{1,2}[:.h]\d{2}\b|(?:19|20)\d\d|\d{1,2}月\d{1,2}日|\d{1,2}[./-]?\s?[^\W\d_]{3,10}"
)
# A whole day, in figures or with its month or year.
DAY = re.compile(
    r"\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b|(?:19|20)\d\d|\d{1,2}月\d{1,2}日|(?<![:.\d])\b\d{1,2}[.,]?\s(?:de\s)?[^\W\d_]{3,10}"
)
HOUR = re.compile(r"(?<![./\d-])\d{1,2}[:.h]\d{2}(?![./\d-])|\d[时時点]|\d{1,2}\s?[AP]M\b")
# Who tells herself what somebody wrote; no program speaks of itself, or of us.
SAYS_I = re.compile(
    r"\b(?:I|I['’](?:ve|d)|Sie|(?i:we|you|me|us|my|our|ich|wir|mir|uns|ihr|mein\w*|je|j['’]ai|nous|vous|tu|m['’]avez|"
    r"ho|hai|abbiamo|avete|mi|vi|ci|mia|mio|yo|hemos|nos|eu|ik|wij|jij|jullie|mijn|napisałam|napisałem|moja|mój)"
    # Not in capitals: "On Mon, 12 May, …"
    r"|mon|notre|nuestr[oa]|meu|minha)\b"
)
ADDRESS = re.compile(r"[^\s<>\"'()\[\]:]{1,100}@[^\s<>\"'()\[\],;]{2,100}")
STARTS_WITH_MOMENT = re.compile(
    r"(?:[^\W\d_]{2,10}[.,]{0,2}\s)?(?:\d{4}[./年-]\s?\d{1,2}[./月-]\s?\d{1,2}日?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}"
    r"|\d{1,2}\.?\s(?:de\s)?[^\W\d_]{3,10}[.,]{0,2}\s(?:de\s)?\d{4})"
)
# How an introduction begins, with its day in figures: "On Tue, 12 May", "Il giorno mar 12", "W dniu 12.05.2026".
LEAD = re.compile(
    r"(?:on|le|am|il(?: giorno)?|in data|el|em|a|op|den|på|w dniu|dnia|dne|в|vào|在|於|于)\s?[^\n]{0,28}\d"
    r"|(?:wiadomość napisana przez)\s",
    re.IGNORECASE,
)
# Where a sentence of hers and the program's stand on one line: "Yes, please On Tue, 12 May 2026 at 10:12, …"
SAME_LINE = re.compile(
    r"(?<=\S)(?:\s+|[\s-]*-{2,}\s?)"
    r"(?=(?:On|Le|Am|Il(?: giorno)?|El|Em|Op)\s(?:[^\W\d_]{2,10}[.,]{0,2}\s)?(?:[^\W\d_]{3,10}\s)?\d{1,4}[\s,./-])"
)

_ORIGINAL = (
    *("original message", "reply message", "original email", "original mail"),
    *("messaggio originale", "messaggio di risposta"),
    *("message d'origine", "message d’origine", "message original", "message initial", "message de réponse"),
    *("original-?nachricht", "ursprüngliche nachricht", "ursprüngliche mail", "antwort nachricht"),
    *("mensaje original", "mensagem original", "mensaje de respuesta"),
    *("oorspronkelijk bericht", "oorspronkelijke bericht"),
    *("wiadomość oryginalna", "oryginalna wiadomość", "pierwotna wiadomość"),
    *("元のメッセージ", "原始邮件", "原始郵件", "原邮件", "原始信息", "邮件原件"),
    *("oprindelig meddelelse", "opprinnelig melding", "ursprungligt meddelande", "alkuperäinen viesti"),
    *("oprindelig besked", "originalmeddelande", "replied message", "回复的原邮件", "回覆的原郵件"),
    *("původní zpráva", "исходное сообщение", "원본 메[일시]지?", "orijinal mesaj", "eredeti üzenet"),
)
_FORWARDED = (
    *("forwarded message", "forwarded mail", "forwarded by"),
    *("messaggio inoltrato", "messaggio reinoltrato"),
    *("message transféré", "message réexpédié"),
    *("weitergeleitete nachricht", "weitergeleitet von"),
    *("mensaje reenviado", "mensagem encaminhada", "mensagem reencaminhada"),
    *("doorgestuurd bericht", "przekazana wiadomość", "wiadomość przekazana", "treść przekazanej wiadomości"),
    *("転送されたメッセージ", "転送メッセージ", "转发的消息", "转发的邮件", "轉寄的郵件", "轉寄郵件", "已转发邮件"),
    *("videresendt meddelelse", "vidarebefordrat meddelande", "пересылаемое сообщение"),
)
_DASHES = "[-_–—=*]{2,}"
# A line may be drawn of stars, too; were they also allowed in front of it, each would be tried as either.
ORIGINAL = re.compile(rf"[\s>]*{_DASHES}(?:\s|&nbsp;)*(?:{'|'.join(_ORIGINAL)})(?![^\W\d_]).{{0,60}}", re.IGNORECASE)
FORWARDED = re.compile(
    rf"[\s>]*{_DASHES}\s*(?:{'|'.join(_FORWARDED)})(?![^\W\d_]).{{0,80}}"
    r"|[\s>*]*(?:begin forwarded message|inizio messaggio inoltrato|début du message (?:réexpédié|transféré)|"
    r"anfang der weitergeleiteten (?:nachricht|e-?mail)|inicio del mensaje reenviado|"
    r"início da mensagem (?:reencaminhada|encaminhada)|begin doorgestuurd bericht|"
    r"początek przekazywanej wiadomości|以下はメールの転送です|転送されたメッセージ|下面是被转发的邮件|以下是轉寄的郵件)\s?[:：]\s*",
    re.IGNORECASE,
)
# ">>> Nadia Conti <care@…> 07.02.2026 21:03 >>>", as GroupWise does; what follows is not marked.
ANGLED = re.compile(r"\s*>>> ?[^>\s].{3,160}\d{1,2}[:.]\d{2}(?:\s?[AP]M)?\s?>>>\s*", re.IGNORECASE)
# "---- Nadia wrote ----", as phones put it.
DASHED_WROTE = re.compile(rf"[\s>]*{_DASHES}\s*\S.{{1,160}}\s(?:{'|'.join(_WROTE)})\s*{_DASHES}\s*", re.IGNORECASE)
RULE = re.compile(r"\s*[_\u2500\u2014=-]{24,}\s*")

# The rest of an address in brackets that a program broke, and what ends a sentence or leaves its answer to the next line.
CLOSES_LINK = re.compile(r"(?:[<(](?:https?:|mailto:|\S+@)\S*|\S*\w[)>])(?:\s*>)?")
ENDS_SENTENCE = re.compile(r"[.!?:;…。！？：][\"'”’»)\]]*$")

# What Outlook and its kin repeat of the earlier mail's header, by role.
_FIELDS = {
    "from": ("from", "da", "mittente", "de", "expéditeur", "von", "absender", "remitente", "remetente", "van", "afzender",
             "od", "差出人", "送信者", "发件人", "寄件者", "寄件人", "fra", "från", "от", "보낸 ?사람", "kimden", "feladó"),
    "date": ("sent", "date", "inviato", "data", "envoy[ée](?: le)?", "gesendet", "datum", "enviado(?: el| em)?", "enviada(?: em)?",
             "fecha", "verzonden", "wysłan[oey]", "送信日時", "日時", "日付", "发送时间", "发送日期", "日期", "時間", "时间", "傳送時間",
             "sendt", "skickat", "отправлено", "дата", "보낸 ?날짜", "gönderme tarihi", "tarih", "küldve"),
    "to": ("to", "a", "per", "[àa]", "an", "para", "aan", "do", "宛先", "收件人", "收件者", "til", "till", "кому", "받는 ?사람", "kime", "címzett"),
    "copy": ("cc", "bcc", "copia", "copie", "kopie", "kopia", "dw", "抄送", "副本", "копия", "참조"),
    "subject": ("subject", "oggetto", "objet", "betreff", "asunto", "assunto", "onderwerp", "temat", "件名", "主题", "主題", "主旨",
                "emne", "ämne", "тема", "제목", "konu", "tárgy"),
    "other": ("reply-to", "rispondi a", "organization", "importance", "importanza", "priorität", "wichtigkeit", "attachments",
              "allegati", "anlagen", "antwort an", "répondre à"),
}  # fmt: skip
_ANY_FIELD = "|".join(f"(?P<{role}>{'|'.join(names)})" for role, names in _FIELDS.items())
# Said of mails alone; a journey has a date, and goes from somewhere to somewhere.
SENT = re.compile(
    r"\b(?:sent|inviat[oa]|envoyé|gesendet|enviad[oa]|verzonden|wysłan[oey]|skickat|sendt|отправлено)\b|送信日|[发發傳]送",
    re.IGNORECASE,
)
FIELD_WITHIN = re.compile(rf"(?<=\s)(?:{_ANY_FIELD}):\s?(?=\S)(?P<value>)", re.IGNORECASE)
FIELD = re.compile(
    rf"[\s>*_]*(?:{_ANY_FIELD})"
    r"(?:[\s\u00a0*_]*[:：])[\s\u00a0*_]*(?P<value>\S.*)?",
    re.IGNORECASE,
)

_DEVICE = (
    r"(?:(?:l[’']\s?)?i ?phone|i ?pad\w{0,2}|i ?pod|outlook|yahoo|gmail|samsung|proton|android|smartphone|libero|galaxy|huawei|honor|"
    r"xiaomi|redmi|poco|oppo|oneplus|pixel|blackberry|(?:all-new )?aol|gmx|web\.de|orange|windows|spark|shortwave|canary|nine|tim|"
    r"\S{1,12}mail|mail(?= (?:voor|per|für|pour|para|for|do|dla)\b)|mailbird|mailbox|e-mail|correio|correo|telekom|magenta|sfr|free|"
    r"virgilio|tiscali|alice|icloud|aplikacj\w*|poczt\w*|urządzeni\w*|mailapp|toestel|onet|wp|interia|o2|fairphone|verizon|vodafone|t-mobile|nokia|sony|xperia|motorola|handy|mobil\w*|telefon\w*|tablet\w*|courrier|posta)"
)
# What a phone or a program adds below, some in brackets: "Sent from my iPhone", "Inviato da Outlook per Android" …
SIGNATURE = re.compile(
    r"(?:[(\[](?=[^,]{0,44}[)\]]$))?(?:--[ \u00a0]?"
    r"|(?:this (?:message|e-?mail) was )?sent (?:from|via|with|using|on) (?:(?:my|the|your|a) "
    r"(?!(?:\S+ ){0,8}(?:is|was|were|are|it|i|he|she|they|but|because|could|never|came|has|have|had)\b)\S.{0,60}|mail for .{0,40}|"
    + _DEVICE
    + r"\b.{0,60})"
    r"|yahoo mail: search, organize, conquer|get (?:outlook|yahoo mail|bluemail|spark|the aol app) for .{1,60}"
    r"|(?:scarica|ottieni) (?:outlook|bluemail) per .{1,60}|(?:obtenir|obtenez|téléchargez|télécharger) outlook pour .{1,60}"
    r"|(?:holen sie sich )?outlook für .{1,60}|(?:obtener|obtén) outlook para .{1,60}|(?:obter|obtenha|baixar|baixe) (?:o )?outlook para .{1,60}"
    r"|(?:download )?outlook voor .{1,60}|pobierz (?:aplikację |program )?outlook dla .{1,60}"
    r"|.{1,30}版 ?outlook ?を(?:入手|取得).{0,10}|(?:获取|下载|下載|取得) ?outlook for .{1,40}|获取适用于.{1,40}outlook.{0,20}|outlook for .{1,20} ?を(?:入手|取得).{0,10}|下载适用于.{1,40}outlook.{0,20}|取得適用於.{1,40}"
    r"|inviat[oa] (?:da|dal|dalla|con|tramite|via|dall[’'](?=app\b)) ?(?:app mobile .{1,40}|(?:il |la )?mi[oa] .{1,60}|posta per .{1,40}|" + _DEVICE + r"\b.{0,60})"
    r"|provenance : .{0,12}(?:courrier|outlook).{0,40}"
    r"|envoyé (?:de|depuis|à partir d[e'’u]|avec|via|par) ?(?:(?:mon|ma|l'|l’|la messagerie) ?.{1,60}|" + _DEVICE + r"\b.{0,60})"
    r"|von meine[mr](?:/meine[mr])? .{2,40} (?:gesendet|gesendet\.|aus gesendet|versendet)|gesendet (?:von|mit|über|aus) (?:mein\w* .{1,60}|"
    r"(?:der |dem )?" + _DEVICE + r"\b.{0,60})|diese nachricht wurde von mein\w* .{2,60} gesendet\.?"
    r"|enviad[oa] (?:desde|con|do|da|de|por|via|a partir do|através do|pelo) (?:(?:o )?(?:mi|meu|minha) .{1,60}|(?:el |la |o )?" + _DEVICE + r"\b.{0,60})"
    r"|(?:verstuurd|verzonden) (?:vanaf|met|vanuit|via|van) (?:mijn .{2,60}|(?:de |een )?(?:\S+ )?" + _DEVICE + r"\b.{0,60})"
    r"|wysłan[eoay] (?:z|ze|za pomocą|przez|od) (?:moje\w+ .{2,60}|(?:\S+ ){0,3}?" + _DEVICE + r"\b.{0,60})"
    r"|(?:私の)?(?:i ?phone|i ?pad|android|スマートフォン|galaxy|xperia|windows|outlook|yahoo!?メール).{0,20}から送信(?:されました)?.?"
    r"|(?:发自|發自|發送自|来自|從|从).{0,4}(?:windows|i ?phone|i ?pad|android|手机|手機|华为|華為|小米|网易|網易|qq邮箱|qq|outlook|雅虎|yahoo|三星|邮箱|mac)[^，。,.？?！!]{0,30}"
    r"|sendt fra min .{2,40}|skickat från min .{2,40}|отправлено (?:с|из) .{2,40}|나의 .{2,20}에서 보냄)[)\]]?",
    re.IGNORECASE,
)  # fmt: skip
# Nobody's signature, and no phone's, says so.
POSTSCRIPT = re.compile(r"^\W*p\.? ?s\.?(?:[\s:,;–-]|$)", re.IGNORECASE)
ASKS = re.compile(r"\?(?=\s|[\"'»”)]|$)|？")
