"""The page that shows every part of the design system; demo mode only."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from concierge import clock
from concierge.web.assets import asset
from concierge.web.rendering import render

bp = Blueprint("styleguide", __name__, url_prefix="/styleguide")


@bp.get("")
def show() -> ResponseReturnValue:
    """Show the book: tokens, then every component."""
    return render("demo/styleguide.html", **_samples(clock.now()))


def _samples(now: datetime) -> dict[str, Any]:
    def ago(**span: int) -> datetime:
        return now - timedelta(**span)

    return {"ago": ago, "picture": asset("sandals.svg"), "rows": _rows(ago)}


def _rows(ago: Any) -> list[dict[str, Any]]:
    nadia, chiara = "Nadia Ferrant", "Chiara Bellini"
    seen: list[tuple[str, str, str, datetime, dict[str, Any]]] = [
        ("Barbara Rossetti", "The turquoise sandals, in 36?", "You are so kind. I can wait until noon, my heart can’t.",
         ago(hours=3, minutes=10), {"waits": True, "editor_name": nadia, "current": True, "tags": (_("sold out"),)}),
        ("Chloé Marchand", "Une robe pour Lisbonne", "Something light, that survives a suitcase and a dinner.",
         ago(hours=2, minutes=24), {"waits": True, "editor_name": nadia, "files": 2}),
        ("Elena Vasari", "The linen suit, shorter", "Could your tailor take two centimetres from the sleeve?",
         ago(minutes=48), {"waits": True}),
        ("Ingrid Solheim", "Re: Your order from the atelier", "It fits as if you had known me for years. Thank you!",
         ago(minutes=6), {"waits": True, "editor_name": nadia}),
        ("Giulia Ferri", "Il cappotto cammello", "Gentile Giulia, il cappotto è arrivato stamattina in boutique.",
         ago(hours=20), {"editor_name": nadia, "draft": True}),
        ("Ama Boateng", "A gift, and a secret", "He must not know. Can the box come without our name on it?",
         ago(days=2), {"editor_name": chiara, "state": "snoozed", "tags": (_("gift"), _("discreet"))}),
        ("postmaster@example.net", "", _("The address does not exist"),
         ago(days=3), {"editor_name": nadia, "state": "failed"}),
        ("Marie-Hélène de la Rochefoucauld-Montbel", "A very long subject that has no wish to end before the pane does",
         "One line, and then another that nobody can see here.", ago(days=9), {"editor_name": chiara}),
    ]  # fmt: skip
    return [
        {"id": at, "url": "#", "name": name, "subject": subject, "first_line": line, "since": since, **more}
        for at, (name, subject, line, since, more) in enumerate(seen)
    ]
