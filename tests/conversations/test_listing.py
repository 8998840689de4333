"""The folders: their rows, their order, their counts."""

import pytest

from concierge.conversations.commands import (
    add_note,
    assign_conversation,
    close_conversation,
    mark_not_for_us,
    snooze_conversation,
    tag_conversation,
)
from concierge.conversations.listing import Folder, Order, count_folders, list_of_customer, list_rows, list_tagged
from concierge.web.paging import Place, read_place
from tests.conversations.stories import answer, customer, receive
from tests.factories import DAY, HOUR, MINUTE, NOW, make_editor


@pytest.fixture
def nadia(session):
    return make_editor(session)


def names(page):
    return [row.name for row in page.rows]


def everything(session, folder, *, editor, order, limit):
    rows, after = [], None
    for _page in range(100):
        page = list_rows(session, folder, editor=editor, order=order, after=after, limit=limit)
        assert len(page.rows) <= limit
        rows += page.rows
        if page.next is None:
            return [row.id for row in rows]
        after = read_place(str(page.next))
    raise AssertionError("the list does not end")


def test_the_longest_waiting_stands_on_top_and_who_does_not_wait_behind(session, nadia):
    receive(session, "Anna Berg", at=NOW + HOUR)
    receive(session, "Barbara Rossi", at=NOW)
    answer(session, receive(session, "Chloé Martin", at=NOW - DAY).conversation, by=nadia, at=NOW + 2 * HOUR)
    page = list_rows(session, Folder.OPEN, editor=nadia, order=Order.WAITING)
    assert names(page) == ["Barbara Rossi", "Anna Berg", "Chloé Martin"]
    newest = list_rows(session, Folder.OPEN, editor=nadia, order=Order.NEWEST)
    assert names(newest) == ["Chloé Martin", "Anna Berg", "Barbara Rossi"]


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 50])
def test_every_row_is_on_one_page_whatever_its_size(session, nadia, order, limit):
    for number in range(8):
        at = NOW + (number // 3) * MINUTE
        conversation = receive(session, subject=str(number), at=at).conversation
        if number % 2:
            answer(session, conversation, by=nadia, at=at)
    whole = list_rows(session, Folder.OPEN, editor=nadia, order=order, limit=100)
    assert everything(session, Folder.OPEN, editor=nadia, order=order, limit=limit) == [row.id for row in whole.rows]
    assert len(whole.rows) == 8


def test_each_folder_holds_its_own_and_the_counts_are_exact(session, nadia):
    chiara = make_editor(session, "Chiara Bellini")
    talk = {name: receive(session, name).conversation for name in ("A", "B", "C", "D", "E", "F", "G")}
    assign_conversation(session, talk["A"], nadia, by=nadia, now=NOW)
    assign_conversation(session, talk["B"], chiara, by=nadia, now=NOW)
    snooze_conversation(session, talk["C"], until=NOW + DAY, by=nadia, now=NOW)
    close_conversation(session, talk["D"], by=nadia, now=NOW)
    mark_not_for_us(session, talk["E"], by=nadia, now=NOW)
    add_note(session, talk["D"], text="@Nadia look", by=chiara, now=NOW)
    expected = {
        Folder.MINE: ["A"],
        Folder.UNASSIGNED: ["F", "G"],
        Folder.OPEN: ["A", "B", "F", "G"],
        Folder.SNOOZED: ["C"],
        Folder.CLOSED: ["D"],
        Folder.NOT_FOR_US: ["E"],
        Folder.MENTIONS: ["D"],
    }
    for folder, inside in expected.items():
        assert sorted(names(list_rows(session, folder, editor=nadia, order=Order.WAITING))) == inside, folder
    assert count_folders(session, editor=nadia) == {folder: len(inside) for folder, inside in expected.items()}


def test_snoozed_conversations_come_as_they_wake(session, nadia):
    for name, hours in (("Late", 9), ("Soon", 1), ("Later", 20)):
        talk = receive(session, name).conversation
        snooze_conversation(session, talk, until=NOW + hours * HOUR, by=nadia, now=NOW)
    assert names(list_rows(session, Folder.SNOOZED, editor=nadia, order=Order.NEWEST)) == ["Soon", "Late", "Later"]
    paged = everything(session, Folder.SNOOZED, editor=nadia, order=Order.NEWEST, limit=2)
    assert len(paged) == 3


def test_a_row_says_all_the_list_shows(session, nadia):
    talk = receive(session).conversation
    assign_conversation(session, talk, nadia, by=nadia, now=NOW)
    tag_conversation(session, talk, name="wedding", by=nadia, now=NOW)
    session.flush()
    row = list_rows(session, Folder.MINE, editor=nadia, order=Order.WAITING).rows[0]
    assert (row.name, row.subject, row.editor_name, row.tags) == (
        "Barbara Rossi", "The turquoise sandals", "Nadia Ferrant", ("wedding",)
    )  # fmt: skip
    assert row.waiting_since == NOW


def test_a_customer_without_a_name_is_shown_by_her_address(session, nadia):
    customer(session).name = ""
    receive(session)
    assert names(list_rows(session, Folder.OPEN, editor=nadia, order=Order.WAITING)) == ["barbara@example.com"]


def test_other_conversations_of_hers_and_those_with_a_tag(session, nadia):
    first, second = receive(session).conversation, receive(session, at=NOW + HOUR).conversation
    receive(session, "Chloé Martin")
    tag_conversation(session, first, name="wedding", by=nadia, now=NOW)
    session.flush()
    assert [row.id for row in list_of_customer(session, first.customer_id)] == [second.id, first.id]
    assert [row.id for row in list_tagged(session, "wedding").rows] == [first.id]


@pytest.mark.parametrize("token", [None, "", "x", "1", "-", "9" * 18 + "-1", "t-5-1-2", "1-1; DROP TABLE"])
def test_a_place_that_can_not_be_read_is_the_beginning(token):
    assert read_place(token) is None


def test_a_place_survives_its_address():
    place = Place(NOW + MINUTE / 7, 42, tail=True)
    assert read_place(str(place)) == place
