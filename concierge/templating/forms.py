"""The shape of a template as an editor writes it: a name, when to use it, and a subject and a body per language."""

from typing import Any

from babel import Locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from concierge.config import LANGUAGES
from concierge.templating.check import Fault
from concierge.templating.commands import Wording


class TemplateForm(FlaskForm):  # type: ignore[misc]
    """A template; `subject_en`, `body_en` … are there for each of the house's languages.

    After `validate`, `faults` holds for each field what the checker found, with line and remedy.
    """

    name = StringField(_l("Name"), [DataRequired(_l("A template needs a name to be found by.")), Length(max=120)])
    when_to_use = StringField(_l("When to use it"), [Length(max=400)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.faults: dict[str, list[Fault]] = {}

    def wording(self) -> dict[str, Wording]:
        """What was written, by language; languages left empty are there with nothing in them."""
        return {
            language: Wording(self[f"subject_{language}"].data or "", self[f"body_{language}"].data or "")
            for language in LANGUAGES
        }

    def validate(self, extra_validators: Any = None) -> bool:
        """Whether it may be saved: the fields are in shape and no wording could leave a hole."""
        shaped = bool(super().validate(extra_validators))
        self.check_wording()
        wording = self.wording()
        if all(words.is_empty for words in wording.values()):
            first = self[f"body_{LANGUAGES[0]}"]
            first.errors = [*first.errors, _("Write the words in at least one language.")]
            return False
        return shaped and not any(self.faults.values())

    def check_wording(self) -> None:
        """Fill `faults` for every language in which something was written."""
        for language, words in self.wording().items():
            if not words.is_empty:
                self.faults[f"subject_{language}"], self.faults[f"body_{language}"] = words.faults()


for _language in LANGUAGES:
    _called = str(Locale(_language).get_display_name(_language)).capitalize()
    setattr(TemplateForm, f"subject_{_language}", StringField(_l("Subject in %(language)s", language=_called)))
    setattr(TemplateForm, f"body_{_language}", TextAreaField(_l("Letter in %(language)s", language=_called)))
