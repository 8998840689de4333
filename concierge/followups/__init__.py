"""Mails planned for later: when they are due, what stops them, and what was promised."""
