"""What the pages call ages, endings and states, and why somebody's turn came."""

from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from concierge.catalogue.stock_models import ReturnState
from concierge.extensions import house_config
from concierge.reports.restocks import OfferRow
from concierge.wishes.offer_models import OfferEnding, OfferState, Rule
from concierge.wishes.simulation import Manner
from concierge.wishes.waves import Standing
from concierge.wishes.wording import ENDINGS, STATES
from concierge.wishes.words import explain

__all__ = ["AGES", "ENDINGS", "MANNERS", "RETURNS", "RULES", "STATES", "became", "why"]

AGES: Final[tuple[LazyString, ...]] = (
    _l("up to a week"),
    _l("up to a month"),
    _l("up to three months"),
    _l("up to six months"),
    _l("older"),
)

_OFFER_ENDINGS: Final[dict[OfferEnding, LazyString]] = {
    OfferEnding.BOUGHT: _l("bought"),
    OfferEnding.BOUGHT_ELSEWHERE: _l("bought in another way"),
    OfferEnding.PASSED: _l("passed"),
    OfferEnding.NOT_NOW: _l("not now"),
    OfferEnding.LAPSED: _l("lapsed"),
    OfferEnding.BOUNCED: _l("our mail bounced"),
    OfferEnding.WITHDRAWN: _l("withdrawn"),
    OfferEnding.UNITS_GONE: _l("the unit was gone"),
}

RETURNS: Final[dict[ReturnState, LazyString]] = {
    ReturnState.ANNOUNCED: _l("announced"),
    ReturnState.IN_TRANSIT: _l("in transit"),
    ReturnState.INSPECTED: _l("inspected"),
    ReturnState.FAILED: _l("failed"),
}

RULES: Final[dict[Rule, LazyString]] = {
    Rule.ONE_PER_UNIT: _l("One offer for each unit"),
    Rule.BOUNDED: _l("As many offers as the risk allows"),
}

MANNERS: Final[dict[Manner, LazyString]] = {
    Manner.ONE_PER_UNIT: RULES[Rule.ONE_PER_UNIT],
    Manner.BOUNDED: RULES[Rule.BOUNDED],
    Manner.EVERYONE: _l("Everybody at once"),
    Manner.HOURLY: _l("One mail a unit each hour, nothing held"),
}


def became(offer: OfferRow) -> str:
    """What became of an offer so far."""
    if offer.ended_because is not None:
        return str(_OFFER_ENDINGS[offer.ended_because])
    if offer.state is OfferState.TAKEN:
        return str(_("taken, not bought yet"))
    if offer.left_at is None:
        return str(_("not sent yet"))
    if not offer.holds:
        return str(_("told of it, without a unit set aside"))
    return str(_("held for her")) if offer.says_held else str(_("told with others; one is set aside for now"))


def why(offer: OfferRow, language: str) -> str:
    """Why it was her turn: where she stood then, whether her tier put her there, or why a colleague did."""
    standing = Standing(offer.place, offer.of, offer.before_by_tier, offer.since, offer.tiers)
    sentence = explain(standing, language, zone=house_config().policy.zone, now=offer.made_at)
    if offer.moved_because:
        return str(_("%(standing)s; moved by hand: “%(reason)s”", standing=sentence, reason=offer.moved_because))
    if offer.by_tier:
        return str(_("%(standing)s; there by her tier", standing=sentence))
    return sentence
