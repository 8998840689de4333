"""How mail arrives in these tests: kept, noted, and filed by the worker's own job."""

from collections.abc import Callable, Generator, Iterable

from sqlalchemy.orm import Session

from concierge import blobs
from concierge.config import Config
from concierge.conversations.models import Message
from concierge.db import Sessions
from concierge.inbound.commands import accept_mail
from concierge.inbound.jobs import file_received
from concierge.inbound.models import InboundMail
from concierge.inbound.parsed import ParsedMail, Unreadable
from concierge.inbound.parsing import parse_mail
from concierge.inbound.reading import Answer, Question
from tests.factories import NOW

CARE = "care@maison-solenne.example"


def letter(
    sender: str = "Barbara Rossi <barbara@example.com>",
    *,
    subject: str = "Sandals",
    text: str = "Hello, do you still have the turquoise sandals in 36?",
    message_id: str = "first@example.com",
    extra: str = "",
) -> bytes:
    """A plain mail as a program sends it."""
    lines = [f"From: {sender}", f"To: {CARE}", f"Subject: {subject}", "Date: Tue, 12 May 2026 09:00:00 +0000"]
    lines += [f"Message-ID: <{message_id}>"] if message_id else []
    lines += [extra] if extra else []
    return "\r\n".join([*lines, "", text]).encode()


def receive(
    config: Config,
    sessions: Sessions,
    raw: bytes,
    *,
    recipients: tuple[str, ...] = (CARE,),
    envelope_from: str | None = "barbara@example.com",
    source: str = "smtp",
) -> int:
    """Keep one mail; returns its number."""
    with sessions() as session:
        mail = accept_mail(
            session,
            blobs.open_store(config),
            raw,
            source=source,
            envelope_from=envelope_from,
            recipients=recipients,
            now=NOW,
        )
        session.commit()
        return mail.id


def arrive(config: Config, sessions: Sessions, raw: bytes, **values: object) -> InboundMail:
    """Keep one mail and let the worker file what there is; returns it as it stands then."""
    number = receive(config, sessions, raw, **values)  # type: ignore[arg-type]
    while file_received(config, sessions):
        pass
    with sessions() as session:
        return session.get_one(InboundMail, number)


def message_of(session: Session, mail: InboundMail) -> Message:
    """The message a filed mail became, with its conversation; the write lock is given back (SQLite)."""
    assert mail.message_id is not None, (mail.state, mail.reason)
    message = session.get_one(Message, mail.message_id)
    assert message.conversation.customer is not None
    session.commit()
    return message


class AllAtOnce:
    """A reader without a process of its own, that has read everything before anybody looks."""

    def __init__(self, read: Callable[[bytes], ParsedMail | Unreadable] = parse_mail) -> None:
        """Reads with `read`."""
        self._read = read

    def prepare(self) -> None:
        """Nothing has to be started."""

    def read_ahead(self, questions: Iterable[Question], *, most: int) -> Generator[list[Answer], None, None]:
        """All of them, `most` at a time."""
        answers = [Answer(each.about, self._read(each.raw)) for each in questions]
        yield from (answers[start : start + most] for start in range(0, len(answers), most))
