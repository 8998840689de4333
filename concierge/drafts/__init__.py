"""The composer: unsent replies, the gate before sending, undo and send later."""
