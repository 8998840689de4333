"""Saying where somebody stands in a queue, and why she was passed over, in the reader's language."""

from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.support import NullTranslations, Translations

from concierge.config import LANGUAGES
from concierge.wishes.waves import Standing


def N_(words: str) -> str:
    """Words to be translated where they are used."""
    return words


_ORDINALS = (
    N_("first"), N_("second"), N_("third"), N_("fourth"), N_("fifth"), N_("sixth"),
    N_("seventh"), N_("eighth"), N_("ninth"), N_("tenth"), N_("eleventh"), N_("twelfth"),
)  # fmt: skip
_NUMBERS = (
    N_("one"), N_("two"), N_("three"), N_("four"), N_("five"), N_("six"),
    N_("seven"), N_("eight"), N_("nine"), N_("ten"), N_("eleven"), N_("twelve"),
)  # fmt: skip
# Why somebody was left out though a unit was there: the values of `Wish.skipped_because`.
_REASONS = {
    "hard_bounce": N_("her address does not exist: a mail to it came back"),
    "complaint": N_("she reported one of our mails as unwanted"),
    "unsubscribed": N_("she asked not to receive mails"),
    "manual": N_("a colleague decided that her address is not to be mailed"),
    "no_consent": N_("she has not agreed to be told, or has taken it back"),
    "no_address": N_("we have no address to write to"),
    "over_ceiling": N_("it costs more than she wants to spend"),
    "needed_by_passed": N_("it is too late for the day she needs it"),
    "too_few_units": N_("fewer units were free than she wants"),
}


def explain(standing: Standing, language: str, *, zone: ZoneInfo | None = None, now: datetime | None = None) -> str:
    """Where she stands, in one sentence: "third of eleven: two VIP places before her, waiting since 3 May".

    The day is that of `zone` (UTC unless said); the year is left out when it is that of `now`.
    """
    _ = _translations(language).gettext
    since = standing.since.astimezone(zone) if zone else standing.since
    is_this_year = now is not None and now.year == since.year
    day = format_date(since.date(), "d MMMM" if is_this_year else "d MMMM y", locale=_locale(language))
    place = place_words(standing, language)
    waits = _("waiting since %(day)s") % {"day": day}
    if not standing.before_by_tier:
        return f"{place}: {waits}"
    return f"{place}: {_before(standing, language)}, {waits}"


def place_words(standing: Standing, language: str) -> str:
    """Her place alone: "third of eleven", all in words or all in figures."""
    in_words = ordinal if standing.of <= len(_NUMBERS) else _in_figures
    return _translations(language).gettext("%(ordinal)s of %(count)s") % {
        "ordinal": in_words(standing.place, language),
        "count": _number(standing.of, language),
    }


def _before(standing: Standing, language: str) -> str:
    """Who stands before her by a tier, called as the house calls it: "two VIP places before her"."""
    number, translations = standing.before_by_tier, _translations(language)
    count = _number(number, language)
    if not standing.tiers:
        words = translations.ngettext("%(num)s place before her by tier", "%(num)s places before her by tier", number)
        return words % {"num": count}
    names = [tier.upper() if tier.casefold() == "vip" else tier for tier in standing.tiers]
    tier = names[-1]
    if len(names) > 1:
        tier = translations.gettext("%(these)s or %(last)s") % {"these": ", ".join(names[:-1]), "last": tier}
    words = translations.ngettext("%(count)s %(tier)s place before her", "%(count)s %(tier)s places before her", number)
    return words % {"count": count, "tier": tier}


def skipped_words(reason: str, language: str) -> str:
    """Why she was left out though a unit was there; what is in no list (a provider's own words) as it is."""
    return _translations(language).gettext(_REASONS[reason]) if reason in _REASONS else reason


def ordinal(number: int, language: str) -> str:
    """ "first", "second" … as the reader says it; "no. 13" from there on."""
    is_a_word = 0 < number <= len(_ORDINALS)
    return _translations(language).gettext(_ORDINALS[number - 1]) if is_a_word else _in_figures(number, language)


def _in_figures(number: int, language: str) -> str:
    return _translations(language).gettext("no. %(number)s") % {"number": number}


def _number(number: int, language: str) -> str:
    return _translations(language).gettext(_NUMBERS[number - 1]) if 0 < number <= len(_NUMBERS) else str(number)


def _locale(language: str) -> str:
    return language if language in LANGUAGES else "en"


@cache
def _translations(language: str) -> NullTranslations:
    return Translations.load(Path(__file__).parent.parent / "translations", [_locale(language)])
