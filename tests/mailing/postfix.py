"""A Postfix of our own for one test: a relay on a free port, its queue in a folder; only where it is installed."""

import grp
import os
import pwd
import shutil
import signal
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.houses import end_with_us, free_port

MASTER = Path("/usr/lib/postfix/sbin/master")
_POSTSUPER = Path("/usr/sbin/postsuper")
_SETTINGS = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {programs}
myhostname = relay.example
mydestination =
local_recipient_maps =
alias_maps =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
disable_dns_lookups = yes
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
transport_maps = inline:{{ {ways} }}
smtp_connection_cache_on_demand = no
delay_warning_time = 1s
bounce_size_limit = 20000
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
maillog_file_prefixes = {folder}
maillog_file = {folder}/log
"""
# Beside what every relay has, a second entrance that lets the mailbox itself send and none of its + addresses.
_SERVICES = """
{port} inet n - n - - smtpd
{strict_port} inet n - n - - smtpd
    -o {{ smtpd_sender_restrictions = check_sender_access inline:{{ care@maison-solenne.example=OK }}, reject }}
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
showq unix n - n - - showq
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""
# Whom each folder of a queue belongs to; all others are for Postfix alone.
_SHARED = {"maildrop": 0o730, "public": 0o710}
_FOLDERS = (
    "active",
    "bounce",
    "corrupt",
    "defer",
    "deferred",
    "flush",
    "hold",
    "incoming",
    "private",
    "saved",
    "trace",
)


def _is_here() -> bool:
    with suppress(KeyError):
        return MASTER.exists() and os.getuid() == 0 and bool(pwd.getpwnam("postfix") and grp.getgrnam("postdrop"))
    return False


IS_HERE = _is_here()


@dataclass
class Postfix:
    """The running relay; at `strict_port` it refuses signed senders."""

    port: int
    strict_port: int
    folder: Path

    @property
    def log(self) -> str:
        """What it has written down."""
        return (self.folder / "log").read_text(encoding="utf-8")

    def give_up(self) -> None:
        """Have it bring back whatever still waits in its queue, as it does by itself after five days."""
        subprocess.run([_POSTSUPER, "-c", self.folder, "-f", "ALL"], check=True, capture_output=True)


@contextmanager
def postfix(ways: Mapping[str, str]) -> Iterator[Postfix]:
    """Start it, and end it with all it has started; *ways* are where the mail for each domain goes on to."""
    folder = Path(tempfile.mkdtemp(prefix="postfix-", dir="/tmp"))  # short, for the names of its sockets
    folder.chmod(0o755)
    running = Postfix(free_port(), free_port(), folder)
    _make_queue(folder)
    named = ", ".join(f"{{ {domain} = {way} }}" for domain, way in ways.items())
    settings = _SETTINGS.format(folder=folder, programs=MASTER.parent, ways=named)
    services = _SERVICES.format(port=running.port, strict_port=running.strict_port)
    (folder / "main.cf").write_text(settings, encoding="ascii")
    (folder / "master.cf").write_text(services, encoding="ascii")
    process = subprocess.Popen(
        [MASTER, "-c", folder, "-d"],
        start_new_session=True,
        preexec_fn=end_with_us,  # noqa: PLW1509 - as for a house
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(running)
        yield running
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # all at once: asked to end, it takes its time
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _make_queue(folder: Path) -> None:
    postdrop = grp.getgrnam("postdrop").gr_gid
    postfix_id = pwd.getpwnam("postfix").pw_uid
    (folder / "queue" / "pid").mkdir(parents=True)
    (folder / "data").mkdir()
    os.chown(folder / "data", postfix_id, -1)
    for name in (*_FOLDERS, *_SHARED):
        place = folder / "queue" / name
        place.mkdir(mode=0o700)
        os.chown(place, postfix_id, postdrop if name in _SHARED else -1)
        place.chmod(_SHARED.get(name, 0o700))


def _wait(running: Postfix) -> None:
    for _try in range(200):
        with suppress(OSError, smtplib.SMTPException), smtplib.SMTP("127.0.0.1", running.port, timeout=10):
            return
        time.sleep(0.05)
    raise AssertionError(running.log if (running.folder / "log").exists() else "Postfix did not start")
