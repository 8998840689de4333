"""How what the house keeps of a customer is called."""

from flask_babel import gettext as _

from concierge.customers.models import BIRTHDAY


def date_words(kind: str) -> str:
    """What a date of hers is called."""
    return str(_("birthday")) if kind == BIRTHDAY else kind
