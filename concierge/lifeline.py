"""A process started by another ends when that other is gone, however it went."""

import os
import signal
import threading

LIFELINE = "CONCIERGE_LIFELINE"


def hold(process: int) -> None:
    """Stop `process` (SIGTERM) when the far end of the pipe named in the environment closes; nothing without one."""
    if not (lifeline := os.environ.get(LIFELINE)):
        return

    def wait() -> None:
        os.read(int(lifeline), 1)
        os.kill(process, signal.SIGTERM)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
