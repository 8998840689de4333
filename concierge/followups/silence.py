"""What holds of every planned mail, as people say it: "if she hasn't answered", "a meno che non scriva"."""

import re
from typing import Final

# What she has not done. A mail that is planned stops when she writes, and when she buys.
_ANSWERED: Final = (
    r"(?:answer(?:s|ed)?|repl(?:y|ies|ied)|respond(?:s|ed)?|writes?|wrote|written|buys?|bought|order(?:s|ed)?|"
    r"(?:gets?|got|gotten|comes?|came|been) (?:back|in touch))"
    r"(?: back)?(?:(?: to| with)? (?:me|us|anything|(?:my|our|the) (?:last )?(?:e-?mail|mail|message|letter)))?"
)
_NOT: Final = r"(?:(?:ha[sd]|have|do|does|did)(?:n'?t| not)|won'?t|will not|ha[sd] (?:still|yet) not|never)"
_A_REPLY: Final = r"(?:answer|reply|response|word|news)(?: from (?:her|him|them))?"
_HEARD: Final = r"(?:hear|heard)(?: anything)?(?: back)? from (?:her|him|them)"
_SINCE: Final = r"(?: (?:yet|at all|since(?: then)?|meanwhile|in the meantime|(?:by|before|until) then|before))*"
_ENGLISH: Final = (
    rf"(?:if (?:she|he|they)(?:(?: still)? {_NOT}(?: yet| still)?|'(?:s|ve)(?: still)? not) "
    rf"{_ANSWERED}(?: n?or {_ANSWERED})*|"
    rf"unless (?:she|he|they)(?:'s|'ve| has| have)?(?: already)? {_ANSWERED}(?: or {_ANSWERED})*|"
    rf"if (?:i|we) {_NOT} {_HEARD}|unless (?:i|we)(?:'ve| have)? {_HEARD}|"
    rf"if (?:i|we) {_NOT} (?:get|got|have|had|receive|received) (?:an?|any) {_A_REPLY}|"
    rf"(?:if (?:(?:there is|there's|i (?:get|have|receive)|we (?:get|have|receive)|still) )?(?:still )?no|"
    rf"if there (?:isn't|is not) (?:an?|any)|without (?:an?|any)) {_A_REPLY}){_SINCE}"
)

_DONE: Final = (
    r"(?:rispond(?:e|ono|era|eranno|a|ano|esse)|rispost[oa]|scriv(?:e|ono|era|eranno|a|ano)|scritto|"
    r"replic(?:a|ato|hi)|compr(?:a|ano|ato|era|i|ino)|acquist(?:a|ano|ato|era|i|ino)|ordin(?:a|ano|ato|era|i|ino))"
    r"(?: (?:niente|nulla|a me|a noi|al mio (?:ultimo )?messaggio|alla mia (?:ultima )?(?:e-?mail|mail|lettera)))?"
)
_HAS: Final = r"(?:(?:mi|ci) )?(?:(?:ha|hanno|avra|avranno|abbia|abbiano) )?(?:(?:ancora|gia|mai) )?"
_SHOWN: Final = (
    r"si (?:(?:fa|fanno|fara|faranno|faccia|facciano)(?: (?:piu|ancora))? (?:sentire|viv[oaie])|"
    r"(?:e|sono|sara|sia|siano) (?:(?:ancora|piu|gia) )?fatt[oaie] (?:sentire|viv[oaie]))"
)
_RISPOSTA: Final = (
    r"(?:(?:una|la|sua|sue|nessuna|alcuna|un|suo) )*(?:risposta|riscontro|notizi[ae])(?: da (?:lei|lui|loro))?"
)
_FRATTEMPO: Final = r"(?: (?:ancora|prima|nel frattempo|intanto|entro allora|per allora|fino ad allora))*"
_ITALIAN: Final = (
    rf"(?:(?:se|a meno che)(?: lei| lui| loro| nel frattempo| intanto)? non "
    rf"(?:{_HAS}{_DONE}(?: (?:o|ne|oppure) (?:ha )?{_DONE})*|{_SHOWN})|"
    rf"se non (?:c'e|ci sono|arriva|arrivano|ricevo|riceviamo|ho(?: ricevuto| avuto)?|abbiamo(?: ricevuto| avuto)?) "
    rf"{_RISPOSTA}|(?:se nessuna|senza|salvo|in (?:assenza|mancanza) di) {_RISPOSTA}){_FRATTEMPO}"
)
_SILENT: Final = re.compile(rf",? ?\b(?:{_ENGLISH}|{_ITALIAN})(?![\w'])")


def without_silence(plain: str) -> str:
    """A phrase in small letters without accents, less "if she hasn't answered" and the like.

    Only what says that she is silent is taken out. "If she answers" stays, and makes the phrase unreadable: it asks for
    the opposite of what would be done.
    """
    return _SILENT.sub("", plain)
