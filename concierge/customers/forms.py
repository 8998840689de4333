"""The shape of what editors write down about a customer."""

from babel import Locale
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import EmailField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from concierge.config import LANGUAGES
from concierge.customers.models import BIRTHDAY, Customer
from concierge.web.choices import SelectChoice

LANGUAGE_CHOICES = [SelectChoice(code, str(Locale(code).get_display_name(code)).capitalize()) for code in LANGUAGES]
# kind → the systems it is told in
SIZE_KINDS = {"shoes": ["EU", "IT", "FR", "UK", "US"], "dress": ["IT", "FR", "DE", "UK", "US"]}


class CustomerForm(FlaskForm):  # type: ignore[misc]
    """Who she is."""

    name = StringField(_l("Name"), [Length(max=200)])
    first_name = StringField(_l("How we address her"), [Length(max=100)])
    language = SelectField(_l("Language of our letters"), choices=LANGUAGE_CHOICES)
    shoes = StringField(_l("Shoes"), [Length(max=20)])
    shoes_system = SelectField(_l("Shoe sizes in"), choices=[SelectChoice(each) for each in SIZE_KINDS["shoes"]])
    dress = StringField(_l("Dresses"), [Length(max=20)])
    dress_system = SelectField(_l("Dress sizes in"), choices=[SelectChoice(each) for each in SIZE_KINDS["dress"]])
    notes = TextAreaField(_l("Notes"), [Length(max=10_000)])

    def fill(self, customer: Customer) -> None:
        """Show what is known."""
        self.process(obj=customer)
        for each in customer.sizes:
            if each.kind in SIZE_KINDS:
                self[each.kind].data = each.value
                self[f"{each.kind}_system"].data = each.system or SIZE_KINDS[each.kind][0]

    def sizes(self, customer: Customer) -> dict[str, tuple[str, str]]:
        """Her sizes as written; kinds this form does not show stay as they are."""
        others = {each.kind: (each.system, each.value) for each in customer.sizes if each.kind not in SIZE_KINDS}
        written = {kind: (self[f"{kind}_system"].data, (self[kind].data or "").strip()) for kind in SIZE_KINDS}
        return others | written


class DateForm(FlaskForm):  # type: ignore[misc]
    """A day of every year that matters to her."""

    kind = StringField(_l("What for"), [Length(max=40)], default=BIRTHDAY)
    day = IntegerField(_l("Day"), [InputRequired(_l("Say which day."))])
    month = IntegerField(_l("Month"), [InputRequired(_l("Say which month."))])


class AgreedForm(FlaskForm):  # type: ignore[misc]
    """The words with which she agreed to letters that leave by themselves."""

    words = TextAreaField(_l("Her words, and where she said them"), [Length(max=2000)])


class NotesForm(FlaskForm):  # type: ignore[misc]
    """What colleagues should know of her."""

    notes = TextAreaField(_l("Notes"), [Length(max=10_000)])


class AddressForm(FlaskForm):  # type: ignore[misc]
    """Another address of hers."""

    address = EmailField(_l("Address"), [Length(max=320)])
