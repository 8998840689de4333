"""Whatever a mail names, our server asks nobody for it: not when it is read and filed, nor when it is shown (T22)."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.request import urlopen

import pytest

from tests.browser.hostile import fetching
from tests.factories import make_editor, make_mailbox, sign_in
from tests.inbound.arriving import CARE, arrive, message_of


@dataclass
class Listener:
    """A port of this machine that notes who calls."""

    door: socket.socket
    callers: list[tuple[str, int]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.door.getsockname()[1]}"

    def listen(self) -> None:
        """Note each caller, and hang up."""
        while True:
            try:
                line, caller = self.door.accept()
            except OSError:
                return
            self.callers.append(caller)
            line.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        listener = Listener(door)
        thread = threading.Thread(target=listener.listen, daemon=True)
        thread.start()
        yield listener
        door.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_reading_filing_and_showing_a_mail_opens_no_connection(client, config, sessions, session, listener):  # T22
    make_mailbox(session)
    nadia = make_editor(session)
    session.commit()
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Mallory <mallory@example.com>", CARE, "Look"
    mail["Message-ID"], mail["List-Unsubscribe"] = "<look@example.com>", f"<{listener.url}/unsubscribe>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Disposition-Notification-To"] = "mallory@example.com"
    mail.set_content(f"See {listener.url}/words")
    mail.add_alternative(fetching(listener.url), subtype="html")
    message = message_of(session, arrive(config, sessions, mail.as_bytes()))
    sign_in(client, nadia)
    for address in (
        "/?folder=unassigned",
        f"/conversations/{message.conversation_id}",
        f"/conversations/{message.conversation_id}?pictures={message.id}",
        f"/messages/{message.id}/body",
        f"/messages/{message.id}/body?pictures=1",
    ):
        assert client.get(address).status_code == 200
    assert listener.callers == []

    with pytest.raises(OSError):  # the control: who does ask is noted
        urlopen(f"{listener.url}/words", timeout=5)
    assert len(listener.callers) == 1
