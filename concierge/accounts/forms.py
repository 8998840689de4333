"""The shape of what staff type about themselves, their colleagues and the mailboxes."""

from typing import Any

from babel import Locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import BooleanField, DateField, EmailField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, ValidationError

from concierge.accounts.hours import read_hours
from concierge.accounts.models import Role
from concierge.addresses import is_address
from concierge.config import LANGUAGES
from concierge.iana import zone_names
from concierge.web.choices import SelectChoice

LANGUAGE_CHOICES = [SelectChoice(code, str(Locale(code).get_display_name(code)).capitalize()) for code in LANGUAGES]
ROLE_CHOICES = [
    SelectChoice(Role.EDITOR.value, _l("Editor: answers customers")),
    SelectChoice(Role.MERCHANDISER.value, _l("Merchandiser: reads, and looks after products")),
    SelectChoice(Role.ADMIN.value, _l("Admin: everything, and the staff")),
]
WEEKDAYS = (_l("Monday"), _l("Tuesday"), _l("Wednesday"), _l("Thursday"), _l("Friday"), _l("Saturday"), _l("Sunday"))


def _hours(form: FlaskForm, field: StringField) -> None:
    if read_hours(field.data or "") is None:
        raise ValidationError(_("Write hours like 09:00-13:00, 14:00-18:00, in order, or leave the day empty."))


def _address(form: FlaskForm, field: StringField) -> None:
    if not is_address((field.data or "").strip()):
        raise ValidationError(_("Write one plain address, such as care@maison.example."))


class ProfileForm(FlaskForm):  # type: ignore[misc]
    """One's own name, words, languages and hours."""

    name = StringField(_l("Name"), [DataRequired(_l("Customers need your name.")), Length(max=120)])
    title = StringField(
        _l("Title"), [Length(max=120)], description=_l("It stands under your name, for instance Fashion Editor.")
    )
    language = SelectField(_l("Language of these pages"), choices=LANGUAGE_CHOICES)
    timezone = SelectField(
        _l("Time zone"), choices=[SelectChoice(zone, zone.replace("_", " ")) for zone in sorted(zone_names())]
    )
    photo = FileField(_l("Photo"), description=_l("Customers see it under your letters. JPEG, PNG or WebP."))

    def working_hours(self) -> dict[str, Any]:
        """The spans of each weekday, free days left out."""
        days = {str(day): read_hours(self[f"hours_{day}"].data or "") for day in range(7)}
        return {day: spans for day, spans in days.items() if spans}

    def sign_offs(self) -> dict[str, str]:
        """Language → text."""
        return {language: self[f"sign_off_{language}"].data or "" for language in LANGUAGES}


for _language, _name, *_more in LANGUAGE_CHOICES:
    setattr(ProfileForm, f"sign_off_{_language}", TextAreaField(_name, [Length(max=400)]))
for _day, _weekday in enumerate(WEEKDAYS):
    setattr(ProfileForm, f"hours_{_day}", StringField(_weekday, [_hours]))


class AbsenceForm(FlaskForm):  # type: ignore[misc]
    """Days on which an editor is away, and who writes for her meanwhile."""

    first_day = DateField(_l("First day away"), [DataRequired(_l("Write a day of the calendar, like 2026-08-17."))])
    last_day = DateField(_l("Last day away"), [DataRequired(_l("Write a day of the calendar, like 2026-08-17."))])
    stand_in = SelectField(_l("Who writes meanwhile"), coerce=int, default=0)


class ColleagueForm(FlaskForm):  # type: ignore[misc]
    """A new colleague."""

    name = StringField(_l("Name"), [DataRequired(_l("Customers need her name.")), Length(max=120)])
    email = EmailField(_l("E-mail"), [DataRequired(_l("She signs in with it.")), _address])
    title = StringField(_l("Title"), [Length(max=120)])
    role = SelectField(_l("Role"), choices=ROLE_CHOICES)
    language = SelectField(_l("Language of her pages"), choices=LANGUAGE_CHOICES)


class RoleForm(FlaskForm):  # type: ignore[misc]
    """Another role for a colleague."""

    role = SelectField(_l("Role"), choices=ROLE_CHOICES)


class MailboxForm(FlaskForm):  # type: ignore[misc]
    """A mailbox of the house."""

    address = EmailField(_l("Address"), [DataRequired(_l("Customers write to it.")), _address])
    brand = StringField(_l("House name"), [DataRequired(_l("It stands beside the editor's name.")), Length(max=120)])
    language = SelectField(_l("Language when we can't tell hers"), choices=LANGUAGE_CHOICES)
    active = BooleanField(_l("Open: mail to it is taken in"), default=True)
