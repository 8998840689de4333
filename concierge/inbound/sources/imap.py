"""Speaks IMAP: one folder of one mail account over one connection, in the few words that reading it takes."""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from concierge.errors import ConciergeError
from concierge.imap_settings import SYSTEM_FLAGS, ImapAccount

# It would write down every command on the level of debugging, and we may never log what is in a mail.
logging.getLogger("imapclient").setLevel(logging.WARNING)

_CONNECT_SECONDS, _ANSWER_SECONDS = 15.0, 60.0
# RFC 2177 lets a server end an IDLE after 30 minutes; a line that a router in between forgot is noticed sooner.
_IDLE_SECONDS = 5 * 60.0
_GLANCE_SECONDS = 15.0
# One answer to a search is one line, and no line may be longer than a megabyte.
_SEARCHED_AT_ONCE = 50_000
_SIZES_AT_ONCE = 500

CutOff = (IMAPClientAbortError, OSError)
Refused = IMAPClientError


class LoginRefused(ConciergeError):
    """The mail server does not let us in."""


class FolderUnfit(ConciergeError):
    """This folder can't be read as it is configured."""


class _Client(IMAPClient):  # type: ignore[misc]
    """A connection that knows whether the server mentioned new mail in between."""

    def heard_of_news(self) -> bool:
        """Whether it said how many mails there are since this was asked last."""
        return self._imap.response("EXISTS")[1] != [None]


class ImapFolder:
    """A folder that is open for reading; whatever breaks the line raises one of CutOff, a server's no Refused."""

    def __init__(self, account: ImapAccount, name: str, token: Callable[[], str] | None = None) -> None:
        """`token` gives an OAuth2 access token, for accounts that have no password."""
        self._account, self._name, self._token = account, name, token
        self._client: Any = None
        self._exists = self._uid_next = 0
        self._idles = self._moves = self._expunges = False
        self.validity = 0

    def open(self, *, prepare: bool = True) -> None:
        """Connect, sign in, select; raises LoginRefused, FolderUnfit and as the class says.

        `prepare` makes the folder that mails are moved to, if it is missing.
        """
        self._client = _connect(self._account)
        self._sign_in()
        capabilities = {each.decode("ascii", "replace") for each in self._client.capabilities()}
        self._idles, self._moves = "IDLE" in capabilities, "MOVE" in capabilities
        self._expunges = "UIDPLUS" in capabilities
        if prepare and self._account.move_to and not self._client.folder_exists(self._account.move_to):
            self._client.create_folder(self._account.move_to)
        self._select()

    def close(self) -> None:
        """Say goodbye, or just go."""
        client, self._client = self._client, None
        if client is not None:
            client.__exit__(None, None, None)

    def interrupt(self) -> None:
        """Break the line from another thread: whoever waits on it hears of it at once."""
        with suppress(AttributeError, OSError):
            self._client.socket().shutdown(socket.SHUT_RDWR)

    @property
    def idles(self) -> bool:
        """Whether the server tells of new mail by itself."""
        return self._idles

    @property
    def exists(self) -> int:
        """How many mails it held when it was opened."""
        return self._exists

    def has_news(self) -> bool:
        """Whether the server mentioned new mail since this was asked last."""
        return bool(self._client.heard_of_news())

    def list_all(self, *, after: int = 0) -> list[int]:
        """The UIDs of all mails above `after`, lowest first; those marked too."""
        return [uid for uid in self._search() if uid > after]

    def list_waiting(self) -> list[int]:
        """The UIDs of the mails that we have not marked, lowest first; where we move them away, of all."""
        if self._account.move_to:
            return self._search()
        flag = self._account.flag
        return self._search(*([f"UN{flag[1:].upper()}"] if flag in SYSTEM_FLAGS else ["UNKEYWORD", flag]))

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """How large each is, as far as the server says; those that are gone are left out."""
        found: dict[int, int] = {}
        for first in range(0, len(uids), _SIZES_AT_ONCE):
            answers = self._client.fetch(uids[first : first + _SIZES_AT_ONCE], ["RFC822.SIZE"])
            found |= {uid: int(said.get(b"RFC822.SIZE") or 0) for uid, said in answers.items()}
        return found

    def fetch(self, uids: Sequence[int]) -> dict[int, bytes]:
        """The bytes of each, without marking it as read; those the server did not give are left out."""
        answers = self._client.fetch(list(uids), ["BODY.PEEK[]"])
        return {uid: raw for uid, said in answers.items() if isinstance(raw := said.get(b"BODY[]"), bytes)}

    def settle(self, uids: Sequence[int]) -> None:
        """Move them away, or mark them, as the account says. To do it twice changes nothing more.

        A server that can't move copies; cut off in between, it is asked to copy once more.
        """
        if not self._account.move_to:
            self._client.add_flags(uids, [self._account.flag], silent=True)
        elif self._moves:
            self._client.move(uids, self._account.move_to)
        else:
            self._client.copy(uids, self._account.move_to)
            self._client.add_flags(uids, ["\\Deleted"], silent=True)
            if self._expunges:  # without it an EXPUNGE would take away what others have deleted, too
                self._client.uid_expunge(uids)

    def wait(self, told: threading.Event) -> None:
        """Until the server tells of new mail, or it is time to look anyway, or `told`."""
        if self._idles:
            try:
                self._client.idle()
            except IMAPClientAbortError:
                raise
            except IMAPClientError:
                self._idles = False  # it promised, and does not; ask every now and then instead
        if not self._idles:
            told.wait(self._account.poll_seconds)
            return
        latest = time.monotonic() + _IDLE_SECONDS
        while not told.is_set() and (left := latest - time.monotonic()) > 0:
            began = time.monotonic()
            said = self._client.idle_check(timeout=min(left, _GLANCE_SECONDS))
            if any(len(each) > 1 and each[1] == b"EXISTS" for each in said):
                break
            if not said and time.monotonic() - began < min(left, _GLANCE_SECONDS) / 2:
                break  # something came that says nothing: most likely the line was cut
        self._client.idle_done()

    def _sign_in(self) -> None:
        account, password = self._account, self._account.password.get_secret_value()
        try:
            if self._token is not None:
                self._client.oauth2_login(account.user, self._token())
            elif (account.user + password).isascii():
                self._client.login(account.user, password)
            else:  # LOGIN knows no other letters than those of ASCII
                self._client.plain_login(account.user, password)
        except LoginError as error:
            words = str(error).splitlines()[0][:200]
            raise LoginRefused(f"{account.host} does not let {account.user} in ({words}).") from error

    def _select(self) -> None:
        account = self._account
        try:
            said = self._client.select_folder(self._name)
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            there = ", ".join(sorted(str(name) for _flags, _mark, name in self._client.list_folders())[:12])
            raise FolderUnfit(
                f"{account.host} does not open the folder {self._name} ({str(error)[:120]}); "
                f"{account.variable('folders')} names it. There are: {there}."
            ) from error
        self.validity = int(said.get(b"UIDVALIDITY") or 0)
        if not self.validity:
            raise FolderUnfit(f"{account.host} gives the mails in {self._name} no lasting numbers (UIDVALIDITY).")
        self._exists, self._uid_next = int(said.get(b"EXISTS") or 0), int(said.get(b"UIDNEXT") or 1)
        if not account.move_to and not _keeps(account.flag, said.get(b"PERMANENTFLAGS")):
            raise FolderUnfit(
                f"{account.host} keeps no flag {account.flag} in {self._name}; set {account.variable('flag')} to "
                f"\\Flagged, or {account.variable('move_to')} to a folder that mails are moved to."
            )

    def _search(self, *criteria: str) -> list[int]:
        since = ["SINCE", self._account.since] if self._account.since else []
        asked: list[Any] = ["UNDELETED", *since, *criteria]
        if self._exists <= _SEARCHED_AT_ONCE:
            return sorted(self._client.search(asked))
        found: set[int] = set()
        for first in range(1, self._uid_next, _SEARCHED_AT_ONCE):
            last = min(first + _SEARCHED_AT_ONCE, self._uid_next) - 1
            found.update(self._client.search(["UID", f"{first}:{last}", *asked]))
        found.update(self._client.search(["UID", f"{self._uid_next}:*", *asked]))
        return sorted(found)


def _keeps(flag: str, permanent: Sequence[bytes] | None) -> bool:
    """Whether a server that said which flags last keeps this one; one that says nothing keeps all (RFC 3501, 7.1)."""
    if permanent is None:
        return True
    kept = {each.decode("ascii", "replace").lower() for each in permanent}
    return flag.lower() in kept or ("\\*" in kept and flag not in SYSTEM_FLAGS)


def _connect(account: ImapAccount) -> Any:
    timeout = SocketTimeout(connect=_CONNECT_SECONDS, read=_ANSWER_SECONDS)
    context = None if account.tls == "none" else ssl.create_default_context()
    client = _Client(account.host, port=account.port, ssl=account.tls == "tls", ssl_context=context, timeout=timeout)
    if account.tls == "starttls":
        client.starttls(context)
    return client
