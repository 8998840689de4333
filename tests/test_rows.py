"""Rows by the hundred."""

import sqlalchemy as sa

from concierge.accounts.models import Mailbox
from concierge.audit import AuditEntry
from concierge.rows import Same, insert_columns, insert_row, one_of, read_rows, reserve_ids, run_row
from tests.factories import NOW, make_mailbox


def entry(number, **details):
    return {
        "id": number,
        "at": NOW,
        "verb": "test.done",
        "subject_type": "test",
        "subject_id": number,
        "editor_id": None,
        "details": details,
    }


def test_reserved_numbers_are_free_and_the_rows_are_those_the_orm_would_write(session):
    session.add(AuditEntry(**entry(None, name="Chloé", ids=[1]) | {"subject_id": 0}))
    session.commit()
    numbers = reserve_ids(session, AuditEntry.__table__, 3)
    alike = {name: Same(value) for name, value in entry(None, name="Chloé", ids=[1]).items()}
    insert_columns(session, AuditEntry.__table__, alike | {"id": numbers, "subject_id": numbers}, 3)
    session.commit()
    first, *rows = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id))
    assert [row.id for row in rows] == numbers
    assert {row.at for row in rows} == {first.at} == {NOW}
    assert [row.details for row in rows] == [first.details] * 3
    session.add(AuditEntry(**entry(None) | {"subject_id": 9}))
    session.commit()  # and the next one by itself finds a number too


def test_a_row_is_written_and_read_as_the_orm_would(session):
    table = AuditEntry.__table__
    insert_row(session, table, entry(7, name="Chloé", ids=[1]))
    kept = session.get_one(AuditEntry, 7)
    statement = sa.select(table.c.at, table.c.details).where(table.c.id == sa.bindparam("number"), table.c.verb != "x")
    assert read_rows(session, statement, {"number": 7}) == [(NOW, {"name": "Chloé", "ids": [1]})]
    assert (kept.at, kept.details) == (NOW, {"name": "Chloé", "ids": [1]})
    change = sa.update(table).where(table.c.id == sa.bindparam("number")).values(verb=sa.bindparam("verb"))
    assert [run_row(session, change, {"number": number, "verb": "done"}) for number in (7, 8)] == [1, 0]


def test_what_a_session_has_in_mind_is_written_before_it_is_read(session):
    session.add(AuditEntry(**entry(7)))
    assert read_rows(session, sa.select(AuditEntry.__table__.c.id), {}) == [(7,)]


def test_states_and_defaults_of_nothing_are_kept_as_they_are(session):
    make_mailbox(session)
    insert_columns(session, AuditEntry.__table__, {"id": []}, 0)
    assert session.scalar(sa.select(sa.func.count()).select_from(Mailbox)) == 1


def test_many_rows_are_written_as_few_are_and_all_of_them(session):
    count = 237
    numbers = reserve_ids(session, AuditEntry.__table__, count)
    alike = {name: Same(value) for name, value in entry(None, name="Chloé").items()}
    own = {"id": numbers, "subject_id": [number * 2 for number in numbers], "verb": [f"test.{n}" for n in range(count)]}
    insert_columns(session, AuditEntry.__table__, alike | own, count)
    session.expire_all()
    rows = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(row.id, row.subject_id, row.verb) for row in rows] == list(zip(*own.values(), strict=True))
    assert {(row.at, row.subject_type, row.editor_id, row.details["name"]) for row in rows} == {
        (NOW, "test", None, "Chloé")
    }


def test_rows_that_are_alike_in_all_but_their_number_are_as_many_as_were_asked_for(session):
    make_mailbox(session)
    alike = {name: Same(value) for name, value in entry(1).items() if name != "id"}
    insert_columns(session, AuditEntry.__table__, alike, 205)
    assert session.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) == 205


def test_one_of_asks_alike_for_values_and_for_a_place_to_be_filled(session):
    for number in range(1, 6):
        insert_row(session, AuditEntry.__table__, entry(number) | {"verb": f"test.{number}"})
    table = AuditEntry.__table__
    for column, among, found in (
        (table.c.id, {2, 4, 9}, [2, 4]),
        (table.c.verb, ["test.3", "it's"], [3]),
        (table.c.id, (), []),
    ):
        every = sa.select(table.c.id).order_by(table.c.id)
        assert list(session.scalars(every.where(one_of(column, among)))) == found
        assert list(session.scalars(every.where(~one_of(column, among)))) == sorted({1, 2, 3, 4, 5} - set(found))
        assert read_rows(session, every.where(one_of(column, "them")), {"them": among}) == [(each,) for each in found]
