"""The shape of a follow-up as an editor plans it."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, IntegerField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from concierge.drafts.body import MAX_CHARACTERS


class FollowUpForm(FlaskForm):  # type: ignore[misc]
    """When, as people say it; what; whether it waits for a yes; the newest mail and the follow-up as she saw them, and
    what would have stopped it."""

    when = StringField(_l("When"), [Length(max=200)])
    subject = StringField(_l("Subject"), [Length(max=400)])
    text = TextAreaField(_l("What it says"), [Length(max=MAX_CHARACTERS)])
    template = IntegerField(_l("Template"), [Optional()])
    template_version = IntegerField(validators=[Optional()])
    needs_yes = BooleanField(_l("Ask me before it leaves"))
    seen = IntegerField(validators=[Optional()])
    version = HiddenField()
    stops = HiddenField()


class VerbForm(FlaskForm):  # type: ignore[misc]
    """A verb on a follow-up: what she had seen and knew, and where she stands."""

    seen = IntegerField(validators=[Optional()])
    version = HiddenField()
    stops = HiddenField()
    back = StringField()


class PromiseForm(FlaskForm):  # type: ignore[misc]
    """A sentence that was proposed: of which mail, and which of its promises."""

    message = IntegerField(validators=[Optional()])
    place = IntegerField(validators=[Optional()])
