"""The shape of a new key of the API."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectMultipleField, StringField
from wtforms.validators import DataRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from concierge.web.choices import SelectChoice

SCOPE_WORDS = {
    "products": _l("Products"),
    "stock": _l("Stock and returns"),
    "orders": _l("Orders and holds"),
    "wishes": _l("Wishes"),
}


class _ChooseOne(DataRequired):
    """One of several boxes is enough; the browser's own "required" would ask for each of them."""

    def __init__(self) -> None:
        super().__init__(_l("Choose what it is good for."))
        self.field_flags = {}


class KeyForm(FlaskForm):  # type: ignore[misc]
    """Who will call, and what for."""

    name = StringField(_l("Name"), [DataRequired(_l("Say who will use it.")), Length(max=40)])
    scopes = SelectMultipleField(
        _l("Good for"),
        [_ChooseOne()],
        choices=[SelectChoice(*each) for each in SCOPE_WORDS.items()],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
