"""A browser window with the composer open, and what the house has stored of it."""

import re
from html import unescape

from concierge.drafts import queries

HTMX = {"HX-Request": "true"}


class Window:
    """A browser window with the composer open: it sends what its form holds, as a browser does."""

    def __init__(self, client, conversation_id: int, worker=None) -> None:
        self.worker = worker
        self.client, self.here = client, f"/conversations/{conversation_id}/draft"
        self.fields: dict[str, object] = {}
        self.page = ""

    def open(self, **headers: str) -> "Window":
        """Load the composer."""
        return self._read(self.client.get(self.here, headers=headers))

    def press(self, path: str = "", *, follow: bool = True, headers: dict[str, str] | None = None, **fields: object):
        """Press a button of the form, one of the composer's own or, at another address, one of another room's."""
        values = {**self.fields, **fields}
        address = path if path.startswith("/conversations/") else self.here + path
        answer = self.client.post(
            address, data=values, headers=headers, content_type="multipart/form-data", follow_redirects=follow
        )
        self._read(answer)
        return answer

    def _read(self, answer) -> "Window":
        self.page = unescape(answer.get_data(as_text=True))
        names = ("version", "seen_message_id", "within")
        found = {name: re.search(rf'name="{name}" value="([^"]*)"', self.page) for name in names}
        self.fields |= {name: match[1] for name, match in found.items() if match}
        self.fields["overridden"] = re.findall(r'name="overridden" value="([^"]*)"', self.page)
        subject = re.search(r'name="subject" value="([^"]*)"', self.page)
        area = re.search(r'<textarea id="answer"[^>]*>(.*?)</textarea>', self.page, re.DOTALL)
        self.fields.pop("subject", None)
        self.fields.pop("body_text", None)
        if subject and area:
            self.fields |= {"subject": subject[1], "body_text": area[1].removeprefix("\n")}
        return self


def stored(session, conversation, editor):
    session.expire_all()
    draft = queries.find_draft(session, conversation.id, editor.id)
    session.commit()  # lets go of the lock
    return draft
