"""A mail server of ours that speaks IMAP, as much as reading takes, and cuts the line where it is told to."""

import re
import socketserver
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Stored:
    """One mail on the server."""

    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


@dataclass
class Box:
    """One folder: its numbers, its mails."""

    validity: int = 1
    next_uid: int = 1
    mails: list[Stored] = field(default_factory=list)

    def add(self, raw: bytes, *flags: str) -> int:
        """One more mail; its UID."""
        self.mails.append(Stored(self.next_uid, raw, set(flags)))
        self.next_uid += 1
        return self.next_uid - 1

    def renumber(self) -> None:
        """As a server does that was restored: other numbers for the same mails."""
        self.validity += 1
        for number, mail in enumerate(self.mails, self.next_uid):
            mail.uid = number
        self.next_uid += len(self.mails)


class ImapServer(socketserver.ThreadingTCPServer):
    """The server; what it holds outlives every connection."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        self.boxes = {"INBOX": Box()}
        self.capabilities = "IMAP4rev1 IDLE MOVE UIDPLUS SASL-IR AUTH=XOAUTH2"
        self.permanent = "\\Seen \\Flagged \\Deleted \\*"
        self.tokens = {"token-1"}
        self.commands: list[str] = []
        # whether to cut the line before a command is done, or after, before its answer; given the command's number
        self.cuts: Callable[[int, str], str] = lambda _number, _command: ""
        self.refuses: Callable[[str], bool] = lambda _command: False
        self.idling = threading.Event()
        super().__init__(("127.0.0.1", 0), Talk)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def inbox(self) -> Box:
        return self.boxes["INBOX"]


class Cut(Exception):
    """The line is cut."""


class Talk(socketserver.StreamRequestHandler):
    """One connection."""

    server: Any

    def handle(self) -> None:
        self.box: Box | None = None
        self.say("* OK ready")
        try:
            while line := self.rfile.readline().decode("latin-1").strip():
                tag, _, command = line.partition(" ")
                if self.answer(tag, command):
                    return
        except (Cut, OSError):
            return

    def say(self, text: str | bytes) -> None:
        self.wfile.write((text if isinstance(text, bytes) else text.encode()) + b"\r\n")

    def answer(self, tag: str, command: str) -> bool:
        server = self.server
        verb = re.match(r"(?:UID )?\w+", command, re.IGNORECASE)
        name = verb.group().upper().replace(" ", "_") if verb else ""
        server.commands.append(command)
        cut = server.cuts(len(server.commands), command)
        if cut == "before":
            raise Cut
        if server.refuses(command):
            self.say(f"{tag} NO [SERVERBUG] not now")
            return False
        words = getattr(self, f"do_{name.lower()}")(tag, command)
        if cut == "after":
            raise Cut
        self.say(f"{tag} {words or 'OK done'}")
        return name == "LOGOUT"

    def do_capability(self, _tag: str, _command: str) -> None:
        self.say(f"* CAPABILITY {self.server.capabilities}")

    def do_login(self, _tag: str, command: str) -> str | None:
        return None if 'secret"' in command or command.endswith("secret") else "NO [AUTHENTICATIONFAILED] no"

    def do_authenticate(self, _tag: str, command: str) -> str | None:
        said = command.split(" ")[2:]
        if not said:
            self.say("+ ")
            said = [self.rfile.readline().decode().strip()]
        token = b64decode(said[0]).decode().partition("Bearer ")[2].strip("\1")
        return None if token in self.server.tokens else "NO [AUTHENTICATIONFAILED] no"

    def do_list(self, _tag: str, command: str) -> None:
        asked = command.rsplit(" ", maxsplit=1)[-1].strip('"')
        for name in self.server.boxes:
            if asked in {name, "*"}:
                self.say(f'* LIST () "/" "{name}"')

    def do_create(self, _tag: str, command: str) -> None:
        self.server.boxes.setdefault(command.rsplit(" ", maxsplit=1)[-1].strip('"'), Box(validity=7))

    def do_select(self, _tag: str, command: str) -> str | None:
        self.box = self.server.boxes.get(command.split(" ", 1)[1].strip('"'))
        if self.box is None:
            return "NO [NONEXISTENT] no such folder"
        for line in (
            f"{len(self.box.mails)} EXISTS",
            "0 RECENT",
            "FLAGS (\\Seen)",
            f"OK [PERMANENTFLAGS ({self.server.permanent})] limited",
            f"OK [UIDVALIDITY {self.box.validity}] numbers",
            f"OK [UIDNEXT {self.box.next_uid}] next",
        ):
            self.say(f"* {line}")
        return "OK [READ-WRITE] done"

    def do_uid_search(self, _tag: str, command: str) -> None:
        asked = command.split(" ")
        unwanted = {"\\Deleted"} if "UNDELETED" in asked else set()
        unwanted |= {asked[asked.index("UNKEYWORD") + 1]} if "UNKEYWORD" in asked else set()
        unwanted |= {"\\Flagged"} if "UNFLAGGED" in asked else set()
        found = [str(mail.uid) for mail in self.box.mails if not mail.flags & unwanted]
        self.say(" ".join(["* SEARCH", *found]))

    def chosen(self, command: str) -> list[tuple[int, Stored]]:
        uids = {int(each) for each in command.split(" ")[2].split(",")}
        return [(number, mail) for number, mail in enumerate(self.box.mails, 1) if mail.uid in uids]

    def do_uid_fetch(self, _tag: str, command: str) -> None:
        for number, mail in self.chosen(command):
            if "RFC822.SIZE" in command:
                self.say(f"* {number} FETCH (UID {mail.uid} RFC822.SIZE {len(mail.raw)})")
            else:
                head = f"* {number} FETCH (UID {mail.uid} BODY[] {{{len(mail.raw)}}}\r\n".encode()
                self.say(head + mail.raw + b")")

    def do_uid_store(self, _tag: str, command: str) -> None:
        for _number, mail in self.chosen(command):
            mail.flags |= set(re.findall(r"\((.*)\)", command)[0].split())

    def do_uid_copy(self, _tag: str, command: str) -> None:
        for _number, mail in self.chosen(command):
            self.server.boxes[command.rsplit(" ", maxsplit=1)[-1].strip('"')].add(mail.raw)

    def do_uid_expunge(self, _tag: str, command: str) -> None:
        gone = {mail.uid for _number, mail in self.chosen(command) if "\\Deleted" in mail.flags}
        self.box.mails = [mail for mail in self.box.mails if mail.uid not in gone]

    def do_uid_move(self, tag: str, command: str) -> None:
        self.do_uid_copy(tag, command)
        for _number, mail in self.chosen(command):
            mail.flags.add("\\Deleted")
        self.do_uid_expunge(tag, command)

    def do_idle(self, _tag: str, _command: str) -> None:
        self.say("+ idling")
        self.server.idling.set()
        known = len(self.box.mails)
        self.connection.setblocking(False)
        while True:
            try:
                if self.connection.recv(100):
                    break
                raise Cut
            except BlockingIOError:
                time.sleep(0.005)
            if len(self.box.mails) != known:
                known = len(self.box.mails)
                self.say(f"* {known} EXISTS")
        self.connection.setblocking(True)

    def do_noop(self, _tag: str, _command: str) -> None:
        """Nothing."""

    def do_logout(self, _tag: str, _command: str) -> None:
        self.say("* BYE")
