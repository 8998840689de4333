"""Undo is pressed in the very moment the worker lets an answer go: exactly one of the two wins, in either order."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from concierge import clock
from concierge.drafts import commands, jobs, letter, releasing
from concierge.drafts.models import Draft, DraftNotFound, NothingToUndo, TooLateToUndo
from concierge.mailing.models import Delivery
from tests.drafts.people import begin, send, write
from tests.factories import NOW, make_editor

DUE = NOW + timedelta(seconds=11)
ROUNDS = 6


@pytest.fixture
def press_send(sessions, monkeypatch) -> Callable[[], int]:
    """Barbara writes, Nadia answers and presses Send, eleven seconds pass; the number of her draft."""
    monkeypatch.setattr(clock, "now", lambda: DUE)
    with sessions() as session:
        nadia = make_editor(session)
        session.commit()

    def press() -> int:
        with sessions() as session:
            draft = send(session, write(session, begin(session), session.merge(nadia)))
            session.commit()
            return draft.id

    return press


def undo(sessions, draft_id: int, *, before: Callable[[], object], at_last: Callable[[], object] = bool) -> bool:
    """Press Undo on what the window shows; whether it was called back."""
    with sessions() as session:
        draft = session.get(Draft, draft_id)
        nadia = draft.editor
        session.commit()  # the page stands there; what it shows was read
        before()
        try:
            commands.undo_draft(session, draft, by=nadia, now=DUE)
            at_last()
            session.commit()
        except (TooLateToUndo, DraftNotFound, NothingToUndo):
            return False
        return True


def outcome(sessions) -> tuple[int, int]:
    """How many mails are queued, and how many drafts are there to be written on."""
    with sessions() as session:
        still = sa.select(sa.func.count()).select_from(Draft).where(Draft.due_at.is_(None))
        return session.scalar(sa.select(sa.func.count()).select_from(Delivery)) or 0, session.scalar(still) or 0


def test_pressed_while_the_worker_has_it_in_hand_it_is_too_late(config, sessions, press_send, monkeypatch):
    in_hand, pressing, compose = threading.Event(), threading.Event(), letter.compose

    def composed(*values: object, **more: object) -> object:
        in_hand.set()
        assert pressing.wait(10)
        return compose(*values, **more)  # type: ignore[arg-type]

    draft_id = press_send()
    monkeypatch.setattr(letter, "compose", composed)
    with ThreadPoolExecutor(1) as pool:
        # What the page shows is read before the worker takes it in hand; then she presses.
        shown = threading.Event()
        pressed = pool.submit(undo, sessions, draft_id, before=lambda: (shown.set(), in_hand.wait(10), pressing.set()))
        assert shown.wait(10)
        assert jobs.release_due(config, sessions) == 1
        assert pressed.result() is False
    assert outcome(sessions) == (1, 0)


def worker_comes_while_undo_is_under_way(config, sessions, press_send) -> int:
    """How many left when the worker came between Undo and its commit."""
    draft_id = press_send()
    with ThreadPoolExecutor(1) as pool:
        came: list[object] = []
        coming = threading.Event()

        def come() -> int:
            coming.set()
            return jobs._release(config, sessions, draft_id)

        assert undo(sessions, draft_id, before=bool, at_last=lambda: (came.append(pool.submit(come)), coming.wait(10)))
        return came[0].result()  # type: ignore[attr-defined]


def test_the_worker_that_comes_while_undo_is_under_way_lets_nothing_go(config, sessions, press_send):
    assert not worker_comes_while_undo_is_under_way(config, sessions, press_send)
    assert outcome(sessions) == (0, 1)


def test_without_its_conditions_it_would_have_left_all_the_same(config, sessions, press_send, monkeypatch):
    """Negative control: a worker that takes what it found due a moment ago."""
    monkeypatch.setattr(releasing, "claim_due", lambda session, draft_id, *, now: session.get(Draft, draft_id))
    assert worker_comes_while_undo_is_under_way(config, sessions, press_send)


def test_at_the_same_moment_exactly_one_of_them_wins(config, sessions, press_send):
    left = undone = 0
    for _round in range(ROUNDS):
        draft_id, barrier = press_send(), threading.Barrier(2)
        with ThreadPoolExecutor(1) as pool:
            pressed = pool.submit(undo, sessions, draft_id, before=barrier.wait)
            barrier.wait()
            was_let_go = jobs._release(config, sessions, draft_id)
            assert pressed.result() is not was_let_go
        left, undone = left + was_let_go, undone + pressed.result()
    assert left + undone == ROUNDS
    assert outcome(sessions) == (left, undone)
