"""The shape of a template as an editor writes it: a name, when to use it, and a subject and a body per language."""

from collections.abc import Mapping
from typing import Any

from babel import Locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from concierge.config import LANGUAGES
from concierge.templating.check import Fault
from concierge.templating.commands import Began, Wording
from concierge.templating.models import Template, TemplateVersion
from concierge.templating.two_windows import Words


class TemplateForm(FlaskForm):  # type: ignore[misc]
    """A template; `subject_en`, `body_en` … are there for each of the house's languages.

    `began_name`, `began_when_to_use` and `number_en` … say what the window began from.
    After `validate`, `faults` holds for each field what the checker found, with line and remedy.
    """

    name = StringField(_l("Name"), [DataRequired(_l("A template needs a name to be found by.")), Length(max=120)])
    when_to_use = StringField(_l("When to use it"), [Length(max=400)])

    began_name = HiddenField()
    began_when_to_use = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.faults: dict[str, list[Fault]] = {}

    def wording(self) -> dict[str, Wording]:
        """What was written, by language; languages left empty are there with nothing in them."""
        return {
            language: Wording(self[f"subject_{language}"].data or "", self[f"body_{language}"].data or "")
            for language in LANGUAGES
        }

    def began(self) -> Began:
        """What this window began from; what it does not say, it never saw."""
        numbers = {language: self[f"number_{language}"].data or "" for language in LANGUAGES}
        return Began(
            self.began_name.data or "",
            self.began_when_to_use.data or "",
            {language: int(said) for language, said in numbers.items() if said.isdecimal() and len(said) < _LONGEST},
        )

    def begin_from(self, template: Template) -> None:
        """From here on this window has seen what is kept of `template` now."""
        self.began_name.data, self.began_when_to_use.data = template.name, template.when_to_use
        for language in LANGUAGES:
            current = template.current(language)
            self[f"number_{language}"].data = str(current.number if current else 0)

    def lay(self, words: Mapping[str, Words]) -> None:
        """Put these words on the desk: the name, the occasion, a language's subject and letter."""
        for part, said in words.items():
            for name, text in zip(_FIELDS[part], said, strict=True):
                self[name].data = text

    def write_on_from(self, version: TemplateVersion) -> None:
        """Put an earlier version's words on the desk."""
        self.lay({version.language: (version.subject, version.body)})

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


_LONGEST = 10  # figures of a version's number
_FIELDS = {"name": ("name",), "when_to_use": ("when_to_use",)} | {
    each: (f"subject_{each}", f"body_{each}") for each in LANGUAGES
}
for _language in LANGUAGES:
    _called = str(Locale(_language).get_display_name(_language)).capitalize()
    setattr(TemplateForm, f"subject_{_language}", StringField(_l("Subject in %(language)s", language=_called)))
    setattr(TemplateForm, f"body_{_language}", TextAreaField(_l("Letter in %(language)s", language=_called)))
    setattr(TemplateForm, f"number_{_language}", HiddenField())
