"""Whether a mail asks to be told of a piece: the sentence in which she does. It only proposes; the editor decides."""

import re
from typing import Final

from concierge.wishes.kinds import folded

LONGEST: Final = 600
_SENTENCE: Final = re.compile(r"[^.!?\n]+(?:[.!?]+(?=\s|$)|\n|$)")
# "Tell me when", "fatemi sapere": what is wished for comes later.
_TELL: Final = re.compile(
    r"\b(?:let me know|tell me|write to me|drop me a line|send me (?:a|an) (?:line|word|mail|email|"
    r"e-mail|message)|notify me|alert me|"
    r"inform me|keep me (?:posted|informed|updated)|get in touch|give me a shout|remind me|"
    r"(?:mi faccia|fatemi|fammi|mi fate|mi facciate|mi faccia|mi farebbe|mi fareste) sapere|"
    r"(?:mi )?avvis\w*|"
    r"avver(?:ti|te)\w*|(?:mi )?(?:scriva|scrivete|scrivetemi|scrivimi)|mi (?:informi|informate)|"
    r"tenetemi (?:informata|aggiornata)|"
    r"mi tenga (?:informata|aggiornata))\b"
)
# Of a piece that is not there, or may come: what such a word must stand beside.
_LATER: Final = re.compile(
    r"\b(?:if|when|whenever|should|once|as soon as|in case|se|quando|qualora|appena|non appena|nel caso)\b"
)
_BACK: Final = re.compile(
    r"\b(?:back|return\w*|restock\w*|again|available|in stock|turns? up|turned up|comes? (?:in|up)|"
    r"came (?:in|up)|arriv\w*|find one|found|"
    r"another (?:one|pair)|one more|a pair|have (?:it|them|one)|torna\w*|ritorna\w*|arriva\w*|"
    r"disponibil\w*|di nuovo|rientr\w*|"
    r"ricompa\w*|salta fuori|un altro paio|un paio|ne ave(?:te|ste)|lo trova\w*|li trova\w*)\b"
)
# She wants it, whatever becomes of it.
_WANTS: Final = re.compile(
    r"\b(?:put (?:me|my name) (?:down|on)|(?:add|put) me (?:to|on) (?:the|your|a) (?:waiting )?list|"
    r"waiting list|wait ?list|"
    r"keep (?:one|a pair|it|them) for me|(?:keep|set|put) (?:one|a pair|it|them) aside|reserve|any chance|any hope|"
    r"i(?:'d| would) (?:so |really |very much |still |even |happily |gladly )*(?:love|like|take|want|"
    r"buy)\b|i(?:'ll| will) (?:take|wait|buy)|"
    r"i (?:really |so |very much |still )*(?:want|wish for|dream of)|i am (?:looking|hoping) for|"
    r"i'm (?:looking|hoping) for|"
    r"lista d'attesa|mett(?:a|ete|imi|etemi|ermi)\w* (?:in|nella|sulla) (?:lista|attesa)|(?:tener|"
    r"metter|tenete|mettete)\w* da parte|"
    r"riserv\w*|(?:lo|la|li|le|ne) (?:prenderei|comprerei|vorrei)|vorrei|mi piacerebbe|desidero|"
    r"desidererei|sarei (?:felice|interessata)|"
    r"c'e (?:qualche |una )?(?:speranza|possibilita)|aspetto volentieri|aspetterei)\b"
)
# Asking for something else: an invoice, a reply, a parcel.
_OTHER: Final = re.compile(
    r"\b(?:invoice|refund|parcel|tracking|shipment|shipped|delivery|delivered|address|password|receipt|"
    r"bill|appointment|unsubscribe|"
    r"fattura|rimborso|pacco|spedizion\w*|spedit\w*|consegna\w*|indirizzo|ricevuta|scontrino|"
    r"appuntamento|cancellatemi)\b"
)
_REFUSES: Final = re.compile(
    r"\b(?:no longer|not any ?more|don't (?:want|need|wish|write|tell|let)|do not (?:want|need|wish|"
    r"write|tell|let)|no need|never mind|"
    r"changed my mind|please don't|found (?:it|them|one|a pair) elsewhere|already (?:bought|have|found)|"
    r"non (?:mi )?(?:interessa|interessano|serve|servono|voglio|lo voglio|li voglio|scriv\w*|avvis\w*|"
    r"occorre)|non (?:e|sono) piu|"
    r"ho cambiato idea|lasci\w* (?:stare|perdere)|gia (?:comprat\w*|trovat\w*|pres\w*)|trovat[oaie] altrove)\b"
)


def asking_sentence(text: str) -> str:
    """The sentence in which she asks for a piece or to be told of it, as she wrote it; "" where none does."""
    best, follows_other = "", False
    for found in _SENTENCE.finditer(text[:8_000]):
        said, plain = found[0].strip(), folded(found[0])
        if _REFUSES.search(plain) or _OTHER.search(plain):
            follows_other = True
            continue
        if follows_other and _TELL.search(plain):  # "Where is my parcel? Tell me when it arrives."
            follows_other = False
            continue
        follows_other = follows_other and not said
        if _TELL.search(plain) and (_LATER.search(plain) or _BACK.search(plain)):
            return said[:LONGEST]
        if not best and _WANTS.search(plain):
            best = said[:LONGEST]
    return best
