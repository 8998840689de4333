"""Answers leave once, when they are due, as the mail they should be; or come back with a reason."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from threading import Barrier

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session

from concierge import audit, clock
from concierge.accounts.models import Editor
from concierge.catalogue import commands as catalogue
from concierge.config import Config
from concierge.conversations import queries as conversations
from concierge.conversations.models import Conversation, Direction, Message, MessageKind
from concierge.db import Sessions
from concierge.drafts import commands, gate, jobs, letter, queries
from concierge.drafts.gate import Objection, Reason
from concierge.drafts.models import Draft, DraftLeaving, DraftNotFound, DraftStale, TooLateToUndo
from concierge.mailing.mail import Mail
from concierge.mailing.models import Delivery, DeliveryState
from concierge.tokens import read_reply_key
from tests.drafts.people import LETTER, begin, make_sandals, send, write, write_again
from tests.factories import HOUR, NOW, make_editor

SECOND = timedelta(seconds=1)


@dataclass
class Scene:
    """Nadia answers Barbara; the house's clock is moved by hand, the worker looks when it is told to."""

    config: Config
    sessions: Sessions
    session: Session
    nadia: Editor
    conversation: Conversation
    at: datetime = NOW

    def passes(self, time: timedelta) -> None:
        """Commit what was written, and let time pass."""
        self.session.commit()
        self.at += time

    def release(self) -> int:
        """The worker looks once; how many left."""
        return jobs.release_due(self.config, self.sessions)

    def sent(self, text: str = LETTER, **values: object) -> Draft:
        """Nadia writes, and presses Send."""
        return send(self.session, write(self.session, self.conversation, self.nadia, text), **values)

    def returned_for(self, draft: Draft) -> list[Reason]:
        """Why it came back."""
        self.session.refresh(draft)
        assert not draft.is_leaving
        return [Objection.from_line(line).reason for line in draft.returned_reason.splitlines()]


@pytest.fixture
def scene(config, sessions, session, monkeypatch):
    """The scene set."""
    scene = Scene(config, sessions, session, make_editor(session), begin(session))
    monkeypatch.setattr(clock, "now", lambda: scene.at)
    return scene


def outgoing(session) -> list[Message]:
    return list(session.scalars(sa.select(Message).where(Message.direction == Direction.OUT)))


def deliveries(session) -> list[Delivery]:
    return list(session.scalars(sa.select(Delivery)))


def picture(colour: tuple[int, int, int]) -> bytes:
    out = BytesIO()
    Image.new("RGB", (900, 1200), colour).save(out, "PNG")
    return out.getvalue()


def test_it_leaves_when_the_ten_seconds_are_over_and_not_before(scene):
    scene.sent()
    scene.passes(9 * SECOND)
    assert scene.release() == 0
    scene.passes(2 * SECOND)
    assert (scene.release(), scene.release()) == (1, 0)
    (message,), (delivery,) = outgoing(scene.session), deliveries(scene.session)
    assert message.delivery_id == delivery.id
    assert delivery.state is DeliveryState.QUEUED
    assert scene.session.scalars(sa.select(Draft)).all() == []
    scene.session.refresh(scene.conversation)
    assert (scene.conversation.waiting_since, scene.conversation.last_message_id) == (None, message.id)


@pytest.fixture
def mail(scene, store):
    """The mail of an answer with a card, a file and a face, as it was queued."""
    scene.nadia.photo_key = store.put(picture((200, 180, 160)))
    sandals = make_sandals(scene.session)
    key = store.put(picture((40, 160, 160)))
    catalogue.add_picture(
        scene.session, sandals.product, blob_key=key, content_type="image/png", width=900, height=1200
    )
    draft = write(scene.session, scene.conversation, scene.nadia, f"{LETTER}\n\n[product CAL-TUR-36]\n\nI *keep* it.")
    values = {"filename": "care.pdf", "content_type": "application/pdf", "size": 4, "blob_key": store.put(b"%PDF")}
    commands.attach_file(scene.session, draft, **values, limit=10**7, now=NOW)
    send(scene.session, draft)
    scene.passes(11 * SECOND)
    assert scene.release() == 1
    return Mail.from_json(deliveries(scene.session)[0].content)


def test_the_mail_is_from_her_and_leads_home(scene, mail):
    key = mail.reply_to.address.partition("@")[0].removeprefix("care+")
    assert str(mail.sender) == "Nadia Ferrant <care@maison-solenne.example>"
    assert str(mail.to) == "Barbara Rossi <barbara@example.com>"
    assert read_reply_key(scene.config.secret, key) == scene.conversation.id
    assert mail.message_id.endswith(f".{key}@maison-solenne.example>")
    assert mail.subject == "Re: Turquoise sandals"
    parent = conversations.last_incoming(scene.session, scene.conversation).rfc_message_id
    assert mail.references == (f"<{parent}>",)
    assert mail.in_reply_to == parent


def test_the_mail_shows_the_card_her_face_and_what_is_answered(mail, store):
    assert [each.filename for each in mail.pictures] == ["CAL-TUR-36.jpg", "Nadia.jpg"]
    assert [each.filename for each in mail.attachments] == ["care.pdf"]
    assert all(f"cid:{each.cid}" in mail.html for each in mail.pictures)
    sizes = [Image.open(BytesIO(store.get(each.blob_key))).size for each in mail.pictures]
    assert sizes == [(480, 640), (136, 136)]
    for said in ("Calanque sandals", "turquoise", "EU 36", "€420", "Fashion Editor", "Maison Solenne", "Warmly,"):
        assert said in mail.html
        assert said in mail.text
    assert "I keep it." in mail.text
    assert "<em>keep</em>" in mail.html
    assert "> Will they come back in 36?" in mail.text


def test_the_answer_stands_in_the_conversation_folded_at_the_signature(scene, mail):
    (message,) = outgoing(scene.session)
    assert message.text[message.fold_at :].startswith("Nadia Ferrant\nFashion Editor")
    assert message.text[: message.fold_at].rstrip().endswith("Warmly,\nNadia")
    assert [each.inline for each in message.attachments] == [False, True, True]


def test_a_picture_placed_in_the_text_travels_within_the_letter(scene, store):
    draft = write(scene.session, scene.conversation, scene.nadia)
    values = {"content_type": "image/png", "size": 9, "limit": 10**7, "now": NOW}
    key = store.put(picture((1, 2, 3)))
    photo = commands.attach_file(scene.session, draft, filename="window.png", blob_key=key, **values)
    commands.attach_file(scene.session, draft, filename="not-placed.png", blob_key=store.put(b"x"), **values)
    commands.place_picture(scene.session, draft, photo.id, now=NOW)
    send(scene.session, draft)
    scene.passes(11 * SECOND)
    assert scene.release() == 1
    mail = Mail.from_json(deliveries(scene.session)[0].content)
    assert [each.filename for each in mail.pictures] == ["window.jpg"]
    assert f'src="cid:{mail.pictures[0].cid}"' in mail.html
    assert "[window.png]" in mail.text
    assert [each.filename for each in mail.attachments] == ["not-placed.png"]


def test_a_letter_she_signed_herself_is_not_signed_twice(scene):
    scene.sent(f"{LETTER}\n\nWarmly,\nNadia")
    scene.passes(11 * SECOND)
    scene.release()
    assert Mail.from_json(deliveries(scene.session)[0].content).text.count("Warmly,") == 1


def test_one_that_she_overtakes_comes_back_with_the_reason(scene):  # F09
    draft = scene.sent()
    write_again(scene.session, scene.conversation)
    scene.passes(11 * SECOND)
    assert scene.release() == 0
    assert scene.returned_for(draft) == [Reason.NEWER_MESSAGE]
    assert deliveries(scene.session) == []
    assert audit.list_for(scene.session, scene.conversation)[-1].verb == "answer.returned"


def test_her_mail_filed_in_the_last_moment_still_stops_it(scene, monkeypatch):  # F09
    """The look for overtaken ones is over already; the gate in the claiming transaction sees her mail all the same."""
    monkeypatch.setattr(jobs, "return_overtaken", lambda config, sessions: 0)
    draft = scene.sent()
    write_again(scene.session, scene.conversation)
    scene.passes(11 * SECOND)
    assert scene.release() == 0
    assert scene.returned_for(draft) == [Reason.NEWER_MESSAGE]


def test_without_the_last_look_it_would_have_left(scene, monkeypatch):
    """Negative control of the test above: with a gate that objects to nothing the mail goes out."""
    monkeypatch.setattr(jobs, "return_overtaken", lambda config, sessions: 0)
    scene.sent()
    monkeypatch.setattr(gate, "objections", lambda facts: [])
    write_again(scene.session, scene.conversation)
    scene.passes(11 * SECOND)
    assert scene.release() == 1


def test_one_planned_for_tomorrow_comes_back_as_soon_as_she_writes(scene):  # F09
    draft = scene.sent(after=20 * HOUR, later=True)
    scene.passes(HOUR)
    assert jobs.return_overtaken(scene.config, scene.sessions) == 0
    write_again(scene.session, scene.conversation)
    scene.passes(SECOND)
    assert jobs.return_overtaken(scene.config, scene.sessions) == 1
    assert scene.returned_for(draft) == [Reason.NEWER_MESSAGE]
    assert draft.send_later is False
    scene.passes(SECOND)
    assert jobs.return_overtaken(scene.config, scene.sessions) == 0


def test_an_out_of_office_changes_nothing(scene):  # T26
    scene.sent()
    write_again(scene.session, scene.conversation, "I am away until Monday.", kind=MessageKind.AUTOMATIC)
    scene.passes(11 * SECOND)
    assert scene.release() == 1


def test_a_mailbox_closed_meanwhile_keeps_it(scene):
    draft = scene.sent()
    scene.conversation.mailbox.active = False
    scene.passes(11 * SECOND)
    assert scene.release() == 0
    assert scene.returned_for(draft) == [Reason.MAILBOX_INACTIVE]


def test_what_can_not_be_made_into_a_mail_comes_back_once(scene, monkeypatch):
    def broken(*_values: object) -> None:
        raise RuntimeError("ink ran out")

    draft = scene.sent()
    monkeypatch.setattr(letter, "compose", broken)
    scene.passes(11 * SECOND)
    assert scene.release() == 0
    assert scene.returned_for(draft) == [Reason.UNSENDABLE]
    assert queries.list_due_ids(scene.session, now=scene.at) == []


def test_undo_after_it_left_is_too_late(scene):
    draft = scene.sent()
    scene.passes(11 * SECOND)
    scene.release()
    with pytest.raises((TooLateToUndo, DraftNotFound)):
        commands.undo_draft(scene.session, draft, by=scene.nadia, now=scene.at)


def test_an_answer_called_back_does_not_leave(scene):
    draft = scene.sent()
    scene.passes(9 * SECOND)
    commands.undo_draft(scene.session, draft, by=scene.nadia, now=scene.at)
    scene.passes(HOUR)
    assert scene.release() == 0


def test_many_workers_let_it_go_once(scene):  # F08
    scene.sent()
    scene.passes(11 * SECOND)
    with ThreadPoolExecutor(6) as pool:
        left = list(pool.map(lambda _worker: scene.release(), range(6)))
    assert sum(left) == 1
    assert len(deliveries(scene.session)) == len(outgoing(scene.session)) == 1


def _press(scene: Scene, draft_id: int, barrier: Barrier) -> str:
    """One window has read the draft, and presses Send together with all others; what it is told."""
    with scene.sessions() as own:
        draft = own.get(Draft, draft_id)
        own.commit()  # lets go of the read; what the window shows is what it read
        barrier.wait()
        try:
            send(own, draft, seen=draft.conversation.last_message_id)
            own.commit()
        except (DraftLeaving, DraftStale) as error:
            return type(error).__name__
        return "sent"


def _press_everywhere(scene: Scene, draft_id: int, windows: int = 8) -> list[str]:
    barrier = Barrier(windows)
    with ThreadPoolExecutor(windows) as pool:
        return list(pool.map(lambda _window: _press(scene, draft_id, barrier), range(windows)))


def test_many_clicks_in_many_windows_send_once(scene):  # F08
    draft = write(scene.session, scene.conversation, scene.nadia)
    scene.session.commit()
    told = _press_everywhere(scene, draft.id)
    assert told.count("sent") == 1
    scene.passes(11 * SECOND)
    assert scene.release() == 1
    assert len(deliveries(scene.session)) == 1


def test_without_its_conditions_the_same_clicks_send_many_times(scene, monkeypatch):
    """Negative control: an update that asks for nothing lets every window believe that it has sent."""
    change = commands.change
    monkeypatch.setattr(commands, "change", lambda own, draft, *_asked, **values: change(own, draft, **values))
    draft = write(scene.session, scene.conversation, scene.nadia)
    scene.session.commit()
    assert _press_everywhere(scene, draft.id).count("sent") > 1
