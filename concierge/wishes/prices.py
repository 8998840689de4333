"""What a customer says she would pay at most, beside what the piece costs."""

from concierge.errors import BadInput

# A wish for less than this part of what the piece costs is a slip of the pen.
_LEAST = 10


class PriceTooLow(BadInput):
    """That is less than a tenth of what it costs: is a digit missing? Write it in full, or leave it out."""


def check_ceiling(ceiling_cents: int | None, price_cents: int) -> None:
    """Raise PriceTooLow for the most she would pay when the piece costs more than ten times as much."""
    if ceiling_cents and ceiling_cents * _LEAST < price_cents:
        raise PriceTooLow
