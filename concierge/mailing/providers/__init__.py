"""The carriers mail leaves by."""
