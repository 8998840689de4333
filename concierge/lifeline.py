"""A process started by another ends when that other is gone, however it went; who is told to stop ends in time."""

import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import NoReturn

LIFELINE = "CONCIERGE_LIFELINE"
_LAST_WORDS_SECONDS = 0.5


def hold(process: int) -> None:
    """Stop `process` (SIGTERM) when the far end of the pipe named in the environment closes; nothing without one."""
    if not (lifeline := os.environ.get(LIFELINE)):
        return

    def wait() -> None:
        os.read(int(lifeline), 1)
        os.kill(process, signal.SIGTERM)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def leave(code: int = 0) -> NoReturn:
    """End this process now, with what it has said; all that it keeps is kept.

    An interpreter that ends by itself takes all its modules down first: on a busy machine that costs half a minute.
    """
    hanging = threading.Timer(_LAST_WORDS_SECONDS, os._exit, [code])  # whoever reads what is said may read no more
    hanging.daemon = True
    hanging.start()
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody listens any more
            stream.flush()
    os._exit(code)


def leave_within(seconds: float) -> None:
    """Leave then, whatever is still in hand: it stays claimed, and is taken up again."""
    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()
