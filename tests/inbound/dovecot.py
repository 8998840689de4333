"""A Dovecot of our own for one test: IMAP on a free port, its mails in a folder; only where it is installed."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import imapclient

from tests.houses import free_port

PROGRAM = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
_SETTINGS = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
first_valid_uid = 1
default_vsz_limit = 512M
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


@dataclass
class Dovecot:
    """The running server."""

    port: int
    folder: Path

    def client(self) -> imapclient.IMAPClient:
        """A mail program of somebody else's, signed in."""
        client = imapclient.IMAPClient("127.0.0.1", port=self.port, ssl=False, timeout=30)
        client.login("care@maison-solenne.example", "secret")
        return client


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """Start it, and end it with all it has started."""
    assert PROGRAM is not None
    # Short, for the names of its sockets; and open to the user it reads mail as.
    folder = Path(tempfile.mkdtemp(prefix="dove-", dir="/tmp"))
    folder.chmod(0o777)
    running = Dovecot(free_port(), folder)
    (folder / "conf").write_text(_SETTINGS.format(folder=folder, port=running.port), encoding="ascii")
    process = subprocess.Popen([PROGRAM, "-F", "-c", str(folder / "conf")], stderr=subprocess.DEVNULL)
    try:
        _wait(running)
        yield running
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(running: Dovecot) -> None:
    for _try in range(200):
        try:
            running.client().logout()
            return
        except (OSError, imapclient.exceptions.IMAPClientError):
            time.sleep(0.05)
    raise AssertionError((running.folder / "log").read_text(encoding="utf-8"))
