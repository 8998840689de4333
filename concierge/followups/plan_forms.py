"""The shape of a plan as an admin writes it, its steps in rows; a row more or less needs no script."""

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from concierge.customers.courtesy import Late
from concierge.customers.models import BIRTHDAY
from concierge.followups.plan_commands import PlanAsWritten, StepAsWritten
from concierge.followups.plan_models import Plan
from concierge.followups.plan_words import day_names, late_words, start_words, stops_words
from concierge.followups.plans import Start, StopsAlso
from concierge.followups.schedule import Window
from concierge.web.choices import SelectChoice

MOST_STEPS = 12


class _Boxes(SelectMultipleField):
    """Several to tick; none is fine."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class StepForm(Form):
    """One step."""

    number = HiddenField()
    wait_days = IntegerField(_l("Days of waiting"), [InputRequired(_l("Say how many days.")), NumberRange(0, 365)])
    template_id = SelectField(_l("Template"), [DataRequired(_l("Choose a template."))], coerce=int)
    from_hour = IntegerField(_l("From hour"), [InputRequired(_l("Say an hour.")), NumberRange(0, 23)])
    until_hour = IntegerField(_l("Until hour"), [InputRequired(_l("Say an hour.")), NumberRange(1, 24)])
    weekdays = _Boxes(_l("On"), [DataRequired(_l("Choose a day of the week at least."))], coerce=int)
    needs_yes = BooleanField(_l("Waits for its editor’s yes"))
    when_late = SelectField(_l("If it is late"))

    def validate_until_hour(self, field: IntegerField) -> None:
        """A window has to open."""
        if field.data is not None and self.from_hour.data is not None and field.data <= self.from_hour.data:
            raise ValidationError(_l("It has to be later than the first hour."))

    def written(self) -> StepAsWritten:
        """The step, once it is valid."""
        number = str(self.number.data or "")
        return StepAsWritten(
            template_id=self.template_id.data,
            wait_days=self.wait_days.data or 0,
            window=Window(self.from_hour.data or 0, self.until_hour.data or 0, frozenset(self.weekdays.data or ())),
            needs_yes=bool(self.needs_yes.data),
            when_late=Late(self.when_late.data),
            id=int(number) if number.isdecimal() else None,
        )


class PlanForm(FlaskForm):  # type: ignore[misc]
    """A plan and its steps."""

    # what it was like when the form was opened
    version = HiddenField()
    name = StringField(_l("Name"), [DataRequired(_l("Give it a name.")), Length(max=80)])
    start = SelectField(_l("It begins when"))
    days = IntegerField(_l("Days"), [Optional(), NumberRange(0, 365)], default=3)
    template_id = SelectField(_l("Only after answers made from"), coerce=int)
    date_kind = StringField(_l("Which date"), [Length(max=40)], default=BIRTHDAY)
    needs_consent = BooleanField(_l("What goes by itself goes only to those who agreed to such letters"))
    stops_also = _Boxes(_l("It also stops when"))
    steps = FieldList(FormField(StepForm), min_entries=1, max_entries=MOST_STEPS)

    def offer(self, templates: list[tuple[int, str]]) -> None:
        """What there is to choose from: templates as number and name."""
        self.start.choices = [SelectChoice(each.value, start_words(each)) for each in Start]
        every = [SelectChoice(*each) for each in templates]
        self.template_id.choices = [SelectChoice(0, _l("any template, or none")), *every]
        self.stops_also.choices = [SelectChoice(each.value, stops_words(each)) for each in StopsAlso]
        for row in self.steps:
            row.form.template_id.choices = [SelectChoice(0, _l("Choose a template")), *every]
            row.form.weekdays.choices = [SelectChoice(number, name) for number, name in enumerate(day_names())]
            row.form.when_late.choices = [SelectChoice(each.value, late_words(each)) for each in Late]

    def add_row(self) -> None:
        """A step more, as one usually is."""
        if len(self.steps) < MOST_STEPS:
            self.steps.append_entry(NEW_STEP)

    def remove_row(self, place: int) -> None:
        """A step less; the last one stays."""
        rows = [row.form.data for row in self.steps]
        if len(rows) > 1 and 0 <= place < len(rows):
            del rows[place]
            self._lay_out(rows)

    def raise_row(self, place: int) -> None:
        """A step before the one it followed; the first stays."""
        rows = [row.form.data for row in self.steps]
        if 0 < place < len(rows):
            rows[place - 1], rows[place] = rows[place], rows[place - 1]
            self._lay_out(rows)

    def _lay_out(self, rows: list[dict[str, Any]]) -> None:
        while len(self.steps):
            self.steps.pop_entry()
        self.steps.last_index = -1
        for each in rows:
            self.steps.append_entry(each)

    def written(self) -> PlanAsWritten:
        """The plan, once it is valid."""
        return PlanAsWritten(
            name=" ".join((self.name.data or "").split()),
            start=Start(self.start.data),
            steps=[row.form.written() for row in self.steps],
            days=self.days.data or 0,
            template_id=self.template_id.data or None,
            date_kind=" ".join((self.date_kind.data or "").split()).casefold() or BIRTHDAY,
            needs_consent=bool(self.needs_consent.data),
            stops_also=frozenset(StopsAlso(each) for each in self.stops_also.data or ()),
        )


NEW_STEP = {
    "number": "", "template_id": 0, "wait_days": 3, "from_hour": 9, "until_hour": 20,
    "weekdays": list(range(7)), "needs_yes": False, "when_late": Late.ASKED.value,
}  # fmt: skip


def values_of(plan: Plan | None) -> dict[str, object]:
    """What the form shows at first: a plan as it stands, or a new one with a step."""
    if plan is None:
        return {"steps": [NEW_STEP]}
    steps = [
        {
            "number": str(each.id), "wait_days": each.wait_days, "template_id": each.template_id,
            "from_hour": each.from_hour, "until_hour": each.until_hour, "weekdays": [int(day) for day in each.weekdays],
            "needs_yes": each.needs_yes, "when_late": each.when_late.value,
        }
        for each in plan.steps
    ]  # fmt: skip
    return {
        "version": plan.version,
        "name": plan.name, "start": plan.start.value, "days": plan.days, "template_id": plan.template_id or 0,
        "date_kind": plan.date_kind or BIRTHDAY, "needs_consent": plan.needs_consent, "stops_also": plan.stops_also,
        "steps": steps,
    }  # fmt: skip
