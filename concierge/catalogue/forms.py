"""The shape of what is asked of the catalogue."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import Length


class ProductSearchForm(FlaskForm):  # type: ignore[misc]
    """Words, a kind, and whether only what is in stock is wanted; comes by GET, so it carries no token."""

    class Meta:
        """A search changes nothing."""

        csrf = False

    q = StringField(_l("Search"), [Length(max=200)])
    category = SelectField(_l("Kind"), validate_choice=False)
    in_stock = BooleanField(_l("In stock only"))
