"""How the house runs: what its worker does, what waits, what was set aside."""
