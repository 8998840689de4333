"""Whether this process was told to stop: jobs look here between two rows, so that none begins what it can't finish."""

import threading

# Set once, by SIGTERM or SIGINT; never cleared.
TOLD = threading.Event()
