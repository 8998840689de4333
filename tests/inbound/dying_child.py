"""The reading process, but a mail that says poison is a segmentation fault, and one that says sleep stops it."""

import os
import signal

from concierge.inbound import reading_child
from concierge.inbound.parsed import ParsedMail, Unreadable
from concierge.inbound.parsing import parse_mail


def parse_or_die(raw: bytes, **asked: object) -> ParsedMail | Unreadable:
    """Read the mail, if it lets us."""
    if b"poison" in raw:
        os.kill(os.getpid(), signal.SIGSEGV)
    if b"sleep" in raw:
        os.kill(os.getpid(), signal.SIGSTOP)
    return parse_mail(raw, **asked)  # type: ignore[arg-type]


if __name__ == "__main__":
    reading_child.parse_mail = parse_or_die
    reading_child.main()
