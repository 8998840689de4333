"""Mail by SMTP over one connection that is kept open, with every outcome told apart (RFC 5321)."""

import contextlib
import logging
import re
import smtplib
import socket
import ssl
from threading import Lock
from typing import Any
from urllib.parse import unquote, urlsplit

from flask_babel import gettext as _

from concierge.config import RELAY_PORTS, check_relay_url
from concierge.mailing.dkim import Signer
from concierge.mailing.mail import is_in_ascii, wire_address
from concierge.mailing.providers.base import (
    Accepted,
    Parcel,
    TransportError,
    only_ascii,
    plain,
    unknown_outcome,
    unreachable,
)
from concierge.mailing.providers.deadlines import Deadline, Hearing, reach, say
from concierge.mailing.reasons import Reason

log = logging.getLogger(__name__)

_QUEUED_AS = re.compile(r"queued as <?([A-Za-z0-9._@-]{3,100})", re.IGNORECASE)
_LINE_DOT = re.compile(rb"(?m)^\.")
_READY = (250, 250, 354)  # to MAIL, RCPT and DATA
_GOING_HOME = 421
_SECONDS = 25.0  # for all of a mail, from connecting to its last answer
_FAREWELL_SECONDS = 2.0


class SmtpProvider:
    """A relay by URL.

    `smtps://` speaks TLS from the first byte, `smtp+starttls://` insists on STARTTLS, `smtp://` is for a relay on the
    same machine or a trusted network: it sends no password unless the relay is this machine.
    """

    name = "smtp"

    def __init__(
        self,
        url: str,
        *,
        seconds: float = _SECONDS,
        tls: ssl.SSLContext | None = None,
        signer: Signer | None = None,
    ) -> None:
        """Nothing is connected yet; raises ValueError for a URL that names no relay (Config has seen to that)."""
        parts = urlsplit(check_relay_url(url))
        self._scheme, self._host = parts.scheme, str(parts.hostname)
        self._port = parts.port or RELAY_PORTS[parts.scheme]
        self._name, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._seconds, self._signer = seconds, signer
        # a relay without TLS needs none; reading the machine's certificates takes longer than all else here
        self._tls = tls if self._scheme == "smtp" else tls or ssl.create_default_context()
        self._connection: _Line | None = None
        self._deadline = Deadline(seconds)
        self._lock = Lock()
        self._lets_signed_pass = True

    def send(self, parcel: Parcel) -> Accepted:
        """Hand over one mail; raises TransportError."""
        raw = parcel.raw
        if self._signer is not None:
            domain = wire_address(parcel.mail.sender.address).rpartition("@")[2]
            raw = self._signer.sign(raw, domain, at=parcel.at)
        with self._lock:
            self._deadline.begin(self._seconds)
            try:
                return self._hand_over(parcel, raw)
            except TransportError as error:
                self._recover(error)
                raise
            except (OSError, smtplib.SMTPException) as error:  # before the last dot: it can't have been taken
                self._drop()
                raise unreachable(self._host, error) from error

    def check(self) -> str:
        """Connect, sign in, say NOOP."""
        with self._lock:
            self._deadline.begin(self._seconds)
            self._drop()
            self._deadline.begin(self._seconds)
            try:
                self._expect(self._connected().noop())
            except (OSError, smtplib.SMTPException) as error:
                raise unreachable(self._host, error) from error
            finally:
                self._drop()
        return str(_("%(host)s answers and lets us in.", host=self._host))

    def close(self) -> None:
        """Say goodbye."""
        with self._lock:
            self._deadline.begin(_FAREWELL_SECONDS)
            self._drop()

    def _hand_over(self, parcel: Parcel, raw: bytes) -> Accepted:
        smtp = self._begin(parcel, len(raw))
        body = _LINE_DOT.sub(b"..", raw)
        # Up to here and while the text is under way nothing can have been accepted: the closing dot is still with us.
        self._stream(smtp, body)
        try:
            self._stream(smtp, b".\r\n")
            answer = smtp.getreply()
            if not 200 <= answer[0] < 600:
                raise smtplib.SMTPResponseException(*answer)
        except (OSError, smtplib.SMTPException) as error:
            raise unknown_outcome(self._host, error) from error
        code, words = self._expect(answer)
        found = _QUEUED_AS.search(words)
        return Accepted(found[1] if found else f"{code} {words}"[:200])

    def _begin(self, parcel: Parcel, size: int) -> smtplib.SMTP:
        """The envelope. A relay that lets no signed sender pass is given the mail's own from then on.

        Postfix says so at the recipient only (`smtpd_delay_reject`), so that any refusal is tried a second time.
        """
        signed = parcel.return_path if self._lets_signed_pass else ""
        if signed:
            try:
                return self._address(signed, parcel, size)
            except TransportError as error:
                if not error.permanent:
                    raise
                self._recover(error)
        smtp = self._address(parcel.mail.sender.address, parcel, size)
        if signed:
            self._lets_signed_pass = False
            log.warning("%s refuses signed return paths; mail that comes back is known by its Message-ID", self._host)
        return smtp

    def _address(self, sender: str, parcel: Parcel, size: int) -> smtplib.SMTP:
        """From whom, to whom, and that the text is next; raises TransportError unless the relay is ready for it."""
        smtp, answers = self._say_envelope(wire_address(sender), wire_address(parcel.mail.to.address), size)
        try:
            for answer, ready in zip(answers, _READY, strict=False):  # it stops at the first refusal
                self._expect(answer, ready=ready)
        except TransportError:
            if answers[-1][0] == _READY[-1]:  # it waits for a text all the same (RFC 2920, 3.1), and is given none
                smtp.close()
                self._connection = None
            raise
        return smtp

    def _say_envelope(self, sender: str, recipient: str, size: int) -> tuple[smtplib.SMTP, list[tuple[int, bytes]]]:
        """What is answered to it on a live connection: one that died while idle is replaced once."""
        while True:
            fresh = self._connection is None
            smtp = self._connected()
            options = self._options(smtp, recipient, size)
            commands = [" ".join((f"MAIL FROM:<{sender}>", *options)), f"RCPT TO:<{recipient}>", "DATA"]
            try:
                answers = self._ask(smtp, commands)
                if fresh or answers[0][0] != _GOING_HOME:
                    return smtp, answers
            except (OSError, smtplib.SMTPException):
                if fresh:
                    raise
            self._drop()

    def _ask(self, smtp: smtplib.SMTP, commands: list[str]) -> list[tuple[int, bytes]]:
        """The answers to these: said together where the relay takes that (RFC 2920), else each once the last is heard.

        None is said behind a refusal, and nothing more is heard of a relay that goes home.
        """
        if any("\r" in each or "\n" in each for each in commands):  # `mail.check` has seen to that
            raise ValueError("a command is one line")
        together = smtp.has_extn("pipelining")
        if together:
            self._stream(smtp, "".join(f"{each}\r\n" for each in commands).encode())
        answers: list[tuple[int, bytes]] = []
        for command in commands:
            if not together:
                self._stream(smtp, f"{command}\r\n".encode())
            answers.append(smtp.getreply())
            if answers[-1][0] == _GOING_HOME or (answers[-1][0] >= 400 and not together):
                break
        return answers

    def _options(self, smtp: smtplib.SMTP, recipient: str, size: int) -> list[str]:
        """What is said beside the sender; raises TransportError for what this relay does not take.

        That a body is 8-bit never is: ours are 7-bit, whatever their words.
        """
        limit = smtp.esmtp_features.get("size", "")
        if limit.isdigit() and 0 < int(limit) < size:
            raise TransportError(
                Reason.TOO_LARGE.of(host=self._host, size=size),
                permanent=True,
            )
        if not is_in_ascii(recipient) and not smtp.has_extn("smtputf8"):
            raise only_ascii(self._host, recipient)
        sized = [f"SIZE={size}"] if smtp.has_extn("size") else []
        return sized if is_in_ascii(recipient) else [*sized, "SMTPUTF8"]

    def _stream(self, smtp: smtplib.SMTP, data: bytes) -> None:
        if smtp.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        say(smtp.sock, data, self._deadline)

    def _recover(self, error: TransportError) -> None:
        """After a plain refusal the connection is as good as new; otherwise it is given up."""
        if error.reached and not error.uncertain and self._connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                if self._connection.rset()[0] == 250:
                    return
        self._drop()

    def _connected(self) -> smtplib.SMTP:
        if self._connection is not None:
            return self._connection
        smtp = _Line(self._host, self._port, self._deadline, self._tls if self._scheme == "smtps" else None)
        self._connection = smtp
        if smtp.sock is not None:  # the closing dot is a small packet of its own and must not wait (RFC 896)
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        smtp.ehlo_or_helo_if_needed()
        if self._scheme == "smtp+starttls":
            smtp.starttls(context=self._tls)
            smtp.ehlo()
        if self._name:
            try:
                smtp.login(self._name, self._password)
            except smtplib.SMTPAuthenticationError as error:
                raise TransportError(Reason.NOT_LET_IN.of(host=self._host), reached=False) from error
        return smtp

    def _expect(self, answer: tuple[int, bytes], *, ready: int = 250) -> tuple[int, str]:
        """The answer when it is a yes; else a TransportError: 4xx may be tried again, 5xx may not (RFC 5321, 4.2.1)."""
        code, words = answer[0], plain(answer[1].decode("utf-8", "replace"))
        if code == ready or (ready == 250 and 200 <= code < 300):
            return code, words
        raise TransportError(
            Reason.SAID.of(host=self._host, code=code, words=words),
            permanent=500 <= code < 600,
            reached=code != _GOING_HOME,
        )

    def _drop(self) -> None:
        if self._connection is not None:
            self._deadline.hasten(_FAREWELL_SECONDS)
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._connection.quit()
            self._connection.close()
            self._connection = None


class _Line(smtplib.SMTP):
    """A connection to a relay on which all that is said and heard is over at one deadline."""

    def __init__(self, host: str, port: int, deadline: Deadline, tls: ssl.SSLContext | None) -> None:
        """Connect, speaking `tls` from the first byte if it is given; raises OSError, SMTPException."""
        self._deadline, self._implicit = deadline, tls
        super().__init__(host, port)

    def _get_socket(self, host: str, port: int, _timeout: float) -> socket.socket:
        sock = reach(host, port, self._deadline)
        return self._implicit.wrap_socket(sock, server_hostname=host) if self._implicit else sock

    def send(self, s: Any) -> None:
        """Say it; raises SMTPServerDisconnected."""
        data = s.encode(self.command_encoding) if isinstance(s, str) else s
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("please run connect() first")
        try:
            say(self.sock, data, self._deadline)
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected(str(error)) from error

    def docmd(self, cmd: str, args: str = "") -> tuple[int, bytes]:
        """Say a command and give its answer; raises OSError, SMTPException."""
        answer = super().docmd(cmd, args)
        if cmd == "STARTTLS" and self.sock is not None:  # a handshake takes as long as its socket says
            self._deadline.give(self.sock)
        return answer

    def getreply(self) -> tuple[int, bytes]:
        """The next answer; raises SMTPServerDisconnected."""
        if self.file is None and self.sock is not None:
            self.file = Hearing(self.sock, self._deadline).makefile()
        return super().getreply()
