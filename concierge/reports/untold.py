"""Why nobody has been offered anything of a restock: in words that are true of it now."""

from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from concierge.catalogue.stock_models import Restock
from concierge.web.filters import local_time


def why_nobody(restock: Restock, waiting: int, settle: timedelta, *, now: datetime) -> tuple[str, str]:
    """What a restock without a wave says of itself: the title, and the sentence below; `waiting` is its queue."""
    if restock.flapped:
        return _("It was gone again at once."), _("Units gone before they were believed are no news: nobody was told.")
    if restock.ended_at is not None or not waiting:
        return _("Nobody waited for it."), _("So nobody was offered one: these units went straight to the shop.")
    title = ngettext("%(num)s waits for it.", "%(num)s wait for it.", waiting)
    if restock.at + settle > now:
        moment = local_time(restock.at + settle)
        return title, _("Offers are made once it has been there for a while, from %(moment)s.", moment=moment)
    return title, _("Nobody of them can be offered one just now; each wish says why.")
