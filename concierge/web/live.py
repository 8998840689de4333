"""Pages that stay open to hear what is new, and how they are let go when the house closes."""

import threading

# A stream waits on this instead of sleeping, and ends when it is set.
STOPPING = threading.Event()


def stop_all() -> None:
    """Let go of all live pages of this process; called when it is told to stop."""
    STOPPING.set()
