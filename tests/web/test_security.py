"""What holds for every request: whoever writes waits for her turn."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from concierge.conversations.models import Note
from tests.conversations.stories import receive
from tests.factories import make_editor, sign_in

COLLEAGUES = 8


def test_a_form_sent_while_somebody_else_writes_waits_and_is_kept(app, client, sessions, session):  # F08
    nadia, conversation = make_editor(session), receive(session).conversation
    session.commit()
    sign_in(client, nadia)
    writing = threading.Event()

    def write_slowly() -> None:
        with sessions() as other:
            other.execute(sa.text("UPDATE editor SET title = 'Fashion Editor'"))
            writing.set()
            time.sleep(0.5)
            other.commit()

    with ThreadPoolExecutor() as pool:
        slow = pool.submit(write_slowly)
        assert writing.wait(10)
        answer = client.post(f"/conversations/{conversation.id}/notes", data={"text": "She asked twice."})
        slow.result()
    assert answer.status_code == 303
    assert session.scalars(sa.select(Note.text)).all() == ["She asked twice."]


def test_many_forms_at_the_same_moment_are_all_kept(app, session):  # F08
    nadia, conversation = make_editor(session), receive(session).conversation
    session.commit()
    desks = [app.test_client() for _ in range(COLLEAGUES)]
    for desk in desks:
        sign_in(desk, nadia)
    together = threading.Barrier(COLLEAGUES)

    def leave_a_note(number: int) -> int:
        together.wait(10)
        page = f"/conversations/{conversation.id}/notes"
        return desks[number].post(page, data={"text": f"Note {number}"}).status_code

    with ThreadPoolExecutor(COLLEAGUES) as pool:
        assert list(pool.map(leave_a_note, range(COLLEAGUES))) == [303] * COLLEAGUES
    assert session.scalar(sa.select(sa.func.count()).select_from(Note)) == COLLEAGUES
