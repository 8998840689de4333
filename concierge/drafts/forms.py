"""The shape of what the composer posts."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField, MultipleFileField, SelectMultipleField, StringField
from wtforms.validators import Length, Optional

from concierge.drafts.gate import WARNINGS
from concierge.web.choices import SelectChoice


class AnswerForm(FlaskForm):  # type: ignore[misc]
    """An answer being written. `body_html` comes from the rich editor, `body_text` from the plain area; one of them."""

    body_text = StringField(_l("Your answer"))
    body_html = StringField()
    subject = StringField(_l("Subject"), [Length(max=2000)])
    version = IntegerField(default=0, validators=[Optional()])
    seen_message_id = IntegerField(validators=[Optional()])
    overridden = SelectMultipleField(
        choices=[SelectChoice(each.value) for each in sorted(WARNINGS)], validate_choice=False
    )
    when = StringField()
    at = StringField(_l("Another moment"))
    # when it is to leave as a follow-up
    phrase = StringField()
    template_id = IntegerField(validators=[Optional()])
    sku = StringField(validators=[Length(max=60)])
    alternative = StringField(validators=[Length(max=60)])
    attachment_id = IntegerField(validators=[Optional()])
    files = MultipleFileField(_l("Attach files"))
    within = HiddenField()

    @property
    def has_body(self) -> bool:
        """Whether any text came with it at all (an empty one counts)."""
        return bool(self.body_html.raw_data or self.body_text.raw_data)

    @property
    def waved_through(self) -> frozenset[str]:
        """The warnings she has read and sends all the same."""
        return frozenset(self.overridden.data or ()) & {each.value for each in WARNINGS}
