"""Reusable wording by editors that can't leave a hole."""
