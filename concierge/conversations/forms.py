"""The shape of what an editor says with a verb."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import EmailField, IntegerField, StringField, TextAreaField
from wtforms.validators import Length


class AssignForm(FlaskForm):  # type: ignore[misc]
    """Whose it becomes; empty is hers who asks."""

    editor = IntegerField(_l("Who answers"))


class SnoozeForm(FlaskForm):  # type: ignore[misc]
    """Until when: a moment by name, or a date and an hour in her own time."""

    preset = StringField(_l("Until"))
    until = StringField(_l("Another moment"))


class NoteForm(FlaskForm):  # type: ignore[misc]
    """An internal remark."""

    text = TextAreaField(_l("For colleagues only"), [Length(max=20_000)])


class TagForm(FlaskForm):  # type: ignore[misc]
    """A tag by its name."""

    tag = StringField(_l("Tag"), [Length(max=60)])


class OtherForm(FlaskForm):  # type: ignore[misc]
    """Another conversation, by its number."""

    other = IntegerField(_l("Conversation"))


class JoinForm(FlaskForm):  # type: ignore[misc]
    """Another customer, by an address of hers; or by number, where she was proposed."""

    address = EmailField(_l("Address"), [Length(max=320)])
    other = IntegerField(_l("Customer"))
