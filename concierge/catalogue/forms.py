"""The shape of what is asked of the catalogue, and of a count brought as a file."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from concierge.web.choices import SelectChoice

# What is wrong with a line of a file (`sheets.Fault`).
FAULT_WORDS = {
    "sku": _l("no SKU, or one that is too long"),
    "location": _l("the location’s name is too long"),
    "units": _l("not a whole number of units"),
    "ambiguous": _l("a thousand, or one with three decimals? Write it without a point or comma"),
    "as_of": _l("not a date and time such as 2026-05-12T09:30+02:00"),
    "twice": _l("this SKU stands there twice for one location"),
}
# What is wrong with a line of a file of products (`product_sheets.ProductFault`).
PRODUCT_FAULT_WORDS = {
    "code": _l("no code, or one that can’t be used: at most 40 characters, and no slash"),
    "sku": FAULT_WORDS["sku"],
    "price": _l("not a price such as 420 or 1,200.50"),
    "currency": _l("not a currency such as EUR"),
    "link": _l("not an address that begins with https://"),
    "long": _l("too long"),
    "differs": _l("an earlier line says something else of this product"),
    "twice": _l("an earlier line has this SKU"),
    "elsewhere": _l("another product has this SKU"),
    "incomplete": _l("this product is new: it needs a name and a price"),
}
STOCK_CHOICES = [
    SelectChoice("", _l("In stock or not")),
    SelectChoice("in", _l("In stock")),
    SelectChoice("out", _l("Sold out in a size")),
    SelectChoice("wished", _l("Wished for")),
    SelectChoice("coming", _l("On its way back")),
]


class ProductSearchForm(FlaskForm):  # type: ignore[misc]
    """Words, a kind, a designer, a season, and how it stands with the stock; comes by GET, so it carries no token."""

    class Meta:
        """A search changes nothing."""

        csrf = False

    q = StringField(_l("Search"), [Length(max=200)])
    category = SelectField(_l("Kind"), validate_choice=False)
    designer = SelectField(_l("Designer"), validate_choice=False)
    season = SelectField(_l("Season"), validate_choice=False)
    stock = SelectField(_l("Stock"), choices=STOCK_CHOICES, validate_choice=False)
    in_stock = BooleanField(_l("In stock only"))


class CountForm(FlaskForm):  # type: ignore[misc]
    """A CSV file with counts, and how it counts."""

    file = FileField(_l("CSV file"), [FileRequired(_l("Choose a file."))])
    location = StringField(_l("Where the units are, if the file doesn’t say"), [InputRequired(), Length(max=40)])
    is_complete = BooleanField(_l("It counts everything there: what it leaves out is sold out"))


class SafetyForm(FlaskForm):  # type: ignore[misc]
    """How many units are never offered."""

    units = IntegerField(_l("Never offered"), [InputRequired(), NumberRange(min=0, max=9999)])
