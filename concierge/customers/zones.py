"""In which time zone somebody lives: hers, else what her mails and her country say, else the house's."""

from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from concierge.customers.offsets import Sighting, read_zone

# Where a country has several zones: those most of its people live in. (The table below lists them from east to west.)
_MOST_PEOPLE = {
    "AQ": "Pacific/Auckland",
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney Australia/Brisbane Australia/Perth Australia/Adelaide",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto America/Vancouver America/Edmonton",
    "CD": "Africa/Kinshasa",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "FM": "Pacific/Pohnpei",
    "GL": "America/Nuuk",
    "ID": "Asia/Jakarta",
    "KI": "Pacific/Tarawa",
    "KZ": "Asia/Almaty",
    "MN": "Asia/Ulaanbaatar",
    "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PF": "Pacific/Tahiti",
    "PG": "Pacific/Port_Moresby",
    "PS": "Asia/Gaza",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
    "US": "America/New_York America/Los_Angeles America/Chicago America/Denver",
    "UZ": "Asia/Tashkent",
}


# Whose countries speak a language, those most likely to write to a fashion house first.
_SPEAK = {
    "ar": "AE SA QA KW EG",
    "da": "DK",
    "de": "DE AT CH LI",
    "el": "GR CY",
    "en": "GB IE US CA AU NZ SG HK ZA IN",
    "es": "ES MX AR CO CL PE",
    "fi": "FI",
    "fr": "FR BE CH LU MC CA",
    "he": "IL",
    "it": "IT CH SM",
    "ja": "JP",
    "ko": "KR",
    "nb": "NO",
    "nl": "NL BE",
    "no": "NO",
    "pl": "PL",
    "pt": "PT BR",
    "ru": "RU",
    "sv": "SE FI",
    "tr": "TR",
    "uk": "UA",
    "zh": "CN HK TW SG",
}
# Of all others that a clock could belong to, where most people who buy such things live.
_ELSEWHERE = (
    "IT FR DE ES CH AT NL BE GB IE PT US CA MX BR AR JP KR CN HK TW SG TH ID AE SA QA TR GR RO FI PL SE NO DK CZ HU "
    "AU NZ ZA IL EG IN PK KZ RU CL CO PE VN PH MY"
)


class Whence(StrEnum):
    """Where a zone comes from; all but the first are guesses."""

    HERS = "hers"  # her profile
    MAILS = "mails"  # the dates of her mails
    COUNTRY = "country"
    HOUSE = "house"


def zone_of(timezone: str, country: str, house: ZoneInfo) -> ZoneInfo:
    """The zone named, else the country's (ISO 3166), else the house's; a name nobody knows counts as none."""
    return known_zone(timezone) or known_zone(_by_country().get(country.upper(), "")) or house


def whence(timezone: str, mail_zone: str, country: str) -> Whence:
    """Where the zone comes from that `zone_of` finds for the first of `timezone` and `mail_zone` that is there."""
    if known_zone(timezone):
        return Whence.HERS
    if not timezone and known_zone(mail_zone):
        return Whence.MAILS
    return Whence.COUNTRY if country.upper() in _by_country() else Whence.HOUSE


def guess_from_mails(seen: Sequence[Sighting], *, country: str, language: str) -> str:
    """Which zone the dates of her mails speak for, "" for none.

    They tell zones of her country apart where it has several; where we know no country, zones of those that speak her
    language come first. A country with one zone, or one that they do not fit, is believed before them.
    """
    return read_zone(seen, candidates(country.upper(), language))


@cache
def candidates(country: str, language: str) -> tuple[str, ...]:
    """The zones that somebody may live in, the likeliest first."""
    if country in _by_country():
        zones = tuple(zones_in(country))
        return zones if len(zones) > 1 else ()
    main, spoken = _by_country(), _SPEAK.get(language.partition("-")[0], "").split()
    likely = [zone for each in spoken for zone in zones_in(each)]
    return tuple(
        dict.fromkeys((*(main[each] for each in spoken), *likely, *(main[each] for each in _ELSEWHERE.split())))
    )


def zones_in(country: str) -> list[str]:
    """The zones of a country (ISO 3166), those most of its people live in first; none of one nobody knows."""
    code = country.upper()
    return list(
        dict.fromkeys((*_MOST_PEOPLE.get(code, "").split(), *(zone for each, zone in _table() if each == code)))
    )


def countries() -> list[str]:
    """Every country that has a zone, by its code."""
    return sorted(_by_country())


def every_zone() -> list[str]:
    """Every zone that somebody lives in, by name."""
    return sorted({zone for _, zone in _table()})


@cache
def known_zone(name: str) -> ZoneInfo | None:
    """The zone of that name (IANA); None for a name nobody knows."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@cache
def _by_country() -> dict[str, str]:
    """Each country's main zone."""
    return dict(reversed(_table())) | {country: zones.split()[0] for country, zones in _MOST_PEOPLE.items()}


@cache
def _table() -> tuple[tuple[str, str], ...]:
    """Country and zone, from the table that comes with the time zone data."""
    lines = files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return tuple((country, zone) for country, _, zone, *_ in rows)
