"""The mail door: SMTP and LMTP for the house's mailboxes; 250 only when the mail is on disk and in the database."""

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import threading
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy.exc import SQLAlchemyError

from concierge import blobs, clock, lifeline
from concierge.accounts.queries import find_mailbox
from concierge.config import Config
from concierge.db import Sessions, make_sessions, reading
from concierge.inbound import queries
from concierge.inbound.commands import accept_mail
from concierge.inbound.measures import Welcome
from concierge.mailing.returns import leads_home

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 40
MOST_RECIPIENTS = 100
FINISHING_SECONDS = 25.0
# After so long the door is shut, whatever holds it up.
LEAVING_SECONDS = 28.0
# Honest programs write lines far above the 998 of RFC 5322; what bounds a mail is its size.
_LONGEST_LINE = 1024 * 1024

LATER = "451 4.3.0 We can't take this mail just now. Please try again in a few minutes"
FULL = "452 4.3.1 There is no room for this mail just now. Please try again later"
TOO_MUCH = "451 4.7.1 Very much has come from this sender today. Please keep this mail and try again later"
UNKNOWN = "550 5.1.1 There is no mailbox of that name here"


class MailDoor:
    """What the door answers: who lives here, and whether a mail is safe."""

    def __init__(self, config: Config, sessions: Sessions, source: str = "smtp") -> None:
        self._sessions, self._source = sessions, source
        self._policy, self._return_path = config.policy, config.return_path
        self._secret = config.secret
        self._store = blobs.open_store(config)

    async def handle_RCPT(
        self, server: "DoorProtocol", session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take recipients who have a mailbox here, in any +form; one look into the database each."""
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        try:
            known = await asyncio.to_thread(self._is_known, address)
            first = known and not envelope.rcpt_tos  # who has to wait outside need not send it all to hear so
            if first and await asyncio.to_thread(self._welcome, _path(envelope), 0) is Welcome.LATER:
                return TOO_MUCH
        except SQLAlchemyError:
            log.exception("the mail door could not look up a mailbox")
            return LATER
        if not known:
            return UNKNOWN
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Recipient OK"

    async def handle_DATA(self, server: "DoorProtocol", session: Session, envelope: Envelope) -> str:
        """Keep the mail; 250 only after blob and row are durable (F01), 4xx for what passes (F16)."""
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        path = _path(envelope)
        try:
            welcome = await asyncio.to_thread(self._welcome, path, len(raw))
            if welcome is Welcome.LATER:
                return TOO_MUCH
            held = welcome is Welcome.HELD
            number = await asyncio.to_thread(self._accept, raw, path, list(envelope.rcpt_tos), held)
        except OSError as error:
            log.exception("the mail door could not keep a mail")
            return FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else LATER
        except SQLAlchemyError:
            log.exception("the mail door could not note a mail")
            return LATER
        return f"250 2.0.0 Thank you, we have it as {number}"

    async def handle_exception(self, error: Exception) -> str:
        """Whatever else goes wrong is ours and may pass: nothing of it is told, and the sender keeps the mail."""
        log.error("the mail door stumbled", exc_info=error)
        return LATER

    def _is_known(self, address: str) -> bool:
        if leads_home(self._secret, address, at=self._return_path):
            return True
        with reading(self._sessions) as session:
            return find_mailbox(session, address) is not None

    def _welcome(self, envelope_from: str, size: int) -> Welcome:
        with reading(self._sessions) as session:
            return queries.welcome(session, envelope_from, size, self._policy, now=clock.now())

    def _accept(self, raw: bytes, envelope_from: str, recipients: list[str], held: bool) -> int:
        with self._sessions() as session:
            mail = accept_mail(
                session,
                self._store,
                raw,
                source=self._source,
                envelope_from=envelope_from,
                recipients=recipients,
                now=clock.now(),
                held=held,
            )
            session.commit()
            return mail.id


def _path(envelope: Envelope) -> str:
    """The return path; aiosmtpd hands the null path over as "<>"."""
    return (envelope.mail_from or "").strip("<>")


class DoorProtocol(SMTP):
    """One connection; knows whether a mail is on its way in, so that closing the door can wait for it."""

    line_length_limit = _LONGEST_LINE

    def __init__(self, door: "Door", handler: MailDoor, most_bytes: int, **options: Any) -> None:
        super().__init__(handler, data_size_limit=most_bytes, **options)
        self._door = door
        self._most_taken = 2 * most_bytes + _LONGEST_LINE
        self._taken = 0
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, unless the house is full or closing."""
        if not self._door.admit(self):
            assert isinstance(transport, asyncio.Transport)
            transport.write(b"421 4.3.2 Too many at the door just now, please come back\r\n")
            transport.close()
            return
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the connection."""
        if self in self._door.inside:
            self._door.inside.discard(self)
            super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """Count what one mail pours in: a line that never ends is cut off before it fills the memory."""
        self._taken += len(data)
        if self._taken > self._most_taken and isinstance(self.transport, asyncio.Transport):
            self.transport.abort()
            return
        super().data_received(data)

    async def smtp_DATA(self, arg: str) -> None:
        """Receive one mail."""
        self.busy, self._taken = True, 0
        try:
            await super().smtp_DATA(arg)
        finally:
            self.busy, self._taken = False, 0
        if self._door.closing:
            await self.dismiss()

    async def smtp_EHLO(self, hostname: str) -> None:
        """Begin anew; what was counted belongs to the past."""
        self._taken = 0
        await super().smtp_EHLO(hostname)

    async def dismiss(self) -> None:
        """Say goodbye between two mails."""
        with contextlib.suppress(ConnectionError):
            await self.push("421 4.3.2 We are closing; please come back in a moment")
        if self.transport is not None:
            self.transport.close()


class LmtpProtocol(LMTP, DoorProtocol):
    """The same for a mail system beside us (RFC 2033): after a mail one answer for each of its recipients."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._unanswered = 0

    async def push(self, status: str) -> None:  # type: ignore[override]
        """Say something; what is said of a mail that was received, whatever it is, is said for each recipient."""
        if status.startswith("354"):
            self._unanswered = len(self.envelope.rcpt_tos) if self.envelope else 0
        elif self._unanswered:
            status, self._unanswered = "\r\n".join([status] * self._unanswered), 0
        await super().push(status)


class Door:
    """The listening door on an event loop."""

    def __init__(self, config: Config, sessions: Sessions) -> None:
        """Nothing listens until `open`."""
        self._config = config
        self._smtp, self._lmtp = MailDoor(config, sessions), MailDoor(config, sessions, "lmtp")
        self.inside: set[DoorProtocol] = set()
        self.closing = False
        self._servers: list[asyncio.Server] = []

    def admit(self, connection: DoorProtocol) -> bool:
        """Whether one more may come in."""
        if self.closing or len(self.inside) >= MOST_CONNECTIONS:
            return False
        self.inside.add(connection)
        return True

    async def open(self) -> None:
        """Listen by SMTP, and by LMTP where that is configured; raises OSError when a port is taken."""
        loop, config = asyncio.get_running_loop(), self._config
        self._servers.append(await loop.create_server(self._enter, host=config.smtp_host, port=config.smtp_port))
        if config.lmtp_port:
            self._servers.append(await loop.create_server(self._enter_beside, config.lmtp_host, config.lmtp_port))
        if config.lmtp_socket:
            self._servers.append(await loop.create_unix_server(self._enter_beside, str(config.lmtp_socket)))
            config.lmtp_socket.chmod(0o660)  # for the mail system's group

    def _enter(self) -> DoorProtocol:
        return self._protocol(DoorProtocol, self._smtp)

    def _enter_beside(self) -> DoorProtocol:
        return self._protocol(LmtpProtocol, self._lmtp)

    def _protocol(self, kind: type[DoorProtocol], handler: MailDoor) -> DoorProtocol:
        options = {"hostname": socket.gethostname(), "ident": "Concierge", "enable_SMTPUTF8": True}
        return kind(self, handler, self._config.max_mail_bytes, loop=asyncio.get_running_loop(), **options)

    async def close(self) -> None:
        """Let nobody new in, say goodbye to who waits, and finish the mails that are being received."""
        self.closing = True
        for server in self._servers:
            server.close()
        if self._config.lmtp_socket:
            self._config.lmtp_socket.unlink(missing_ok=True)
        for connection in [each for each in self.inside if not each.busy]:
            await connection.dismiss()
        latest = asyncio.get_running_loop().time() + FINISHING_SECONDS
        while self.inside and asyncio.get_running_loop().time() < latest:
            await asyncio.sleep(0.02)
        for connection in list(self.inside):
            if isinstance(connection.transport, asyncio.Transport):
                connection.transport.abort()  # no 250 was said: the sender keeps the mail and comes again


class OpenDoor:
    """A door in a thread of its own, for tests and for whoever has a loop already."""

    def __init__(self, config: Config) -> None:
        """Nothing listens until `start`."""
        self._sessions = make_sessions(config)
        self._door = Door(config, self._sessions)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail door", daemon=True)

    def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._door.open(), self._loop).result()

    def stop(self) -> None:
        """Finish the mails that are being received, then close."""
        asyncio.run_coroutine_threadsafe(self._door.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._sessions.kw["bind"].dispose()


def open_door(config: Config) -> OpenDoor:
    """A door for `config` with start() and stop()."""
    return OpenDoor(config)


def run_door(config: Config) -> None:
    """Keep the door open until SIGTERM or SIGINT; then finish the mails that are being received."""
    clock.follow(config.clock_file)
    asyncio.run(_keep_open(config))
    lifeline.leave()


async def _keep_open(config: Config) -> None:
    sessions = make_sessions(config)
    door = Door(config, sessions)
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, told.set)
    lifeline.hold(os.getpid())
    await door.open()
    log.info("the mail door is open on %s:%s", config.smtp_host, config.smtp_port)
    await told.wait()
    lifeline.leave_within(LEAVING_SECONDS)
    await door.close()
    sessions.kw["bind"].dispose()
