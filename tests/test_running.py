"""`concierge run` as a stranger meets it: it opens, says where, stays up, closes, opens again, and explains itself."""

import os
import signal
import smtplib
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from concierge.running import Bell
from concierge.schema import EmptyDatabase
from concierge.starting import FolderUnwritable, HostUnknown, ready_config, require_port
from tests.houses import ROOT, free_port, open_house, start_house
from tests.postgresql import private_server

pytestmark = pytest.mark.slow


def _refusal(*options: str, **settings: str) -> str:
    """What `concierge run` says when it can't open: one sentence and exit code 1."""
    environment = {**os.environ, **{f"CONCIERGE_{name.upper()}": value for name, value in settings.items()}}
    command = [sys.executable, "-m", "concierge", "run", *options]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.removeprefix("Error: ").strip()


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _wait_until(true, seconds: float = 20.0) -> None:
    latest = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < latest
        time.sleep(0.1)


def _is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


def test_a_house_opens_closes_at_ctrl_c_and_opens_again_with_its_data(tmp_path: Path):  # F01, F13
    with open_house(tmp_path / "data") as house:
        with urllib.request.urlopen(house.url + "/sign-in") as page:
            assert page.status == 200
        with smtplib.SMTP("127.0.0.1", house.smtp_port) as smtp:
            smtp.sendmail(
                "barbara@example.com", ["care@maison-solenne.example"], "Subject: Blue?\r\n\r\nIn 36, please.\r\n"
            )
        assert house.close() == 0
    assert _newest_mail(tmp_path / "data").endswith(b"In 36, please.\r\n")
    kept = (tmp_path / "data" / "secret.key").read_text()
    with open_house(tmp_path / "data") as again:
        assert (tmp_path / "data" / "secret.key").read_text() == kept
        assert again.close(signal.SIGTERM) == 0


def _newest_mail(data: Path) -> bytes:
    with closing(sqlite3.connect(data / "concierge.db")) as connection:
        kept = connection.execute("SELECT blob_key FROM inbound_mail ORDER BY id DESC LIMIT 1").fetchone()[0]
    return (data / "blobs" / kept[:2] / kept).read_bytes()


def test_a_bell_rung_by_a_signal_ends_the_wait_it_interrupts():
    bell = Bell()
    before = signal.signal(signal.SIGALRM, lambda *_: bell.ring())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        assert bell.wait(30)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_deaf_part_and_a_slow_knock_do_not_keep_the_house_from_closing_in_time(tmp_path: Path):  # F13
    program = tmp_path / "program.py"
    program.write_text(
        "import pathlib, signal, time\n"
        "from concierge import lifeline, running\n"
        "from concierge.config import read_config\n"
        "def deaf(config):\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    time.sleep(600)\n"
        "def knock(house):\n"
        f"    pathlib.Path({str(tmp_path / 'begun')!r}).touch()\n"
        "    time.sleep(6)\n"
        "running.PARTS = {'deaf': deaf}\n"
        "running.House._pages_answer = knock\n"
        "running.CLOSING_SECONDS = 7.0\n"
        f"running.House(read_config(data={str(tmp_path / 'data')!r})).run(lambda: None)\n"
        "lifeline.leave()\n"
    )
    house = subprocess.Popen([sys.executable, program], env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        _wait_until((tmp_path / "begun").exists, 60)
        told = time.monotonic()
        house.send_signal(signal.SIGTERM)
        assert house.wait(60) == 0
        assert time.monotonic() - told < 11, "seven seconds from the signal on, not from the end of the knock"
    finally:
        house.kill()


def test_who_leaves_says_what_it_has_to_say_and_takes_nothing_down(tmp_path: Path):
    said = (
        "import atexit, sys; from concierge import lifeline; atexit.register(print, 'down'); sys.stdout.write('kept'); "
    )
    for ending, words in (("lifeline.leave(3)", "kept"), ("sys.exit(3)", "keptdown\n")):
        done = subprocess.run(
            [sys.executable, "-c", said + ending], env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (3, words)


def test_who_is_to_leave_is_gone_though_nobody_reads_what_it_says():
    code = (
        "import os, time; from concierge import lifeline\n"
        "os.set_blocking(1, False)\n"
        "try:\n    while True: os.write(1, b'x' * 65536)\n"
        "except BlockingIOError: os.set_blocking(1, True)\n"
        "lifeline.leave_within(0.3); print('last words', flush=True); time.sleep(60)"
    )
    unread = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
    )
    try:
        assert unread.wait(30) == 0
    finally:
        unread.kill()
        unread.stdout.close()


def test_a_part_that_dies_is_set_up_again(tmp_path: Path):
    with open_house(tmp_path / "data", "--no-demo") as house:
        before = _children(house.process.pid)
        os.kill(before[-1], signal.SIGKILL)
        _wait_until(lambda: len(_children(house.process.pid)) == len(before) and _children(house.process.pid) != before)
        with urllib.request.urlopen(house.url + "/sign-in") as page:
            assert page.status == 200
        assert "stopped with code -9; starting it again" in house.words


def test_when_the_house_is_killed_its_parts_do_not_linger(tmp_path: Path):
    with open_house(tmp_path / "data", "--no-demo") as house:
        children = _children(house.process.pid)
        house.process.kill()
        _wait_until(lambda: all(_is_gone(pid) for pid in children), 40)


def test_a_port_in_use_is_one_sentence_that_names_the_option(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        free = str(free_port())
        pages = _refusal("--port", str(taken), "--smtp-port", free, "--data", str(tmp_path))
        assert pages == f"Port {taken} on 127.0.0.1 is already in use; choose another with --port or CONCIERGE_PORT."
        door = _refusal("--port", free, "--smtp-port", str(taken), "--data", str(tmp_path))
        assert door.endswith("choose another with --smtp-port or CONCIERGE_SMTP_PORT.")


def test_an_address_that_is_not_this_machines_is_one_sentence_that_names_its_variable():
    for host in ("192.0.2.7", "999.1.1.1"):
        with pytest.raises(HostUnknown, match=rf"no address {host} .* CONCIERGE_SMTP_HOST"):
            require_port(host, free_port(), "--smtp-port")


def test_an_unwritable_folder_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    said = _refusal(
        "--port", str(free_port()), "--smtp-port", str(free_port()), "--data", str(tmp_path / "file" / "data")
    )
    assert said.startswith(f"The data folder {tmp_path}/file/data can't be written")
    assert "--data or CONCIERGE_DATA" in said
    ports = ("--port", str(free_port()), "--smtp-port", str(free_port()))
    outbox = _refusal(*ports, "--data", str(tmp_path / "data"), outbox=str(tmp_path / "file" / "outbox"))
    assert outbox.startswith(f"The outbox {tmp_path}/file/outbox can't be written")
    assert "CONCIERGE_OUTBOX" in outbox


def test_a_part_that_runs_alone_makes_its_data_folder_or_says_why_it_can_not(tmp_path: Path, monkeypatch):
    """On PostgreSQL nothing else does: a worker without one could note no mail, and sent none."""
    monkeypatch.setenv("CONCIERGE_DATA", str(tmp_path / "its" / "own"))
    with pytest.raises(EmptyDatabase):
        ready_config()
    assert (tmp_path / "its" / "own").is_dir()
    (tmp_path / "a file").touch()
    monkeypatch.setenv("CONCIERGE_DATA", str(tmp_path / "a file" / "in it"))
    with pytest.raises(FolderUnwritable, match="choose another with CONCIERGE_DATA"):
        ready_config()


def test_a_database_of_a_newer_concierge_is_one_sentence(tmp_path: Path, migrated: Path):
    (tmp_path / "concierge.db").write_bytes(migrated.read_bytes())
    with sqlite3.connect(tmp_path / "concierge.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    said = _refusal("--port", str(free_port()), "--smtp-port", str(free_port()), "--data", str(tmp_path))
    assert "made by a newer Concierge" in said
    assert len(said.splitlines()) == 1


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path):
    (tmp_path / "concierge.db").write_text("this is a letter, not a database" * 100)
    said = _refusal("--port", str(free_port()), "--smtp-port", str(free_port()), "--data", str(tmp_path))
    assert "file is not a database" in said
    assert len(said.splitlines()) == 1


def test_every_mistake_in_the_settings_is_said_at_once():
    said = _refusal(port="many", provider="pigeon", policy_undo_seconds="-3")
    assert {"CONCIERGE_PORT", "CONCIERGE_PROVIDER", "CONCIERGE_POLICY_UNDO_SECONDS"} == {
        line.partition(":")[0] for line in said.splitlines()
    }


def test_a_house_runs_on_postgresql_and_refuses_one_that_may_forget(tmp_path: Path):  # F17
    with private_server(durable=True) as url:
        house = start_house(tmp_path, "--no-demo", database_url=url.format("postgres"))
        with urllib.request.urlopen(house.url + "/sign-in") as page:
            assert page.status == 200
        assert house.close() == 0
    with private_server() as url:
        ports = ("--port", str(free_port()), "--smtp-port", str(free_port()))
        said = _refusal(*ports, "--data", str(tmp_path), database_url=url.format("postgres"))
        assert "fsync is off" in said
