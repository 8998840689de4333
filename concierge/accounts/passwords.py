"""Passwords as argon2 hashes, made so that Flask-Security can verify them."""

from argon2 import PasswordHasher

# What a guess costs (RFC 9106); the library's own choice grows with the years.
hasher = PasswordHasher()
SHORTEST = 10


def hash_password(password: str) -> str:
    """The argon2id hash of `password` (RFC 9106)."""
    return hasher.hash(password)


def is_dated(kept: str) -> bool:
    """Whether a hash was made when a guess cost less, and is to be made anew."""
    return hasher.check_needs_rehash(kept)


def passlib_options() -> dict[str, int]:
    """The same cost as passlib names it, for the hashes Flask-Security makes."""
    return {
        "argon2__time_cost": hasher.time_cost,
        "argon2__memory_cost": hasher.memory_cost,
        "argon2__parallelism": hasher.parallelism,
    }
