"""Mails with one customer about one matter, and what editors do with them."""
