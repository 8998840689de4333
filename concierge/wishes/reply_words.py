"""The turns of phrase by which a reply is read, in each language: what takes, declines, puts off, asks, doubts."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """What is looked for, in text whose case is folded; all of it is said of whole words."""

    # turns that sound like a no or a doubt and are none
    idioms: re.Pattern[str]
    takes: re.Pattern[str]
    wishes: re.Pattern[str]
    yes_please: re.Pattern[str]
    yes_words: frozenset[str]
    no: re.Pattern[str]
    no_words: frozenset[str]
    not_now: re.Pattern[str]
    polite: frozenset[str]
    # "keep them for me": asked by who takes them, and by who can't decide
    keeps: re.Pattern[str]
    denies: re.Pattern[str]
    doubts: re.Pattern[str]
    # somebody else it might go to
    others: re.Pattern[str]
    asks: re.Pattern[str]
    # how to pay, when it comes
    way: re.Pattern[str]
    sized: re.Pattern[str]
    but: re.Pattern[str]
    greeting: re.Pattern[str]
    closing: re.Pattern[str]

    def but_after_yes(self, said: str) -> bool:
        """Whether a "but" stands in it behind what takes the piece."""
        yes = self.takes.search(said) or self.wishes.search(said)
        found = [each.start() for each in self.but.finditer(said)]
        return any(at >= (yes.end() if yes else 0) for at in found)


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile(r"(?<![\w'])(?:" + "|".join(phrases) + r")(?![\w])", re.IGNORECASE)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SIZE = r"(\d{1,2}(?:[.,]\d|½)?)"
_IT = r"(?:it|them|these|those|this one|that one|one|the pair|the (?:\w+ )?(?:sandals|shoes|boots|heels|pumps|loafers"
_IT += r"|pair|dress|coat|skirt|blouse|shirt|jacket|trousers|bag|ring|belt|scarf|hat|piece))"
# What may stand behind "I'll take them": not "to the cobbler", nor "in my hands".
_AND = r"(?=\s*(?:$|[,.!:?)]|(?:please|thanks?|then$|today|right away|immediately|with|gladly|happily|in (?:size )?\d+"
_AND += r"|in a \d+|at|now|and|of course|very|so|too|for me|as soon|straight|tomorrow|this|when|how|but|though|if"
_AND += r"|unless)\b))"
_GLADLY = r"(?:(?:definitely|gladly|happily|certainly|absolutely|of course|really|still|so|very much|surely|just) )*"

# Whoever it is to go to instead of her; said with the words of a yes, it is a no: "go ahead with somebody else".
_OTHERS = (
    r"(?:(?:some|any)(?:one|body) else|another (?:customer|client|lady|woman|person)|(?:the )?others|whoever is next"
)
_OTHERS += (
    r"|(?:the )?next (?:(?:lady|one|person|customer|client|woman|name)(?: (?:in|on) (?:the )?(?:line|list|queue))?"
)
_OTHERS += r"|in (?:the )?(?:line|queue)|on the list))"

ENGLISH = Language(
    idioms=_any(
        r"(?:it's |that's )?(?:no|not a) (?:problem|worries|trouble)(?: at all)?",
        r"no (?:doubt|question|hesitation)(?: about it)?",
        r"without (?:a|any) doubt",
        r"(?:you )?(?:needn't|need not|don't need to|no need to) ask (?:me )?twice",
        r"can(?:'t|not| not) believe (?:it|my luck|my eyes|this)",
        r"(?:i )?(?:don't|do not|wouldn't|would not) (?:want to |wish to )?miss (?:it|them|these|this)",
        r"why not",
        r"before (?:some|any)(?:one|body) else(?: (?:does|can|takes (?:it|them)|gets (?:it|them)))?",
    ),
    takes=_any(
        rf"(?:i|we)(?:'ll| will| shall) {_GLADLY}(?:take|have|buy|order|purchase) {_IT}{_AND}",
        rf"(?:i am|i'm|we are|we're) {_GLADLY}(?:taking|buying) {_IT}{_AND}",
        rf"(?:i|we) {_GLADLY}(?:take|accept|want) {_IT}{_AND}",
        r"(?:i|we) (?:gladly |happily )?accept",
        rf"consider {_IT} sold",
        r"(?:they're|they are|it's|it is) mine",
        r"count me in",
        r"(?:please )?go ahead(?: with (?:it|them|the order))?(?! and (?:offer|give|sell))",
        r"(?:the|my) answer is (?:a )?yes",
        r"that(?:'s| is) a yes(?: from me)?",
        r"(?:it|that|this) would be (?:so )?(?:wonderful|lovely|great|perfect|amazing|fantastic)",
        r"can(?:'t|not) wait(?! (?:that|so|any|until|till|for you))",
    ),
    wishes=_any(
        rf"(?:i|we)(?:'d| would| should) {_GLADLY}(?:love|like)"
        rf"(?: to (?:take|have|buy|order|purchase|get))? {_IT}{_AND}",
        rf"(?:i|we)(?:'d| would) be (?:so )?(?:delighted|happy|glad|thrilled) to (?:take|have|buy) {_IT}{_AND}",
    ),
    yes_please=re.compile(r"(?:oh |well )?(?:yes|yeah|yep) (?:yes )?please(?: do)?", re.IGNORECASE),
    yes_words=_words("yes yep yeah yup sure absolutely definitely certainly gladly course"),
    no=_any(
        r"no,? (?:many )?thank(?:s|you| you)",
        r"thank(?:s| you)(?: so much| very much)?,? but,? no(?! (?:problem|doubt|idea))",
        r"(?:i'll|i will|i'm going to|i am going to|i have to|i must|i'd like to|let me) (?:pass|decline)",
        r"have to decline",
        r"(?:not|isn't|aren't|is not|are not) (?:really )?for me(?: after all)?",
        r"(?:not|no longer) (?:really )?interested",
        r"(?:it's |it is )a no(?! for now)",
        r"(?:have |'ve )?(?:changed|change) my mind",
        r"decided against (?:it|them)",
        r"(?:don't|do not|no longer|didn't) (?:really )?(?:want|need|wish for) (?:it|them|these|those|the \w+)",
        r"(?:won't|will not|can't|cannot|(?:am|'m) not going to) (?:be )?(?:take|taking|buy|buying) (?:it|them)",
        r"(?:already|have|'ve|just|i) (?:already )?(?:bought|got|found|ordered|own) "
        r"(?:it|them|one|others?|another|a pair|a different|some|something|mine)",
        r"(?:bought|found|got) (?:it|them|one|a pair) (?:elsewhere|somewhere else)",
        r"(?:unfortunately|sadly|afraid|rather|absolutely|definitely|certainly|of course|sure) not",
        r"(?:the|my) answer is (?:a )?no",
        r"i'm all set",
        r"(?:it|they|these|those|the pair) can go to (?:somebody|someone|another)(?: \w+)?",
        r"went for (?:the \w+|another|a different|others)(?: ones?)?(?: in the end| instead)?",
        r"cancel (?:my|the) (?:wish|order|offer|request)",
        r"(?:give|offer|sell|pass) (?:it|them) (?:on )?to (?:the next|somebody|someone|another)(?: \w+)?",
        r"let (?:it|them|the pair) go",
        rf"(?:go ahead|proceed|carry on|move on)(?: without me|(?: with| to| and)?(?: \w+){{0,4}}? {_OTHERS})",
        rf"(?:give|offer|sell|pass|hand|leave|show)(?: (?:it|them|these|this|the \w+))?(?: on)?(?: to| for)? {_OTHERS}",
        rf"let {_OTHERS}",
        rf"(?:go|goes|going|belongs?) to {_OTHERS}",
        rf"(?:love|like|happy|glad|delighted)(?: (?:for|if))? {_OTHERS}",
        r"(?:take|have) a pass",
        r"(?:give (?:it|them|these|this one|this) a miss|sit this one out)",
        r"(?:take|strike|cross|remove) (?:me|my name) (?:off|from)"
        r"(?! (?:your |the |this )?(?:mailing|newsletter|mails?))",
        r"(?:no need|don't|do not|needn't) (?:to )?(?:hold|keep|reserve) (?:it|them)",
    ),
    no_words=_words("no nope nah"),
    not_now=_any(
        r"not (?:right |just )?(?:now|yet)",
        r"not (?:at the moment|at present|today|for now)",
        r"(?:it's |it is )?a no for now",
        r"not (?:in )?this (?:time|week|month|season|year|spring|summer|autumn|winter)(?! round for good)",
        r"(?:maybe|perhaps) (?:later|another time|next|in (?:a|the|some)|after|some other time)(?: \w+)?",
        r"(?:another|some other) time",
        r"later (?:this|in the) (?:year|season|summer|autumn|month)",
        r"(?:next|in a) (?:month|season|year)(?: maybe| perhaps)?",
        r"(?:can't|cannot|can not|couldn't)(?: \w+){0,4} (?:at the moment|this month|right now|just now|now|yet)",
        r"right now i (?:can't|cannot)(?: \w+){0,2}",
        r"(?:ask|write to|tell|remind) me (?:again )?(?:later|next|in|after|when)(?: \w+)?",
    ),
    polite=_words(
        "please thanks thank you so very much many a lot oh how lovely wonderful great perfect fantastic amazing kind "
        "of dear that's that is this it's good news with pleasure indeed ok okay well hello hi sorry "
        "unfortunately sadly afraid really all the same anyway though then but for me i am i'm to nadia do just only"
    ),
    keeps=_any(
        r"(?:please )?(?:put|set|keep|hold|reserve|send|ship)(?: (?:it|them|the pair))"
        r"(?: aside| back| by)?(?: for me| to me| on hold)?(?: please)?"
    ),
    denies=_any(r"not", r"\w+n't", r"never", r"no", r"nobody", r"cannot", r"hardly", r"without"),
    doubts=_any(
        r"if",
        r"unless",
        r"whether",
        r"might",
        r"maybe",
        r"perhaps",
        r"probably",
        r"possibly",
        r"(?:not|less|un) ?sure",
        r"i (?:think|guess|suppose)",
        r"think (?:about|it)",
        r"let me",
        r"let you know",
        r"get back to",
        r"(?:it )?depends",
        r"discount",
        r"cheaper",
        r"instead",
        r"prefer",
        r"exchange",
        r"never said",
        r"i (?:have )?said",
        r"no idea",
        r"(?:not|n't|yet to) decide[d]?",
        r"yes and no",
        r"until",
        r"till",
        r"both",
        r"two",
        r"three",
        r"several",
        r"another (?:colou?r|size|pair)",
        r"(?:would|could|should|must) take",
        r"size (?:up|down)",
        r"take (?:a look|(?:it|them) back|care|some time|my time|it easy|(?:it|them) off)",
        r"would have",
        r"used to",
        r"wait(?:ing)? for",
        r"hesita\w+",
    ),
    others=_any(_OTHERS),
    asks=re.compile(
        r"(?:^|, |\bbut |\band )(?:(?:can|could|do|does|did|is|are|will|would|may|shall)"
        r" (?:i|you|we|it|they|there|the|these|those)|how|what|which|where|who|when (?:do|does|will|can|are|is))\b"
        r"(?! (?:kind|lovely|wonderful|nice|sweet|beautiful|a |good|great|happy|delight))",
        re.IGNORECASE,
    ),
    way=_any(
        r"pay",
        r"payment",
        r"ship(?:ped|ping)?",
        r"deliver(?:y|ed)?",
        r"arrive",
        r"send",
        r"collect",
        r"pick (?:it|them) up",
        r"link",
        r"order",
        r"invoice",
        r"checkout",
        r"card",
    ),
    sized=re.compile(rf"\b(?:size|in|a|the)\s+(?:an? )?{_SIZE}(?![\w])"),
    but=_any(r"but", r"though", r"although", r"however", r"except"),
    greeting=re.compile(
        r"\A(?:dear|hi|hello|hey|good (?:morning|afternoon|evening|day))\b[^,!.?:\n]{0,40}[,!.:\n]+\s*", re.IGNORECASE
    ),
    closing=_any(
        r"(?:with )?(?:(?:my|many|very|all the|all) )*(?:best|kind|warm|kindest|warmest|fond)(?:est)?"
        r"(?: (?:regards|wishes))?(?:,? .{0,40})?",
        r"(?:regards|love|sincerely|yours|cheers)(?:,? .{0,40})?",
    ),
)

_LI = r"(?:li|le|la|lo|l'|ne|quest[iaeo]|il paio|i sandali|le scarpe)"
# What may stand behind "li prendo": not "con calma", nor "in considerazione".
_E = (
    r"(?=\s*(?:$|[,.!:?)]|(?:grazie|subito|volentieri|molto|con (?:molto |grande |vero )?piacere|io|tutt\w+|oggi|domani"
)
_E += r"|per favore|e|assolutamente|sicuramente|certo|certamente|davvero|in \d+|se|ma|però|perché|senz'altro)\b))"
_VERB = r"(?:prend|compr|acquist|aver|ordin)"

_ALTRI = r"(?:(?:qualcun )?(?:un')?altr[oaie]|un altro|qualcun[oa]?(?: |')altr[oa]"
_ALTRI += r"|(?:la |il )?prossim[ao] (?:cliente|signora|in)"
_ALTRI += r"|chi (?:viene|è|aspetta)(?: \w+)?)(?! (?:volta|taglia|misura|occasione|settimana|colore|paio|domanda|cosa))"

ITALIAN = Language(
    idioms=_any(
        r"(?:non c'è |nessun |senza )(?:alcun )?(?:problema|problemi|dubbio)",
        r"non voglio (?:farmeli|farmele|farmela|farmelo|perder\w+)(?: scappare)?",
        r"non ci posso credere",
        r"perché no",
    ),
    takes=_any(
        rf"{_LI} ?(?:prendo|compro|acquisto|ordino|voglio){_E}",
        r"(?:prendo|compro|acquisto|voglio) (?:volentieri |subito )?"
        r"(?:quest[iaeo]|i sandali|le scarpe|gli stivali|il paio)",
        r"sono mi(?:e|ei)",
        r"(?:accetto|procediamo|proceda)(?: (?:pure|volentieri|con (?:molto )?piacere))?",
        r"confermo(?=\s*(?:$|[,.:!]|l'acquisto|l'ordine|volentieri|grazie))",
        r"non vedo l'ora(?! di (?:sapere|vedere|leggere))",
        r"aggiudicat[oaie]",
    ),
    wishes=_any(
        rf"(?:vorrei|desidero|mi piacerebbe)(?: tanto| molto| proprio)? {_VERB}\w*",
        r"(?:vorrei|mi piacerebbe)(?: tanto| molto)?(?=\s*(?:$|[,.!]))",
    ),
    yes_please=re.compile(r"(?:oh |ma )?(?:sì|si) (?:certo|grazie|volentieri|per favore)(?: mille)?", re.IGNORECASE),
    yes_words=_words("sì si certo certamente volentieri assolutamente senz'altro"),
    no=_any(
        r"no,? (?:la |vi |ti )?(?:ringrazio|grazie)",
        r"grazie(?: mille| tante)?,? ma,? no",
        r"purtroppo no",
        rf"non {_LI} ?(?:prendo|voglio|compro|acquisto|desidero|prenderò|comprerò)(?: più)?",
        r"non (?:mi |ci )(?:interess\w+|serv\w+|piac\w+|occorr\w+)(?: più)?",
        r"ho cambiato idea",
        r"(?:ne )?ho (?:già )?trovat\w+(?: un altro| un'altra| altrove| altr\w+)?",
        rf"(?:{_LI} ?)?ho già (?:comprat|pres|acquistat|ordinat)\w+",
        rf"{_LI} ?ho (?:comprat|pres|acquistat)\w+",
        r"rinuncio",
        r"(?:preferisco|preferirei|direi|temo|mi sa) di no",
        r"(?:certo che|assolutamente) no",
        r"non sono (?:più )?interessat[ao]",
        r"sono a posto(?: così)?",
        r"(?:^|(?<=, ))passo(?=\s*(?:$|[,.!]|grazie|la mano|stavolta))",
        rf"{_LI} ?(?:dia|lasci|offra|ceda|venda)(?: pure)?(?: a)?",
        r"(?:offrir|dar|ceder|lasciar|vender)(?:li|le|la|lo) (?:pure )?(?:a|ad)",
        r"non fa(?:nno)? per me",
        r"(?:lasciate|date|offrite|cedete|vendete|passate|proponete)(?:li|le|la|lo)(?: pure)? (?:a|ad|al|alla)",
        rf"(?:proced\w+|vada|andate|continu\w+)(?: pure| avanti)*(?: con| a)? {_ALTRI}",
        r"(?:proced\w+|vada|andate)(?: pure| avanti)* senza di me",
        rf"(?:(?:faccia|fate)(?: pure)? (?:felice|contenta)|(?:lasci|ced)\w*(?: volentieri)?(?: il \w+)? a) {_ALTRI}",
        r"ced(?:o|erei)(?: volentieri| pure)* il (?:mio )?(?:posto|turno)",
        r"(?:mi (?:tolga|cancelli|levi|depenni)|(?:toglie|cancella|leva|depenna)(?:te)?mi)(?: pure)?"
        r" da\w+(?:'| )(?:lista|elenco|coda)",
    ),
    no_words=_words("no"),
    not_now=_any(
        r"non (?:ora|adesso|subito|ancora|oggi|questo mese|questa volta|questa settimana|in questo momento|al momento)",
        r"(?:per (?:ora|adesso|il momento)|al momento|in questo momento|adesso|ora|questo mese|questa volta"
        r"|stavolta),? (?:purtroppo )?(?:no|non (?:posso|riesco|me (?:li|le|la|lo) posso)(?: \w+)?)",
        r"non (?:posso|riesco)(?: \w+){0,3} (?:ora|adesso|questo mese|al momento|in questo momento)",
        r"(?:magari |forse )?(?:più avanti|più tardi|un'altra volta|il mese prossimo|la prossima (?:volta|stagione))",
        r"mi (?:riscriva|ricontatti|risenta|richieda)(?: (?:a|in|tra|fra|il|più)(?: \w+)?)?",
    ),
    polite=_words(
        "grazie mille tante per favore cortesia molto gentile che bello bella meraviglia perfetto ottimo benissimo con "
        "piacere davvero proprio oh cara caro la ringrazio vi ma scusi mi dispiace spiace purtroppo lo stesso comunque "
        "infinite di cuore buongiorno salve ciao"
    ),
    keeps=_any(
        r"(?:me )?(?:li|le|la|lo) (?:tenga|metta|riservi|mandi|spedisca|tenete|mettete)(?: pure)?"
        r"(?: da parte)?(?: per me)?"
    ),
    denies=_any(r"non", r"nessun\w*", r"mai", r"neanche", r"nemmeno", r"senza", r"no"),
    doubts=_any(
        r"se",
        r"forse",
        r"magari",
        r"non so",
        r"non lo so",
        r"ci penso",
        r"pens\w+",
        r"faccio sapere",
        r"farò sapere",
        r"dipende",
        r"parlar\w+",
        r"(?:prend|compr|acquist)erei",
        r"sconto",
        r"sconti",
        r"invece",
        r"prefer\w+",
        r"piuttosto",
        r"sì e no",
        r"si e no",
        r"non dico",
        r"non ho detto",
        r"(?:dire|detto|dico) di (?:no|sì)",
        r"finché",
        r"fino a",
        r"due paia",
        r"entramb\w+",
        r"tutt[ie] e due",
        r"con calma",
        r"cambiar\w+",
        r"valut\w+",
        r"credo",
        r"vorrei sapere",
        r"indecis\w+",
    ),
    others=_any(_ALTRI),
    asks=re.compile(
        r"(?:^|, |\bma |\be )(?:posso|potrei|può|potrebbe|potete|avete|c'è|ci sono|quanto|quando|come|dove|quale|quali"
        r"|è possibile|si può|si possono|(?:li|le|la|lo) avete|possiamo|sapete)\b",
        re.IGNORECASE,
    ),
    way=_any(
        r"pagare",
        r"pagamento",
        r"pago",
        r"spedi\w+",
        r"consegn\w+",
        r"arriv\w+",
        r"ritir\w+",
        r"ordin\w+",
        r"link",
        r"bonifico",
        r"carta",
        r"procedere",
        r"procedo",
        r"fattura",
    ),
    sized=re.compile(rf"\b(?:taglia|numero|in|il|un|n\.)\s+{_SIZE}(?![\w])"),
    but=_any(r"ma", r"però", r"tuttavia", r"solo che", r"tranne"),
    greeting=re.compile(
        r"\A(?:gentil(?:e|issima|issimo)|cara|caro|carissima|ciao|buongiorno|buonasera|buon pomeriggio|salve)\b"
        r"[^,!.?:\n]{0,40}[,!.:\n]+\s*",
        re.IGNORECASE,
    ),
    closing=_any(
        r"(?:con )?(?:(?:un|i|i miei|tanti) )?(?:cordial\w+|car[io]|distint\w+|affettuos\w+|miglior\w+)(?: salut\w+)?"
        r"(?:,? .{0,40})?",
        r"(?:salut\w+|a presto|con affetto)(?:,? .{0,40})?",
    ),
)
