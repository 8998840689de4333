"""The shape of the merchandiser's input: what to show on the board, and a wave policy with the replay beside it."""

import hashlib
import re
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import FloatField, Form, HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, ValidationError

from concierge.reports import chances
from concierge.reports.board import BoardFilter, Order
from concierge.reports.replaying import MOST_UNITS, MOST_WAITING
from concierge.reports.words import AGES, RULES
from concierge.web.choices import SelectChoice
from concierge.wishes.offer_models import Rule, WavePolicy

_LINE: Final = re.compile(r"\s*(?P<tier>[^:=\s][^:=]{0,18}[^:=\s]|[^:=\s])\s*[:=]\s*(?P<days>\d{1,4}(?:[.,]\d+)?)\s*")
_NEEDED: Final = _l("Write a number here.")


class BoardForm(Form):
    """What to show on the board; anything unreadable shows everything."""

    q = StringField(_l("Search"), [Length(max=200)])
    category = SelectField(_l("Kind"), validate_choice=False)
    age = SelectField(
        _l("Age of the wish"),
        choices=[SelectChoice("", _l("Any age")), *(SelectChoice(str(n), each) for n, each in enumerate(AGES))],
    )
    order = SelectField(
        _l("Order"),
        choices=[
            SelectChoice(Order.VALUE, _l("Most valuable first")),
            SelectChoice(Order.PEOPLE, _l("Most wished for first")),
            SelectChoice(Order.OLDEST, _l("Longest waiting first")),
        ],
    )

    def filter(self) -> BoardFilter:
        """What it asks for."""
        return BoardFilter(
            text=(self.q.data or "")[:200],
            category=self.category.data or "",
            age=read_age(self.age.data),
            order=Order(self.order.data) if self.order.data in set(Order) else Order.VALUE,
        )


def read_age(text: str | None) -> int | None:
    """One of the ages; None for all, or for what is none."""
    return int(text) if text and text.isdecimal() and len(text) == 1 and int(text) < chances.COUNT else None


class NumberField(FloatField):
    """A number, written as people write it: 24, not 24.0."""

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else f"{self.data:g}" if self.data is not None else ""


class PolicyForm(FlaskForm):  # type: ignore[misc]
    """A wave policy, and the restock to try it on; shares are written in per cent."""

    rule = RadioField(_l("Rule"), choices=[SelectChoice(rule.value, words) for rule, words in RULES.items()])
    alpha = NumberField(
        _l("Risk that more want it than there are, in %"), [InputRequired(_NEEDED), NumberRange(0.1, 50)]
    )
    prior_taken = NumberField(_l("Before there is a history: as if so many had taken"), [NumberRange(0.01, 1000)])
    prior_passed = NumberField(_l("and so many had not"), [NumberRange(0.01, 1000)])
    hold_hours = NumberField(_l("Waking hours a unit is held"), [NumberRange(0.5, 336)])
    wakes_at = IntegerField(_l("She wakes at"), [InputRequired(_NEEDED), NumberRange(0, 23)])
    sleeps_at = IntegerField(_l("She goes to sleep at"), [InputRequired(_NEEDED), NumberRange(1, 24)])
    head_starts = TextAreaField(_l("Head starts"), [Length(max=2000)])
    tier_share = NumberField(
        _l("Pieces that may go to tiers first, in %"), [InputRequired(_NEEDED), NumberRange(0, 100)]
    )
    desk_minutes = IntegerField(
        _l("Minutes an offer waits on the editor’s desk"), [InputRequired(_NEEDED), NumberRange(0, 2880)]
    )
    # the restock to replay: a past one, or these numbers
    restock = SelectField(_l("Replay"), validate_choice=False, default="")
    units = IntegerField(_l("Units"), [InputRequired(_NEEDED), NumberRange(1, MOST_UNITS)], default=10)
    waiting = IntegerField(_l("People waiting"), [InputRequired(_NEEDED), NumberRange(1, MOST_WAITING)], default=300)
    replayed = HiddenField()

    def validate_sleeps_at(self, field: IntegerField) -> None:
        """She sleeps after she wakes."""
        if self.wakes_at.data is not None and field.data is not None and field.data <= self.wakes_at.data:
            raise ValidationError(_("Choose an hour after she wakes."))

    def validate_head_starts(self, field: TextAreaField) -> None:
        """Every line is a tier and its days."""
        for line in filter(str.strip, (field.data or "").splitlines()):
            if (found := _LINE.fullmatch(line)) is None or _days(found["days"]) > 365:
                raise ValidationError(_("Write a tier and its days on each line, such as vip: 14, at most 365."))

    def tiers(self) -> dict[str, float]:
        """Days of head start by tier."""
        found = (_LINE.fullmatch(line) for line in (self.head_starts.data or "").splitlines())
        return {each["tier"]: _days(each["days"]) for each in found if each}

    def policy(self) -> WavePolicy:
        """The policy it describes, not saved yet."""
        return WavePolicy(
            rule=Rule(self.rule.data),
            alpha=(self.alpha.data or 0.0) / 100,
            prior_taken=self.prior_taken.data,
            prior_passed=self.prior_passed.data,
            hold_hours=self.hold_hours.data,
            wakes_at=self.wakes_at.data,
            sleeps_at=self.sleeps_at.data,
            head_starts=self.tiers(),
            tier_share=(self.tier_share.data or 0.0) / 100,
            desk_minutes=self.desk_minutes.data,
        )

    def show(self, policy: WavePolicy) -> None:
        """Fill the fields with a policy."""
        values: dict[str, Any] = {name: getattr(policy, name) for name in _SAME}
        values |= {"rule": Rule(policy.rule).value, "alpha": _share(policy.alpha)}
        values |= {"tier_share": _share(policy.tier_share), "head_starts": head_starts_text(policy.head_starts)}
        for name, value in values.items():
            self[name].data = value

    def imagine(self, *, units: int, waiting: int) -> None:
        """Put the numbers of a restock into the form, as if they had been written there."""
        for field, number, most in ((self.units, units, MOST_UNITS), (self.waiting, waiting, MOST_WAITING)):
            field.data = min(max(1, number), most)
            field.raw_data = [str(field.data)]

    def fingerprint(self) -> str:
        """Short for what the policy would be, to see on saving whether it is the one that was replayed."""
        policy = self.policy()
        words = repr([(name, getattr(policy, name)) for name in (*_SAME, "rule", "alpha", "tier_share", "head_starts")])
        return hashlib.sha256(words.encode()).hexdigest()[:16]


_SAME: Final = ("prior_taken", "prior_passed", "hold_hours", "wakes_at", "sleeps_at", "desk_minutes")


def head_starts_text(head_starts: dict[str, Any]) -> str:
    """One tier a line, as the form takes it."""
    return "\n".join(f"{tier}: {days:g}" for tier, days in head_starts.items())


def _share(value: float) -> float:
    return round(value * 100, 4)


def _days(text: str) -> float:
    return float(text.replace(",", "."))
