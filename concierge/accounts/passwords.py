"""Passwords as argon2 hashes, made so that Flask-Security can verify them."""

from argon2 import PasswordHasher

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """The argon2id hash of `password` (RFC 9106)."""
    return _hasher.hash(password)
