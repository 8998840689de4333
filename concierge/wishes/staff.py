"""The staff as the rule about voices sees it."""

from zoneinfo import ZoneInfo

from concierge.accounts.models import Editor
from concierge.iana import zone_names
from concierge.wishes.voices import Colleague


def colleague(editor: Editor) -> Colleague:
    """An editor, with her hours in her own zone."""
    zone = ZoneInfo(editor.timezone if editor.timezone in zone_names() else "UTC")
    return Colleague(editor.id, editor.first_name, editor.language, editor.may_answer, zone, editor.working_hours or {})
