"""What machines, and people who want no more mail, say in ten languages; patterns, no rules."""

import re

BOUNCE_SUBJECT = re.compile(
    r"^(?:undeliver(?:able|ed)|delivery (?:status notification|failure|has failed|incomplete|delayed|problem)|"
    r"mail delivery (?:failed|failure|system|delayed|warning)|mail failed, returning|returned mail|failure notice|message not delivered|"
    r"mail (?:could )?not (?:be )?deliver(?:ed|able)|address not found|message (?:delayed|undeliverable)|"
    r"(?:mail system error|mail failure|message status|notice: mail delivery status)\b|(?:delayed|undelivered) mail|warning: message \S+ delayed|message you sent blocked|"
    r"non recapitabile|mancato recapito|notifica di mancata consegna|consegna ritardata|"
    r"messaggio non recapitato|unzustellbar|zustellung verzögert|non remis|échec de la remise|non distribuable|"
    r"remise (?:différée|retardée)|no se puede entregar|entrega retrasada|"
    r"no se ha podido entregar|no entregado|não é possível entregar|não entregue|falha na entrega|entrega atrasada|"
    r"onbestelbaar|niet bezorgd|bezorging vertraagd|niedostarczone|nie można dostarczyć|zwrot poczty|"
    r"配信不能|配信できません|未配信|退信(?=$|[:：])|系统退信|[無无]法(?:傳遞|传递|送達|送达)|未(?:传递|傳遞|送达|送達)|mail returned|mail could not be delivered|"
    r"warning: (?:could not send|message still))",
    re.IGNORECASE,
)
_AUTOMATIC = (
    r"automatic (?:reply|acknowledge?ment)|auto(?:matically)?[ -]generated|auto(?:mated|matic)?[ -]?(?:reply|response|responder|risposta|antwort)|autoreply|"
    r"out of (?:the )?office (?:auto ?)?reply|vacation (?:reply|response|message)|risposta automatica|messaggio automatico|"
    r"automatische (?:antwort|rückmeldung|eingangsbestätigung)|abwesenheitsnotiz|abwesenheits(?:meldung|nachricht|info|agent)|"
    r"réponse automatique|absence(?=\s?[:：]\s*re\s?[:：])|message (?:automatique )?d[’']absence|"
    r"respuesta autom[áa]tica(?: de ausencia)?|resposta autom[áa]tica(?: de ausência)?|"
    r"automatisch antwoord|automatische (?:reactie|beantwoording)|afwezigheids(?:bericht|melding|assistent)|"
    r"autoodpowiedź|automatyczna odpowiedź|odpowiedź automatyczna|autosvar|automatisk(?:t)? svar|automaattinen vastaus|"
    r"自動応答|自動返信|不在通知|不在のお知らせ|自动回复|自動回覆|自动答复|外出自动回复"
)
# What a machine says so, and a person may: "Out of office: what do I wear?"
_ABSENCE = (
    r"out of (?:the )?office|fuori ufficio|fuori sede|assenza dall'ufficio|assente(?: dall'ufficio)?|abwesend|abwesenheit|"
    r"absent(?:\(e\)|e)? du bureau|absence du bureau|fuera de (?:la )?oficina|ausência do escritório|fora do escritório|"
    r"afwezig|nieobecność|poza biurem"
)
_FOLLOWED = r"(?:\s*[:：\-–—(\[].*|\s+re:.*|\s*)$"
# Named as what it is, at the very beginning or in brackets; or as Notes puts it: "AUTO: Anna is out of the office".
AUTOMATIC_SUBJECT = re.compile(
    rf"^(?:[\[【(（]\s*(?:{_AUTOMATIC})\s*[\]】)）].*|(?:{_AUTOMATIC}){_FOLLOWED}|"
    r"auto: [^?]{1,80}\b(?:out of (?:the )?office|außer haus|ausser haus|nicht (?:im|am)|abwesend|"
    r"fuori (?:ufficio|sede)|assente|absente?|fuera de|ausente|afwezig|nieobecn[ay])\b[^?]*$)",
    re.IGNORECASE,
)
ABSENCE_SUBJECT = re.compile(rf"^(?:[\[【(（]\s*(?:{_ABSENCE})\s*[\]】)）].*|(?:{_ABSENCE}){_FOLLOWED})", re.IGNORECASE)
# What the programs of old answer when a mail was opened, or thrown away, without RFC 8098.
READ_SUBJECT = re.compile(
    r"^(?:not read|read|non letto|letto|non lu|lu|ungelesen|gelesen|no leído|leído|não lida|lida|niet gelezen|gelezen|"
    r"nie przeczytano|przeczytano|przeczytane|開封済み|未開封|已读|已讀|未读)\s?[:：]",
    re.IGNORECASE,
)
READ = re.compile(
    r"was (?:read on|deleted without being read)|(?:è stato|stato) (?:letto|eliminato)|a été (?:lu|supprimé)|wurde (?:am .{4,40})?(?:gelesen|gelöscht)|"
    r"(?:fue|se) (?:leíd[oa]|leyó|eliminad[oa])|foi (?:lid[ao]|eliminad[ao]|excluíd[ao])|is (?:gelezen|verwijderd)|zosta\S+ (?:przeczytan|usunięt)|"
    r"開封され|読まれ|削除され|已(?:被)?(?:阅读|閱讀|读取|删除)",
    re.IGNORECASE,
)
READ_FIELD = re.compile(
    r"(?im)^\s*(?:subject|oggetto|objet|betreff|asunto|assunto|onderwerp|temat|件名|主题|主旨)\s?[:：].*\S"
)
# A machine says that it is one, at the beginning of a line and in so many words.
SAYS_MACHINE = re.compile(
    r"(?im)^[\W_]*(?:"
    r"(?:(?:please note:? )?this|the following) (?:is|was) an? (?:auto-?(?:mated|matic)(?:ally)?[ -]?(?:generated )?|auto-?generated )"
    r"(?:e-?mail|message|reply|response|notification|acknowledge?ment|confirmation)|"
    r"this (?:e-?mail|message|reply|response) (?:is|was|has been) (?:automatically (?:generated|sent|created)|"
    r"sent automatically|auto-?generated|generated automatically)|"
    r"(?:questa|questo) è (?:una?|un) (?:risposta|messaggio|e-?mail|notifica)(?: generat[oa])?(?: (?:in modo|dal sistema))? ?automatic[oa]|"
    r"(?:questa|questo) (?:risposta|messaggio|e-?mail) è stat[oa] (?:generat|inviat)[oa] automaticamente|"
    r"messaggio generato automaticamente|"
    r"ceci est (?:une réponse|un message|un e-?mail|un courriel)(?: envoyée?| générée?)? automatique(?:ment)?|"
    r"ce (?:message|mail|courriel|e-mail) (?:est|a été) (?:envoyé|généré|un message) automatique(?:ment)?|"
    r"die(?:s|se|ser|ses) (?:ist eine automatisch(?:e|\b.{0,20}) (?:antwort|nachricht|e-?mail|mail)|"
    r"(?:e-?mail|nachricht|mail) (?:wurde|ist) (?:\S+ )?automatisch (?:erstellt|generiert|erzeugt|versendet|versandt|verschickt))|"
    r"(?:este|esta) es (?:un|una) (?:mensaje|respuesta|correo|notificación)(?: \S+)? (?:automátic[oa]|generad[oa] automáticamente)|"
    r"(?:este (?:mensaje|correo)) (?:ha sido|fue) (?:generado|enviado) automáticamente|"
    r"(?:este|esta) é (?:um|uma) (?:mensagem|resposta|e-?mail)(?: \S+)? automátic[oa]|"
    r"esta mensagem foi (?:gerada|enviada) automaticamente|"
    r"dit is een automatisch(?:e)?(?: gegenereerd(?:e)?| verzonden)? (?:bericht|antwoord|e-?mail|reactie)|"
    r"(?:deze e-?mail|dit bericht) (?:is|wordt|werd) automatisch (?:gegenereerd|verzonden|verstuurd|aangemaakt)|"
    r"(?:to|ta|ten|niniejsz[aey]) (?:jest )?(?:wiadomość|odpowiedź|e-?mail)?\s?(?:jest |została |został )?"
    r"(?:automatyczn[aey] (?:wiadomość|odpowiedź)|wygenerowan[aey] automatycznie|wysłan[aey] automatycznie)|"
    r"(?:この|本)(?:メール|メッセージ)は.{0,12}自動(?:的に)?(?:送信|返信|配信|生成|応答)|"
    r"(?:此|本|这|這)(?:是一封|邮件|郵件|信件|消息|封邮件).{0,10}(?:系统|系統)?自[动動](?:发送|發送|回复|回覆|生成|产生|發出|发出)"
    r")"
)
# … and a person who got such a mail tells of it, in the singular, and not of ours that came to her.
TELLS_OF_ONE = re.compile(
    r"(?i)(?:\bi(?:['’]ve| have| just| only)? (?:got|received|was sent|keep getting)\b(?! your)|"
    r"\b(?:ho (?:appena )?ricevuto|mi è arrivat[oa])\b(?! (?:la |il )?(?:sua|suo|tua|tuo|vostr[ao]) (?:e-?mail|mail|messaggio|richiesta))|"
    r"\bj['’]ai (?:bien )?reçu\b(?! (?:votre|vos|ton))|\bich(?![^.!\n]{0,12}\b(?:ihre|deine)\b) [^.!\n]{0,60}(?:bekommen|erhalten|bekam|erhielt)\b|"
    r"\b(?:he recibido|me (?:ha )?lleg(?:ó|ado)|recibí)\b(?! (?:su|tu)\b)|\b(?:recebi|chegou-me)\b(?! (?:a |o )?(?:sua|seu|tua|teu)\b)|"
    r"\bik (?:kreeg|ontving|heb)(?! (?:uw|je|jouw)\b)(?:(?<=kreeg)|(?<=ontving)| [^.!\n]{0,60}(?:gekregen|ontvangen))\b|"
    r"\b(?:dostał[ae]m|otrzymał[ae]m)\b(?! (?:twoj|pańs|pani|pana))|届きました|受け取りました|(?<!们)(?<!們)(?:我|刚|剛)收到了?(?![您你]))"
)
# "Thank you for your message" …
THANKS_FOR_MAIL = re.compile(
    r"(?i)^[\W_]*(?:(?:hello|hi|dear \S+(?: \S+)?|good (?:day|morning|afternoon)|buongiorno|salve|gentile \S+(?: \S+)?|bonjour|madame, monsieur|"
    r"hallo|guten tag|sehr geehrte\S* [^\n]{0,60}|hola|buenos días|estimad\S+ [^\n]{0,30}|您好|你好|olá|bom dia|prezad\S+ [^\n]{0,30}|"
    r"beste \S+(?: \S+)?|goedendag|dzień dobry|szanowni państwo|(?:いつも)?(?:大変)?お世話に(?:なっております|なります))[\s,.!，。–-]*)?"
    r"(?:(?:many )?thank(?:s| you)(?: very much| so much)? for (?:your|the) (?:e-?mail|message|mail|note|enquiry|inquiry)|"
    r"thank(?:s| you) for (?:contacting|writing(?: to)?|reaching out)|"
    r"(?:la )?(?:grazie|ringrazi\S+) (?:mille )?per (?:la (?:(?:sua|tua|vostra) )?|il (?:(?:suo|tuo|vostro) )?|aver(?:ci|mi) )?(?:e-?mail|messaggio|mail|scritto|contattat\S)|"
    r"(?:je vous remercie|merci|nous vous remercions) (?:de|pour) (?:votre|vos) (?:e-?mails?|messages?|mails?|courriels?)|"
    r"(?:vielen|herzlichen|besten) dank für (?:ihre|deine) (?:e-?mail|nachricht|mail|anfrage)|danke für (?:ihre|deine) (?:e-?mail|nachricht|mail)|"
    r"(?:muchas )?gracias por (?:su|tu) (?:correo|mensaje|e-?mail|mail)|"
    r"(?:muito )?obrigad[oa] (?:pel[oa]|por) (?:seu |sua |teu |tua |a sua |o seu )?(?:e-?mail|mensagem|contato|contacto)|"
    r"(?:hartelijk |veel )?(?:dank|bedankt) voor (?:uw|je|jouw) (?:e-?mail|bericht|mail)|"
    r"dziękuj\S+ za (?:wiadomość|e-?mail|maila|kontakt|przesłan\S+ wiadomość)|"
    r"メールを?(?:いただき|ありがとう|お送り)|お問い合わせ.{0,10}ありがとう|ご連絡.{0,10}ありがとう|"
    r"(?:感谢|谢谢|感謝|謝謝)您?的?(?:来信|邮件|來信|郵件|联系|聯絡))"
)
# … "I am out of the office" …
AWAY = re.compile(
    r"(?i)(?:\bi(?:['’]m| am|['’]ll be| will be) (?:currently |presently |now )?(?:out of (?:the |my )?office|away (?:from|on|until|and)|on (?:annual |maternity |parental |sick |paternity )?(?:leave|holiday|vacation)|travel)|(?:currently|presently) (?:out of (?:the )?office|on (?:annual )?leave)|"
    r"our (?:offices?|boutiques?|shops?) (?:is|are|will be) closed|i nostri uffici sono chiusi|nos bureaux sont fermés|unser büro ist .{0,40}geschlossen|"
    r"(?:sono|sarò) (?:attualmente |al momento )?(?:assente|fuori (?:ufficio|sede)|in ferie|in vacanza|in congedo|in maternità)|"
    r"(?:je (?:suis|serai)|actuellement) (?:actuellement )?(?:absente?|en (?:congés?|vacances|déplacement)|hors du bureau)|"
    r"ich bin (?:\S+ ){0,6}?(?:abwesend|nicht (?:im (?:büro|haus)|erreichbar|im haus)|im urlaub|außer haus|ausser haus|in elternzeit)|"
    r"(?:estoy|estaré|me encuentro) (?:actualmente )?(?:fuera de (?:la )?oficina|ausente|de (?:vacaciones|baja|viaje))|"
    r"(?:estou|estarei|encontro-me) (?:atualmente |de momento )?(?:fora do escritório|ausente|de férias|em férias|de licença)|"
    r"ik ben (?:\S+ ){0,6}?(?:afwezig|niet (?:op kantoor|aanwezig|bereikbaar)|met (?:vakantie|verlof)|op vakantie)|"
    r"(?:jestem|będę) (?:obecnie )?(?:nieobecn[ay]|poza biurem|na urlopie)|przebywam (?:obecnie )?(?:na urlopie|poza biurem)|"
    r"(?:不在にして|休暇(?:中|を)|外出して|出張中|席を外して)|(?:我|本人)?(?:目前|现在|現在|正在)?(?:不在(?:办公室|辦公室)|休假|出差|外出))"
)
_ANSWER = (
    r"(?:\b(?:reply|respond|answer|get back|be in touch|rispond\w+|(?:ri)?contatter\w+|legger\w+|répond\w+|recontacter\w*|vous contacter\w*|"
    r"antwort\w+|beantwort\w+|bearbeit\w+|melden?|lesen?|lees|responder\w*|contestar\w*|contactar\w*|contatar\w*|"
    r"antwoord\w*|contact op|reage\w+|odpowi\w+|odpisz\w*|skontaktuj\w*)|連絡|返信|返答|回答|回复|回覆|答复|联系)"
)
_BACK = (
    r"(?:\b(?:(?:my|i|i['’]ll) return|return(?:ing)? to|back|rientro|ritorno|retour|rückkehr|zurück|regreso|vuelta|vuelva|regresse|regressar|regresso|retorno|retornar|voltar|"
    r"terugkeer|terugkomst|terug|vakantie|powrocie|wrócę)\b|戻り|帰社|回来|返回|回來)"
)
# Where the subject says that somebody is away, this is a machine's way to say so, too.
AWAY_SHORTLY = re.compile(
    r"(?i)^[^.!?\n。！]{0,40}(?:\bi(?:['’]m| am|['’]ll be| will be) (?:\w+ )?(?:away|out|off|abroad)\b|non (?:sono|sarò) in (?:ufficio|sede)|"
    r"je (?:suis|serai) absente?|ich bin (?:\S+ ){0,4}abwesend|estoy (?:fuera|ausente)|estou (?:fora|ausente)|ik ben (?:er niet|afwezig)|"
    r"(?:nie ma mnie|jestem nieobecn|nie będzie mnie))|"
    r"(?:\breturn(?:ing)? (?:on|to)|\bback (?:on|in|at)|\brientr\w+|\bde retour|\bwieder (?:da|im|für|erreichbar)|\bde vuelta|\bregres\w+|\bvoltarei|\bterug|\bwracam|\bwrócę)\b"
)
# … "until Monday, and will answer when I am back; my mail is not read meanwhile".
BACK_LATER = re.compile(
    r"(?i)(?:(?:limited|no|little|restricted|intermittent) access to (?:my )?(?:e-?mails?|mails?|messages|inbox)|"
    r"(?:will|shall|['’]ll) (?:reply|respond|answer|get back)\b.{0,80}?(?:as soon as|when i|on (?:mon|tues|wednes|thurs|fri)day)|"
    r"will not be (?:forwarded|read)|nicht weitergeleitet|bin ich wieder|wieder (?:für sie )?(?:erreichbar|da\b)|"
    rf"{_ANSWER}[^.!?\n。！]{{0,80}}?{_BACK}|{_BACK}[^.!?\n。！]{{0,80}}?{_ANSWER})"
)
# "In urgent cases write to Maria".
URGENT_ELSE = re.compile(
    r"(?i)(?:(?:for|in|if)(?: it is| any| an| very| case of| your \w{1,12} is| you (?:need|require)(?: any)?)? (?:urgent|immediate|emergenc)\w*.{0,60}?(?:contact|call|reach|mail|write|touch)|"
    r"(?:per|in caso d[i’']) ?(?:\S+ ){0,2}urgen[zt]\w*.{0,60}?(?:contatt|scriv|rivolg|chiam)|"
    r"(?:en cas d[’']|pour (?:toute |les |une )?(?:demande |question )?)urgen\w+.{0,60}?(?:contact|adress|écri|appel|joindre)|"
    r"(?:in|bei|für) (?:sehr )?dringend\w*.{0,60}?(?:wende|kontaktier|erreich|schreib|ruf|hilft|steht)|"
    r"(?:en caso de|para (?:asuntos|temas|cuestiones)|si es) (?:\S+ )?urgen\w+.{0,60}?(?:contact|escrib|dirij|llam|póngase)|"
    r"(?:em caso de|para (?:assuntos|questões)) (?:\S+ )?urg[eê]n\w+.{0,60}?(?:contact|contat|escrev|lig)|"
    r"(?:voor|in|bij) (?:\S+ )?(?:dringende|spoed|urgente)\w*.{0,60}?(?:contact|bel|mail|wend)|"
    r"w (?:sprawach |przypadk\w+ )?piln\w+.{0,60}?(?:kontakt|prosz|dzwo)|"
    r"(?:お急ぎ|緊急)の(?:場合|ご用件|方|際)|(?:如有|若有|如果有)?(?:紧急|緊急|急事).{0,30}?(?:联系|聯絡|联络|致电))"
)
# "We have received your request, its number is": a desk's machine, when its subject numbers the matter too.
TICKET_SUBJECT = re.compile(
    r"(?i)(?:\[[^\]]{0,40}#\s?[\w-]{3,}\]|\b(?:ticket|case|request|incident|enquiry|vorgang|pratica|richiesta|demande|caso|solicitud|chamado|zgłoszenie)"
    r"(?: (?:id|no\.?|nr\.?|number|n[°º.]))?\s?[:#]?\s?#?[\w-]*\d{3,})"
)
RECEIVED = re.compile(
    r"(?i)(?:(?:we(?:['’]ve| have)|has been|was) (?:successfully )?received|has been (?:received|created|opened|logged|registered)|have received your|"
    r"abbiamo ricevuto (?:la|il)|è stat[oa] (?:ricevut|apert|registrat)[oa]|nous avons bien reçu|a (?:bien )?été (?:reçue?|enregistrée?|créée?)|"
    r"(?:haben|wir haben) ihre .{0,40}erhalten|ist (?:bei uns )?eingegangen|wurde (?:erstellt|angelegt|eröffnet)|hemos recibido (?:su|tu)|ha sido (?:recibid|cread|registrad)[oa]|"
    r"recebemos (?:a sua|o seu|sua|seu)|foi (?:recebid|criad|registrad|abert)[oa]|(?:hebben|wij hebben|we hebben) (?:uw|je) .{0,40}ontvangen|is (?:ontvangen|aangemaakt)|"
    r"otrzymaliśmy|zostało (?:przyjęte|zarejestrowane|utworzone)|受け付け(?:ました|いたしました)|承りました|受付(?:ました|完了)|已(?:收到|受理|创建))"
)
# "[Request received]", "Ticket opened: Your sandals": a person may have got a ticket, too …
_MATTER = (
    r"(?:request|ticket|case|enquiry|inquiry|(?:support )?message|richiesta|segnalazione|ticket|demande|requête|anfrage|"
    r"solicitud|petición|consulta|pedido|chamado|solicitação|aanvraag|verzoek|melding|zgłoszenie|sprawa)"
)
_TAKEN = (
    r"(?:received|created|opened|registered|ricevut[ao]|apert[ao]|registrat[ao]|reçue?|enregistrée?|créée?|erhalten|eingegangen|erstellt|"
    r"recibid[ao]|cread[ao]|registrad[ao]|recebid[ao]|abert[ao]|criad[ao]|ontvangen|aangemaakt|geregistreerd|"
    r"przyjęt[ea]|otrzyman[ea]|zarejestrowan[ea]|utworzon[ea])"
)
RECEIVED_SUBJECT = re.compile(
    rf"(?i)^(?:\[{_MATTER} {_TAKEN}\]|{_MATTER} {_TAKEN}{_FOLLOWED}|[\[【]?(?:お問い合わせ(?:を)?受付|お問合せ受付|受付完了|(?:您的)?(?:请求|工单|請求|工單)已(?:收到|受理|创建|建立)))"
)
# … but only a desk says that it has ours.
RECEIVED_YOURS = re.compile(
    rf"(?i)(?:\byour {_MATTER}\b[^.!?\n]{{0,60}}\b(?:has|was|been)\b[^.!?\n]{{0,30}}\b{_TAKEN}|\breceived your {_MATTER}|"
    rf"\b(?:la|il) (?:sua|tua|vostra|suo|tuo|vostro) {_MATTER}\b[^.!?\n]{{0,60}}\b{_TAKEN}|ricevuto la (?:sua|tua|vostra) {_MATTER}|"
    rf"\b(?:votre|ta) {_MATTER}\b[^.!?\n]{{0,60}}\b{_TAKEN}|reçu (?:votre|ta) {_MATTER}|"
    rf"\b(?:ihre|deine) {_MATTER}\b[^.!?\n]{{0,60}}\b{_TAKEN}|"
    rf"\b(?:su|tu|sua|seu|o seu|a sua) {_MATTER}\b[^.!?\n]{{0,60}}\b{_TAKEN}|(?:recibido|recebemos) (?:su|tu|a sua|o seu|sua|seu) {_MATTER}|"
    rf"\b(?:uw|je|jouw) {_MATTER}\b[^.!?\n]{{0,60}}\b{_TAKEN}|"
    rf"\b(?:państwa|twoje|pani|pana) {_MATTER}\b[^.!?\n]{{0,60}}\b{_TAKEN}|otrzymaliśmy (?:państwa|twoje) {_MATTER}|"
    r"お問い?合わ?せを?[^。\n]{0,20}(?:受け付け|受付|承り)|(?:已(?:收到|受理)您的|您的(?:请求|工单|請求|工單)已))"
)
# No desk says "I" (as it is written: the Polish word for "and" is a small one).
SAYS_I = re.compile(
    r"\bI\b|\bmy\b|(?i:\b(?:ho|mie|ich|meine|j['’]ai|mes|ik|mijn|he recibido|mis|recebi|minhas|otrzymał[ae]m)\b)"
)
# "Please bring it to the neighbours": she asks us for something …
ASKS_US = re.compile(
    r"(?i)\b(?:please|kindly|cortesemente|gentilmente|pls|bitte|per (?:favore|cortesia|piacere)|(?:vi|la|ti) prego|s['’]il (?:vous|te) pla[iî]t|svp|merci de|veuillez|"
    r"por favor|alstublieft|alsjeblieft|a\.?u\.?b|proszę)\b|お願い|ください|下さい|[请請]"
)
# … and a machine asks to note it, to write to somebody else, or not to answer.
MACHINE_ASKS = re.compile(
    r"(?i)\b(?:note|aware|advised|bear with|beachte\w*|notare|(?:tener|tenga|tenha|ter) (?:presente|en cuenta|em conta)|noter|notez|let op|"
    r"houd\w* rekening|pamięta\w*|"
    # to somebody else, not to her
    r"(?<!mi )(?:contact|call|e-?mail|write to|reach|ring|bel|mail|ruf|schreib|kontaktier|scriv|chiam|écri|appel|llam|escrib|escrev|lig)\w*"
    r"(?<!mi)(?<!moi)(?<!me)\b(?![^\n]*\b(?:me|mich|mir|moi|mij)\b)|"
    r"kontakt\w*|wende\w*|contatt\w*|rivolg\w*|adress\w*|dirij\w*|dirig\w*|contat\w*|direct (?:your|all|any)|"
    r"(?:not|n['’]t|nicht|non|pas|no|não|niet|nie) (?:\w+ ){0,3}(?:reply|respond|answer|(?:be)?antwort\w*|rispond\w*|répond\w*|responda\w*|responder|(?:be)?antwoord\w*|odpowiad\w*))"
    r"|@|了承|連絡|返信|勿回|联系|聯絡|联络|谅解|諒解"
)
_PLEASE = (
    r"(?:(?:could|can|would) you (?:please)?|please|pls|per favore|per cortesia|(?:vi |la )?prego(?: di)?|chiedo(?: di essere| di)?|vorrei(?: essere)?|"
    r"s['’]il vous pla[iî]t|svp|merci de|veuillez|bitte|por favor|quiero|quisiera|quero|queria|gostaria de|desejo|ik wil|ik wens|chcę|"
    r"kindly|i(?: would|['’]d)? (?:like|want|wish) to(?: be)?|i would like to(?: be)?|je (?:souhaite|voudrais|veux)|ich möchte|alstublieft|a\.?u\.?b\.?|"
    r"graag|proszę(?: o)?|thanks|thank you|grazie|merci|danke|gracias|obrigad[oa]|bedankt|dziękuję|お願いします|请|請|hello|hi|ciao|buongiorno|bonjour|hallo|guten tag|hola|olá|dzień dobry)"
)
# Nothing but the wish to hear no more.
UNSUBSCRIBE = re.compile(
    rf"(?i)[\W_]*(?:{_PLEASE}[\s,.!]*){{0,2}}(?:"
    r"unsubscribed?(?: me)?(?: (?:from|of) (?:this|your|the|all|these)(?: mailing)?(?: lists?| newsletters?| e-?mails?| mailings?)?)?|"
    r"i (?:no longer (?:wish|want) to|do(?: not|n['’]t) (?:wish|want) to) (?:receive|get) (?:any ?more |any |these |your |more |further )*"
    r"(?:e-?mails?|mails?|newsletters?|messages)(?: from you| any ?more)?|"
    r"(?:removed?(?= (?:from|of) )|remove me|take me off|take my (?:e-?mail )?address off|remove my (?:e-?mail )?address)(?: (?:from|of)? ?(?:your|this|the) (?:mailing )?lists?)?|opt[ -]?out|"
    r"(?:stop|no more) (?:sending me |these |those |your )?(?:e-?mails?|mails?|newsletters?|mailings)(?: please)?|"
    r"disiscriv(?:imi|etemi|ermi|ete|ere|i)(?: dalla (?:vostra |sua )?(?:newsletter|lista|mailing list))?|disiscrizione|(?:(?:mi )?cancell(?:ami|atemi|armi)|(?<!\w )cancell(?:azione|a|are)|cancell(?:azione|iate|a|are)(?= la mia iscr| iscr| dall[ae] )|(?:elimin|rimuov|toglier)(?:armi|ermi|mi)|(?:cancellat|eliminat|rimoss|tolt)[ao](?= dall))(?: (?:la mia )?iscrizione)?"
    r"(?: dall[ae] (?:(?:vostr|su)[ae] )?(?:lista|newsletter|mailing list|comunicazioni))?|"
    r"annulla(?:re)? (?:la mia |l['’])?iscrizione|(?:rimuov|toglie)(?:imi|etemi|temi) dalla (?:vostra )?(?:lista|newsletter|mailing list)|"
    r"non (?:voglio|desidero) (?:più )?ricevere (?:più )?(?:(?:le )?vostre |altre )?(?:e-?mail|mail|comunicazioni|newsletter)|"
    r"dés(?:inscription|abonnement)|(?:me |se )?dés(?:inscrire|abonner)(?: de (?:la|votre) (?:newsletter|liste))?|dés(?:inscrivez|abonnez)[- ]moi|"
    r"je ne (?:souhaite|veux|désire) plus recevoir (?:de |vos |d['’])?(?:e-?mails?|mails?|courriels?|newsletters?|messages)|"
    r"(?:newsletter )?(?:abmelden|abmeldung|abbestellen|austragen|abbestellung)|(?:streichen|nehmen|löschen|entfernen) sie mich (?:aus|von) (?:ihrem|dem|ihrer|der) (?:e-?mail-?)?(?:verteiler|liste|newsletter)|(?:ich möchte )?keinen? (?:weiteren )?(?:e-?mails|mails|newsletter)(?: mehr)?(?: (?:erhalten|bekommen|schicken|senden))?|"
    r"(?:darme|dar|dadme|denme|quiero darme) de baja(?: de (?:la|su|vuestra) (?:newsletter|lista))?|cancelar (?:la |mi )?suscripción|desuscribir(?:me)?|no (?:deseo|quiero) recibir más (?:correos|e-?mails|mails|mensajes)|"
    r"cancelar (?:a )?(?:minha )?(?:inscrição|subscrição|assinatura)|descadastrar(?:-me|em-me)?|(?:remov(?:a|am|er)-me|remover?|tirem?-me|retirem?-me) (?:da|de) (?:vossa |sua )?(?:lista|newsletter|mailing list)|(?:não (?:quero|desejo)|não quero mais) (?:mais )?receber (?:mais )?(?:e-?mails|mensagens|newsletters?)|"
    r"(?:me )?(?:uitschrijven|uitschrijving|afmelden|afmelding)(?: (?:voor |van )?(?:(?:de|uw|jullie) )?(?:nieuwsbrief|mailinglijst))?|(?:ik wil )?geen (?:e-?mails?|mails?|nieuwsbrie(?:f|ven)) meer(?: ontvangen)?|"
    r"(?:wypisz|wypiszcie|usuń|usuńcie)(?: mnie)?(?: z (?:listy|newslettera))?|(?:się )?wypis(?:anie|ać)(?: mnie| się)?(?: z (?:listy|newslettera))?|rezygn(?:uję|acja) z (?:subskrypcji|newslettera)|anuluj subskrypcję|nie chcę (?:więcej )?otrzymywać (?:więcej )?(?:e-?maili|maili|wiadomości)|"
    r"(?:メール(?:の)?|メルマガ(?:の)?)?(?:配信|購読)(?:の|を)?(?:停止|解除|中止)(?:して(?:ください|下さい)|希望|をお願いします)?|登録解除|退会|"
    r"(?:我要|我想)?(?:退订|退訂|取消订阅|取消訂閱)(?:邮件|郵件)?|(?:不要|别)再(?:发|给我发)(?:邮件|郵件)(?:了)?"
    rf")(?:[\s,.!]*{_PLEASE})?[\W_]*"
)
# What may stand beneath it: a thank-you, a name.
CLOSING = re.compile(
    r"(?i)(?:thank(?:s| you)|regards|best|kind regards|sincerely|grazie|saluti|cordiali saluti|distinti saluti|merci|cordialement|salutations|danke|mfg|"
    r"(?:mit freundlichen )?grüße[n]?|gruß|gracias|saludos|obrigad[oa]|atenciosamente|bedankt|groet(?:en|jes)?|dziękuję|pozdrawiam|よろしくお願いします|谢谢|謝謝)\b.*|[^\W\d_]+(?:[ .'’-]+[^\W\d_]+){0,3}\.?"
)
