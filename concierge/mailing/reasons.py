"""Why a mail did not leave or did not arrive: one sentence, kept with it in English and shown in the reader's language.

Who keeps it has no reader: a worker, or a colleague with another language. What others said, a relay or a report, is
kept and shown in their own words.
"""

import re
from enum import StrEnum

from flask_babel import gettext


def N_(sentence: str) -> str:
    """Mark a sentence for the translations."""
    return sentence


class Reason(StrEnum):
    """Each of our sentences, with the names of its facts."""

    UNREACHABLE = N_("%(who)s can't be reached: %(error)s")
    UNKNOWN = N_(
        "%(who)s did not say whether it took the mail (%(error)s). It may have arrived: ask before sending again."
    )
    ONLY_ASCII = N_("%(who)s takes no mail for an address with “%(letter)s” in it. Ask her for another.")
    TOO_LARGE = N_("The mail is too large for %(host)s (%(size)d bytes).")
    NOT_LET_IN = N_("%(host)s does not accept our name and password.")
    SAID = N_("%(host)s said %(code)d: %(words)s")
    NOTHING_MORE = N_("nothing more")
    UNWRITABLE = N_("The outbox can't be written to: %(error)s")
    WORKER_STOPPED = N_(
        "The worker stopped while this mail was on its way out. It may have arrived: ask before sending again."
    )
    RESTORED = N_("It stood in a restored copy of the house and may have left before. Ask before sending it again.")
    SHE_HAD_MANY = N_("She was sent so many automatic mails in a day that this one waits.")
    HOUSE_SENT_MANY = N_("The house has sent so many automatic mails in a day; this one waits.")
    HARD_BOUNCE = N_("This address does not exist: a mail to it came back.")
    COMPLAINT = N_("She reported one of our mails as unwanted.")
    UNSUBSCRIBED = N_("She asked not to receive mails.")
    BY_HAND = N_("A colleague decided that this address is not to be mailed.")

    def of(self, **facts: str | int) -> str:
        """The sentence as it is kept."""
        return self.value % facts


def retold(kept: str) -> str:
    """What is kept, in the reader's language as far as the words are ours."""
    for reason, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(kept):
            facts = {name: _read(reason, name, said) for name, said in found.groupdict().items()}
            return str(gettext(reason.value, **facts))
    return str(gettext(kept)) if kept else ""  # of another part, such as why an offer was withheld


def _read(reason: Reason, name: str, said: str) -> str | int:
    return int(said) if f"%({name})d" in reason else retold(said)


def _pattern(reason: Reason) -> re.Pattern[str]:
    words = re.escape(reason.value)
    words = re.sub(r"%\\\((\w+)\\\)d", r"(?P<\1>-?[0-9]{1,15})", words)
    return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.*)", words), re.DOTALL)


_PATTERNS = {reason: _pattern(reason) for reason in Reason}
