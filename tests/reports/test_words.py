"""Why her, and what became of it: as a merchandiser reads it."""

from dataclasses import fields, replace
from datetime import UTC, datetime

from flask import Flask

from concierge.reports import words
from concierge.reports.restocks import OfferRow
from concierge.wishes.offer_models import OfferState

AUGUST = datetime(2026, 8, 26, 22, 19, tzinfo=UTC)  # 27 August, 00:19 in the house


def test_the_day_she_waits_since_is_the_houses_and_only_what_is_held_is_called_so(app: Flask) -> None:
    row = OfferRow(
        **dict.fromkeys(each.name for each in fields(OfferRow))  # type: ignore[arg-type]
        | {"place": 1, "of": 1, "before_by_tier": 0, "since": AUGUST, "made_at": AUGUST, "left_at": AUGUST}
        | {"state": OfferState.OPEN, "holds": True, "says_held": True}
    )
    with app.test_request_context():
        assert words.why(row, "en") == "first of one: waiting since 27 August"
        assert words.became(row) == "held for her"
        assert words.became(replace(row, says_held=False)) == "told with others; one is set aside for now"
        assert words.became(replace(row, holds=False, says_held=False)) == "told of it, without a unit set aside"
        assert words.became(replace(row, left_at=None)) == "not sent yet"
