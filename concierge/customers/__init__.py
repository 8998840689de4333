"""The people who write to the house."""
