"""A sender's logbook: what it says after its death, and when it says nothing (F02, F04)."""

import os
import time

import pytest

from concierge.mailing import logbook
from concierge.mailing.logbook import Told, clear_books, keep_book, read_book
from concierge.mailing.providers.base import Accepted


class Died(BaseException):
    """The sender is no more."""


@pytest.fixture
def left(tmp_path):
    """The folder in which a sender left its book when it died."""
    with pytest.raises(Died), keep_book(tmp_path, "claim", "smtp") as book:
        book.note_offered(7)
        book.note_taken(7, Accepted("4F1  queued\nhere"))
        book.note_offered(8)
        raise Died
    return tmp_path


def test_it_tells_what_was_offered_and_what_was_taken(left):
    assert read_book(left, "claim") == Told("smtp", {7: Accepted("4F1 queued here"), 8: None})


def test_it_is_gone_when_all_went_well(tmp_path):
    with keep_book(tmp_path, "claim", "smtp") as book:
        book.note_offered(7)
    assert read_book(tmp_path, "claim") is None
    assert not list(tmp_path.iterdir())


def test_it_says_nothing_while_its_sender_lives(tmp_path):
    """It may be asleep, just about to offer a mail."""
    with keep_book(tmp_path, "claim", "smtp"):
        assert read_book(tmp_path, "claim") is None


@pytest.mark.parametrize("start", ["another start", None], ids=["started anew", "nobody tells"])
def test_it_says_nothing_once_the_machine_was_started_anew(left, monkeypatch, tmp_path_factory, start):
    told = tmp_path_factory.mktemp("proc") / "boot_id"
    if start:
        told.write_text(start)
    monkeypatch.setattr(logbook, "_BOOT", told)
    assert read_book(left, "claim") is None


def test_what_cannot_be_noted_whole_is_not_offered(tmp_path, monkeypatch):
    with keep_book(tmp_path, "claim", "smtp") as book:
        monkeypatch.setattr(os, "write", lambda _file, data: len(data) - 1)
        with pytest.raises(OSError, match="No space left"):
            book.note_offered(7)


def test_old_ones_are_put_away(left):
    clear_books(left, time.time() - 60)
    assert read_book(left, "claim") is not None
    clear_books(left, time.time() + 60)
    assert read_book(left, "claim") is None
