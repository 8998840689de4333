"""How mail systems say in words that a mail came back or has to wait; patterns, no rules."""

import re

_ADDRESS = r"<?(?:mailto:)?([^\s<>()\[\],;:\"'|*]{1,100}@[^\s<>()\[\],;:\"'|*]{2,200})>?"

# What stands above the copy of the mail that is returned.
COPY_BELOW = re.compile(
    r"(?im)^[ \t>*|=-]{0,200}(?:"
    r"below this line is a copy of the message|this is a copy of (?:the|your) message|original message follows|"
    r"original message|original headers|original message headers|transcript of session follows\s*-+\s*\n\s*\Z|"
    r"start of returned message|returned mail follows|--\s*returned (?:message|mail)(?=\s*--)|message text follows|the (?:header and|first) (?:top )?\d+ lines of|"
    r"a copy of the original message|message header follows|the header of the original message is following|"
    r"ursprüngliche nachricht|messaggio originale|message d['’]origine|mensaje original|mensagem original|"
    r"oorspronkelijk bericht|oryginalna wiadomość"
    r")\b.*$"
)
# An address in a sentence that says that it could not be reached.
NAMES_RECIPIENT = re.compile(
    rf"(?:\bto|recipient(?: address)?:?|address:?|user|mailbox|\ban|\ba|à|aan|\bdo|para|per)\s+[\"']?{_ADDRESS}"
    r"(?=.{0,80}?(?:could(?:n['’]t| not)|can(?:['’]t|not)|was(?:n['’]t| not)|has(?:n['’]t| not)|failed|rejected|"
    r"undeliver|unknown|does(?:n['’]t| not) exist|delayed|non (?:è|e['’]) stat|impossibile|konnte nicht|"
    r"n['’](?:a pas|est pas)|no se (?:ha|pudo)|não (?:foi|pôde)|kon niet|nie (?:został|można)|is unavailable))",
    re.IGNORECASE,
)
# Or one that stands behind the words that say so.
NAMED_LAST = re.compile(
    r"(?:^[\s*-]{0,20}(?:(?:failed|intended|unknown|undeliverable|invalid) (?:recipient|user|address|mailbox)|user unknown)\s?:|"
    r"(?:unable to|could ?n[o'’]t|can ?n[o'’]t) deliver (?:the |your |this )?(?:e-?mail|mail|message) to:?|"
    r"(?:e-?mail|mail|message) (?:could|can) ?n(?:ot|['’]t) be delivered to:?)"
    rf"\s{{1,9}}[\"']?{_ADDRESS}",
    re.IGNORECASE,
)
# A mailbox that hands on what it gets; above stands where to.
HANDED_ON = re.compile(rf"\b(?:expanded|(?:ultimately )?generated) from:?\s{{1,9}}{_ADDRESS}", re.IGNORECASE)
# What a filter of hers says of a mail that it would not take (RFC 5429).
REFUSED = re.compile(r"\b(?:was|has been) (?:automatically )?(?:rejected|refused)\b", re.IGNORECASE)
# Nobody lives there.
DEAD = re.compile(
    r"user (?:is )?unknown|unknown user|no such (?:user|mailbox|recipient|account|person|address|domain|host)|"
    r"(?:user|mail[ -]?box|account|recipient|rcpt|address|mail account|e-?mail account|domain|host)(?: name)?(?: [\"'<(]?\S+@\S+[\"'>)]?)?"
    r"(?: (?:you tried|that you tried) to reach)?(?: (?:was|were|is|has been|does|do|doesn['’]t|could|cannot be|can['’]t be))*"
    r"\s(?:not exist|not found|exist|unknown|disabled|deactivated|no longer (?:valid|active|available|in use|exists?)|invalid|"
    r"inactive|suspended|closed|terminated)|"
    r"(?:doesn['’]t|does not) have an? \S+ account|no mail[ -]?box (?:here|found|available for this user)|"
    r"deactivated (?:user|mail[ -]?box|account|address)|not an? (?:valid|known|active) (?:user|mailbox|recipient|address)|"
    r"invalid (?:recipient|mailbox|address|user)|unrouteable address|unroutable address|recipnotfound|recipientnotfound|"
    r"recipient not found|address rejected: (?:undeliverable|user)|bad destination mailbox|couldn['’]t find any host|"
    r"couldn['’]t be found|could(?: not|n['’]t) be found|wasn['’]t found at|host or domain name not found|domain not found|nxdomain|"
    r"no mx|null mx|unknown (?:or illegal alias|address|recipient|account|host)|addressee unknown|"
    r"invalid final delivery userid|(?:wrong|invalid) or no longer valid|"
    r"not (?:listed|found) in (?:the )?(?:domino|public|name|address|directory)|not our customer|name is not recogni[sz]ed|unknown recipient|"
    r"(?:impossibile trovare|non (?:è stato )?trovat[oa])|introuvable|wurde .{0,60}nicht gefunden|no se encontró|não (?:foi )?encontrad|"
    r"nie znaleziono|uzytkownik nie istnieje|"
    r"no longer (?:works|work|employed|here|with us)|(?:mailbox|account) (?:is )?(?:unavailable|not available|has been (?:closed|deleted))|"
    r"utente sconosciuto|casella (?:inesistente|non (?:esiste|valida))|indirizzo (?:inesistente|sconosciuto)|"
    r"utilisateur inconnu|adresse inconnue|n['’]existe pas|n['’]a pas été trouvée?|"
    r"(?:empfänger|adresse|postfach|benutzer) (?:ist )?(?:unbekannt|existiert nicht|nicht gefunden)|existiert nicht|"
    r"usuario desconocido|no existe|não existe|desconhecid[oa]|onbekende gebruiker|bestaat niet|nie istnieje|"
    r"ユーザー?(?:が|は)?(?:不明|存在しません)|ディレクトリのリストにありません|宛先不明|あて先不明|存在しません|(?:用户|收件人|邮箱|地址|用戶|帳號|账号)不存在|不存在",
    re.IGNORECASE,
)
# It may be otherwise tomorrow, or for another mail: nobody says that the address is dead.
PASSING = re.compile(
    r"mailbox (?:is )?(?:full|over)|quota|over ?limit|storage (?:limit|full)|full mailbox|insufficient (?:storage|system)|"
    r"casella (?:piena|di posta piena)|boîte (?:aux lettres )?pleine|postfach (?:ist )?voll|buzón lleno|caixa (?:cheia|de correio cheia)|"
    r"(?:容量|いっぱい)|邮箱(?:已满|空间不足)|"
    r"\bspam\b|blacklist|blocklist|block list|\bblocked\b|black list|spamhaus|reputation|\bdmarc\b|\bspf\b|\bdkim\b|"
    r"greylist|grey-list|try (?:again|later)|too (?:many|large|big)|rate limit|size (?:limit|exceed)|exceeds (?:the )?size|"
    r"temporar(?:y|ily)|timed? ?out|connection refused|virus|content (?:rejected|filter)|policy|not authori[sz]ed|access denied|"
    r"relay(?:ing)? (?:access )?(?:denied|not)|throttl|deferred|resources|"
    # what it has against us, and not against her
    r"client host rejected|\bhelo\b|sender(?:['’]s)? (?:address|domain|host)\b|mail from \S+ refused|"
    r"your (?:host|ip|domain|certificate)\b|server down",
    re.IGNORECASE,
)
# Whatever else it says, it goes on trying.
STILL_TRIES = re.compile(
    r"will be retried until|it will be retried|warning only|do not need to resend|still being retried|(?:gmail|we) will (?:retry|keep trying)|"
    r"will keep trying|delivery attempts will continue|no action is required on your part",
    re.IGNORECASE,
)
DELAYED = re.compile(
    r"not yet been delivered|has(?:n['’]t| not) (?:yet )?been (?:yet )?delivered|delivery (?:is |has been |was )?(?:delayed|incomplete)|"
    r"(?:message|mail) (?:\S+ )?(?:is |has been |was )?delayed|still (?:trying|in (?:the )?queue)|will (?:be )?(?:retr|keep trying|continue to)|"
    r"postponed|no action is required on your part|temporary problem delivering|warning message only|could not send (?:message )?for past|"
    r"do not need to resend|delayed \d+ hours|non è stato ancora|"
    r"consegna (?:ritardata|in ritardo)|(?:remise|livraison) (?:est )?(?:retardée|différée)|zustellung (?:wurde |ist )?verzögert|verzögert|"
    r"entrega (?:retrasada|demorada|atrasada)|bezorging (?:is )?vertraagd|opóźnion|配信が遅延|遅延|延迟|延遲",
    re.IGNORECASE,
)
FAILED = re.compile(
    r"permanent (?:error|failure|fatal|problem)|given up|(?:could|can|was|were|has|have|has been)(?:n['’]t| ?not) (?:be )?(?:able to )?(?:been )?"
    r"(?:deliver|reach|send|sent)|couldn['’]t be delivered|unable to deliver|undeliverable|failed (?:permanently|recipient)|delivery.{0,40}failed|"
    r"delivery failure|did not reach|(?:mail|message) has been returned|не может быть доставлен|не (?:было )?доставлен|(?:address(?:es)?|recipient)(?:\(s\)|\(es\))? failed|error(?:s)? (?:while|occurred)|"
    r"non (?:è stato possibile|recapitabile|consegnat)|impossibile (?:consegnare|recapitare)|n['’]a pas pu être|non remis|"
    r"nicht (?:zugestellt|zustellbar)|unzustellbar|no se (?:ha podido|pudo) entregar|não (?:foi possível|pôde ser) entreg|"
    r"niet (?:worden )?(?:bezorgd|afgeleverd)|nie (?:została|można).{0,20}dostarcz|配信でき|送信でき|配達でき|无法(?:投递|送达|发送|传递)|未能(?:传递|送达|投递)|退信|無法(?:傳遞|投遞)",
    re.IGNORECASE,
)
