"""`concierge import`: what was taken, what was here already, what could not be read."""

import mailbox as mailboxes
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.orm import Session

from concierge.cli import main
from concierge.inbound.models import InboundMail
from concierge.inbound.sources.files import find_files, read_mails
from tests.factories import make_mailbox
from tests.inbound.arriving import letter

MOST = 1_000_000


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A folder with an .eml, an mbox, a Maildir, an empty file, and one that is too large."""
    folder = tmp_path / "archive"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "one.eml").write_bytes(letter(message_id="eml@x"))
    box = mailboxes.mbox(folder / "old.mbox")
    for number in range(3):
        box.add(
            letter(message_id=f"mbox{number}@x", text="Dear all,\n\nFrom Rome with love\n>From me").replace(
                b"\r\n", b"\n"
            )
        )
    box.close()
    maildir = mailboxes.Maildir(folder / "Maildir")
    maildir.add(letter(message_id="new@x"))
    (folder / "Maildir" / "cur" / "1.a:2,S").write_bytes(letter(message_id="cur@x"))
    (folder / "Maildir" / "tmp" / "half").write_bytes(b"From: half")
    (folder / "empty.eml").write_bytes(b"")
    return folder


def run(archive: Path, config, *options: str) -> str:
    arguments = ["import", str(archive), "--data", str(config.data), *options]
    result = CliRunner().invoke(main, arguments, env={"CONCIERGE_DATABASE_URL": config.database_url})
    assert result.exit_code == 0, result.output
    return result.output


def test_everything_in_a_folder_is_taken_and_what_is_not_readable_is_named(archive, config, session: Session):
    output = run(archive, config)
    assert "6 taken, 0 here already, 1 not readable." in output
    assert "empty.eml: empty" in output.replace("\n", "")
    sources = set(session.scalars(sa.select(InboundMail.source)))
    assert sources == {"import"}


def test_a_second_run_takes_nothing_twice_and_goes_on_where_the_first_stopped(archive, config):
    run(archive, config)
    (archive / "another.eml").write_bytes(letter(message_id="another@x"))
    assert "1 taken, 6 here already, 1 not readable." in run(archive, config)


def test_a_mailbox_may_be_named_for_all_of_it(archive, config, session: Session):
    make_mailbox(session)
    session.commit()
    run(archive, config, "--mailbox", "care@maison-solenne.example")
    assert session.scalars(sa.select(InboundMail)).first().recipients == ["care@maison-solenne.example"]  # type: ignore[union-attr]


def test_an_unknown_mailbox_is_said_so(archive, config):
    arguments = ["import", str(archive), "--data", str(config.data), "--mailbox", "x@y.example"]
    result = CliRunner().invoke(main, arguments, env={"CONCIERGE_DATABASE_URL": config.database_url})
    assert result.exit_code == 2
    assert "there is no mailbox x@y.example" in result.output


def test_the_mails_of_an_mbox_are_what_was_put_in(archive):
    mails = list(read_mails(archive / "old.mbox", most_bytes=MOST))
    assert len(mails) == 3
    assert b"\nFrom Rome with love\n" in mails[0].raw
    assert mails[0].raw.startswith(b"From: Barbara")
    assert not mails[0].raw.endswith(b"\n\n")


def test_a_mail_that_is_too_large_is_named_and_the_next_one_read(tmp_path):
    path = tmp_path / "box"
    path.write_bytes(b"From a\nSubject: big\n\n" + b"x\n" * 900 + b"\nFrom b\nSubject: small\n\nhello\n")
    first, second = read_mails(path, most_bytes=1_000)
    assert (first.fault, second.fault) == ("too large", "")
    assert b"small" in second.raw


def test_half_written_mail_of_a_maildir_and_hidden_files_are_passed_over(archive):
    (archive / ".hidden").write_bytes(b"x")
    names = {path.name for path in find_files((archive, archive / "deep"))}
    assert "half" not in names
    assert ".hidden" not in names
    assert len(find_files((archive, archive / "deep"))) == len(names) == 5


def test_what_is_no_mail_is_left_alone_in_a_folder_and_tried_when_named(tmp_path):
    for name in ("readme.txt", "photo.jpg", "a.eml"):
        (tmp_path / name).write_bytes(b"Subject: x\n\nx")
    (tmp_path / "old").write_bytes(b"From a@b.example Mon\nSubject: x\n\nx")
    assert [each.name for each in find_files((tmp_path,))] == ["a.eml", "old"]
    assert len(find_files((tmp_path / "readme.txt",))) == 1


def test_a_folder_called_tmp_that_is_no_maildirs_is_a_folder_like_any_other(tmp_path):
    folder = tmp_path / "tmp"
    folder.mkdir()
    (folder / "a.eml").write_bytes(b"Subject: x\n\nx")
    assert len(find_files((folder / "a.eml",))) == len(find_files((tmp_path,))) == 1


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    (mail,) = read_mails(tmp_path / "gone.eml", most_bytes=MOST)
    assert mail.fault == "No such file or directory"
