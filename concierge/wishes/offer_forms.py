"""What an editor says at her desk: why it is not her, and when to ask her again."""

from datetime import timedelta

from flask_babel import lazy_gettext as _l
from wtforms import Form, RadioField, TextAreaField
from wtforms.validators import Length

from concierge.web.choices import SelectChoice

# How long her wish rests; None: it ends.
RESTS = {"week": timedelta(days=7), "month": timedelta(days=30), "never": None}


class NotHerForm(Form):
    """Why this offer is not for her; one of many on the page, each with a prefix of its own."""

    # Not required of the browser: the form it stands in sends other mails too, and Enter is a new line.
    because = TextAreaField(_l("Why not her? The reason is kept."), [Length(max=300)])
    again = RadioField(
        _l("And her wish"),
        choices=[
            SelectChoice("week", _l("rests for a week")),
            SelectChoice("month", _l("rests for a month")),
            SelectChoice("never", _l("ends")),
        ],
        default="week",
    )
